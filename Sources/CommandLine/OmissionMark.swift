// SPDX-License-Identifier: Apache-2.0
import CLinux
import Linux

/// How cr_checkpoint knows a cr_restart: by a page that it mapped, whose name stands in its map list.
///
/// Like libcr's control block, this asks nothing of the process and cannot be set for it by others.
public enum OmissionMark {
  /// Marks this process.
  public static func place(_ omission: RestartOptions.Omission) throws(Errno) {
    let file = try FileDescriptor(inMemoryNamed: name(of: omission))
    try file.setSize(1)
    try checked(
      cr_syscall(
        Int(SYS_mmap), 0, 1, Int(PROT_READ), Int(MAP_SHARED), Int(file.number), 0))
  }

  /// The mark of a process; nil if it is no cr_restart, or cannot be looked at.
  public static func of(_ process: ProcessID) -> RestartOptions.Omission? {
    guard let files = try? ProcessFiles(process), let maps = try? files.read("maps") else {
      return nil
    }
    for region in MappedRegion.parse(maps) where region.name.hasPrefix("/memfd:cr_restart-") {
      for omission: RestartOptions.Omission in [.maybe, .always, .never]
      where region.name.hasPrefix("/memfd:" + name(of: omission)) { return omission }
    }
    return nil
  }

  private static func name(of omission: RestartOptions.Omission) -> ByteString {
    switch omission {
    case .maybe: "cr_restart-omit-maybe"
    case .always: "cr_restart-omit-always"
    case .never: "cr_restart-omit-never"
    }
  }
}
