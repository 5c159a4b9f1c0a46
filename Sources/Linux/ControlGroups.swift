// SPDX-License-Identifier: Apache-2.0
import CLinux

/// A control group that a process is in: cgroups(7).
public struct ControlGroup: Hashable, Sendable {
  /// `cpu,cpuacct` or `name=systemd` (version 1); empty: the one hierarchy of version 2.
  public var hierarchy: ByteString
  public var path: ByteString

  public init(hierarchy: ByteString, path: ByteString) {
    self.hierarchy = hierarchy
    self.path = path
  }

  /// /proc/PID/cgroup, lines `ID:HIERARCHY:PATH`; none where the kernel has no control groups.
  public static func of(_ process: ProcessID) -> [ControlGroup] {
    guard let text = try? ProcessFiles(process).read("cgroup") else { return [] }
    return parse(text)
  }

  public static func parse(_ text: [UInt8]) -> [ControlGroup] {
    text.split(separator: UInt8(ascii: "\n")).compactMap { line in
      let parts = line.split(
        separator: UInt8(ascii: ":"), maxSplits: 2, omittingEmptySubsequences: false)
      guard parts.count == 3 else { return nil }
      return ControlGroup(hierarchy: ByteString(parts[1]), path: ByteString(parts[2]))
    }
  }
}

/// Where the hierarchies of control groups are mounted: /proc/self/mountinfo, proc_pid_mountinfo(5).
public struct ControlGroupMounts: Sendable {
  private struct Mount: Sendable {
    /// Empty for version 2.
    var names: [ByteString]
    /// The group that is seen at `place`.
    var root: ByteString
    var place: ByteString
  }
  private var mounts: [Mount] = []

  public init() {
    let text = try? ProcessFiles(.own).read("mountinfo", expecting: 1 << 14)
    self.init(text ?? [])
  }

  init(_ text: [UInt8]) {
    for line in text.split(separator: UInt8(ascii: "\n")) {
      let words = line.split(separator: UInt8(ascii: " ")).map { ByteString($0) }
      // ID PARENT DEVICE ROOT PLACE OPTIONS … - TYPE SOURCE OPTIONS
      guard let dash = words.firstIndex(of: "-"), dash >= 6, words.count > dash + 3 else { continue }
      let type = words[dash + 1]
      guard type == "cgroup" || type == "cgroup2" else { continue }
      let names = words[dash + 3].bytes.split(separator: UInt8(ascii: ",")).map { ByteString($0) }
      mounts.append(
        Mount(names: type == "cgroup2" ? [] : names, root: words[3], place: words[4]))
    }
  }

  /// The directory of a group; nil if it cannot be seen from here.
  public func directory(of group: ControlGroup) -> ByteString? {
    let wanted = group.hierarchy.bytes.split(separator: UInt8(ascii: ",")).map { ByteString($0) }
    for mount in mounts {
      guard mount.names.isEmpty == wanted.isEmpty,
        wanted.allSatisfy({ mount.names.contains($0) })
      else { continue }
      if mount.root == "/" { return mount.place + group.path }
      if group.path == mount.root { return mount.place }
      if group.path.hasPrefix(mount.root + "/") {
        return mount.place + group.path.dropFirst(mount.root.count)
      }
    }
    return nil
  }
}

extension ProcessID {
  /// Moves it, with all its threads, into the group of this directory.
  public func enter(controlGroup directory: ByteString) throws(Errno) {
    let file = try FileDescriptor(opening: directory + "/cgroup.procs", flags: O_WRONLY)
    let text: ByteString = "\(rawValue)"
    _ = try DescriptorNumber(file.number).write(text.bytes[...])
  }
}

extension ControlGroupMounts {
  /// Whoever enters it stands still until somebody thaws it.
  public static func isFrozen(_ directory: ByteString) -> Bool {
    for (name, word) in [("freezer.state", "FROZEN"), ("cgroup.freeze", "1")]
      as [(ByteString, ByteString)]
    {
      guard
        let text = try? FileDescriptor(opening: directory + "/" + name, flags: O_RDONLY).readToEnd()
      else { continue }
      if ByteString(text).hasPrefix(word) { return true }
    }
    return false
  }
}
