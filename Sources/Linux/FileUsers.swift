// SPDX-License-Identifier: Apache-2.0
import CLinux

/// Who has files mapped or open, as far as we may look.
public enum FileUsers {
  /// For each of these paths, as maps shows them, a process that has it mapped and is none of `besides`.
  public static func mapping(
    _ paths: Set<ByteString>, besides known: Set<Int32>
  ) -> [ByteString: ProcessID] {
    var found: [ByteString: ProcessID] = [:]
    if paths.isEmpty { return found }
    for process in (try? allProcesses()) ?? [] where !known.contains(process.rawValue) {
      guard let files = try? ProcessFiles(process), let text = try? files.read("maps", expecting: 16384)
      else { continue }
      for region in MappedRegion.parse(text) where region.inode != 0 && paths.contains(region.name) {
        found[region.name] = process
      }
    }
    return found
  }

  /// A process that has a file open to which a link of /proc/PID/fd says `target`, with this device and
  /// inode.
  public static func holding(
    _ target: ByteString, device: UInt64, inode: UInt64, besides known: Set<Int32>
  ) -> ProcessID? {
    for process in (try? allProcesses()) ?? [] where !known.contains(process.rawValue) {
      guard let files = try? ProcessFiles(process), let numbers = try? files.numbers(in: "fd")
      else { continue }
      for number in numbers {
        let name: ByteString = "fd/\(number)"
        guard (try? files.link(name)) == target, let status = try? files.status(of: name),
          status.inode == inode, status.device == device
        else { continue }
        return process
      }
    }
    return nil
  }

  /// Whether it is POSIX shared memory (shm_overview(7)), a file in memory under /dev/shm, or one of a
  /// hugetlbfs.
  public static func isNamedMemory(_ path: ByteString) -> Bool {
    let type = try? FileStatus.fileSystemType(of: path)
    return type == hugetlbMagic || type == tmpfsMagic && path.hasPrefix("/dev/shm/")
  }

  /// Whether what stands there, or an open file that a link of /proc leads to, is in huge pages.
  public static func hasHugePages(_ path: ByteString) -> Bool {
    (try? FileStatus.fileSystemType(of: path)) == hugetlbMagic
  }

  // linux/magic.h
  private static var tmpfsMagic: UInt { 0x0102_1994 }
  private static var hugetlbMagic: UInt { 0x9584_58f6 }
}
