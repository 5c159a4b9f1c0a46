// SPDX-License-Identifier: Apache-2.0
import CLinux

/// The user namespace of this process: user_namespaces(7).
public struct UserNamespace: Sendable {
  private struct Range: Sendable {
    var first: UInt64
    var count: UInt64
  }
  private var users: [Range]
  private var groups: [Range]
  /// setgroups(2) is not denied to whoever has CAP_SETGID.
  public let allowsGroups: Bool

  public init() {
    users = Self.ranges("/proc/self/uid_map")
    groups = Self.ranges("/proc/self/gid_map")
    // Not there before Linux 3.19.
    allowsGroups = Self.text("/proc/self/setgroups")?.starts(with: "deny".utf8) != true
  }

  /// It has all users there are, as only the first one of a machine has.
  public var isFirst: Bool { users.isEmpty || users.contains { $0.first == 0 && $0.count >= 0xffff_ffff } }

  public func has(user: UInt32) -> Bool { Self.holds(users, user) }
  public func has(group: UInt32) -> Bool { Self.holds(groups, group) }

  /// The groups as they are shown in it: those that it lacks all look alike.
  public func shown(groups list: [UInt32]) -> [UInt32] {
    // The usual kernel.overflowgid.
    list.map { has(group: $0) ? $0 : 65534 }.sorted()
  }

  private static func holds(_ ranges: [Range], _ id: UInt32) -> Bool {
    // Without namespaces in the kernel there is no file, and everybody.
    ranges.isEmpty || ranges.contains { $0.first <= UInt64(id) && UInt64(id) - $0.first < $0.count }
  }

  private static func text(_ path: ByteString) -> [UInt8]? {
    try? FileDescriptor(opening: path, flags: O_RDONLY).readToEnd()
  }

  private static func ranges(_ path: ByteString) -> [Range] {
    guard let text = text(path) else { return [] }
    var scanner = TextScanner(text)
    var ranges: [Range] = []
    while true {
      scanner.skipBlanks()
      if scanner.isAtEnd { return ranges }
      let first = scanner.number()
      scanner.skipBlanks()
      _ = scanner.number()
      scanner.skipBlanks()
      ranges.append(Range(first: first, count: scanner.number()))
      scanner.skipLine()
    }
  }
}
