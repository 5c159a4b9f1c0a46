// SPDX-License-Identifier: Apache-2.0
import CLinux

/// A group that somebody on this machine receives: the interface's index, and IPv4's 4 or IPv6's 16
/// bytes.
public struct MulticastGroup: Sendable {
  public var interface: UInt32
  public var address: [UInt8]

  /// Those in /proc/net/igmp: below each interface `index name …` a line `GROUP users …` for each
  /// group, which begins with a tab and has the address as a word of this machine's byte order.
  public static func list(igmp text: [UInt8]) -> [MulticastGroup] {
    var scanner = TextScanner(text)
    scanner.skipLine()
    var groups: [MulticastGroup] = []
    var interface: UInt32 = 0
    while !scanner.isAtEnd {
      if scanner.next == UInt8(ascii: "\t") {
        let word = UInt32(truncatingIfNeeded: scanner.number(radix: 16))
        groups.append(
          MulticastGroup(interface: interface, address: withUnsafeBytes(of: word) { Array($0) }))
      } else {
        interface = UInt32(truncatingIfNeeded: scanner.number())
      }
      scanner.skipLine()
    }
    return groups
  }

  /// Those in /proc/net/igmp6: lines `index name GROUP users …`, 32 digits.
  public static func list(igmp6 text: [UInt8]) -> [MulticastGroup] {
    var scanner = TextScanner(text)
    var groups: [MulticastGroup] = []
    while !scanner.isAtEnd {
      let interface = UInt32(truncatingIfNeeded: scanner.number())
      _ = scanner.word()
      let word = scanner.word()
      scanner.skipLine()
      guard word.count == 32 else { continue }
      let address = stride(from: 0, to: 32, by: 2).map { start in
        var digits = TextScanner(Array(word.bytes[start ..< start + 2]))
        return UInt8(truncatingIfNeeded: digits.number(radix: 16))
      }
      groups.append(MulticastGroup(interface: interface, address: address))
    }
    return groups
  }

  /// `struct group_req`: the index, and the group aligned like a pointer.
  fileprivate var request: [UInt8] {
    var bytes = [UInt8](repeating: 0, count: Self.requestSize)
    func put<Value: FixedWidthInteger>(_ value: Value, at offset: Int) {
      withUnsafeBytes(of: value) { for (place, byte) in $0.enumerated() { bytes[offset + place] = byte } }
    }
    put(interface, at: 0)
    let start = MemoryLayout<Int>.size
    put(UInt16(address.count == 4 ? AF_INET : AF_INET6), at: start)
    // struct sockaddr_in: address at 4; struct sockaddr_in6: at 8.
    let place = start + (address.count == 4 ? 4 : 8)
    for (index, byte) in address.enumerated() { bytes[place + index] = byte }
    return bytes
  }

  fileprivate static var requestSize: Int { MemoryLayout<Int>.size + 128 }
}

/// linux/in.h.
private let joinGroup: Int32 = 42
private let sourceFilter: Int32 = 48

extension DescriptorNumber {
  /// The socket's membership, with the sources that it takes or refuses (MCAST_MSFILTER: `struct
  /// group_filter`); nil if it is no member.
  public func membership(of group: MulticastGroup) -> (level: Int32, filter: [UInt8])? {
    let level = Int32(group.address.count == 4 ? IPPROTO_IP : IPPROTO_IPV6)
    // Then fmode, the number of sources, and room for them.
    let room = 64
    var bytes = group.request + [UInt8](repeating: 0, count: 8 + 128 * room)
    let start = MulticastGroup.requestSize
    bytes[start + 4] = UInt8(room)
    var size = UInt32(bytes.count)
    let number = Int(rawValue)
    let result = bytes.withUnsafeMutableBytes { buffer in
      withUnsafeMutablePointer(to: &size) {
        cr_syscall(
          Int(SYS_getsockopt), number, Int(level), Int(sourceFilter),
          Int(bitPattern: buffer.baseAddress), Int(bitPattern: $0), 0)
      }
    }
    guard result >= 0 else { return nil }
    let count = min(room, Int(bytes.native(UInt32.self, at: start + 4)))
    return (level, Array(bytes.prefix(start + 8 + 128 * count)))
  }

  /// Joins again what `membership` told.
  public func join(level: Int32, filter: [UInt8]) throws(Errno) {
    let size = MulticastGroup.requestSize
    guard filter.count >= size + 8 else { throw .invalid }
    try setOption(level, joinGroup, Array(filter.prefix(size)))
    // MCAST_EXCLUDE of nobody is what joining gives.
    if filter.native(UInt32.self, at: size) == 0 || filter.native(UInt32.self, at: size + 4) > 0 {
      try setOption(level, sourceFilter, filter)
    }
  }
}

extension SocketOptions {
  /// Stands for a membership: MCAST_MSFILTER, `struct group_filter`.
  public static func isMembership(_ level: Int32, _ name: Int32) -> Bool {
    (level == Int32(IPPROTO_IP) || level == Int32(IPPROTO_IPV6)) && name == sourceFilter
  }

  /// SO_ATTACH_FILTER: instructions of 8 bytes.
  public static func isFilter(_ level: Int32, _ name: Int32) -> Bool {
    level == SOL_SOCKET && name == SO_ATTACH_FILTER
  }
}

extension DescriptorNumber {
  /// The classic packet filter that is attached, 8 bytes for each instruction; EACCES for an eBPF
  /// program.
  public func packetFilter() throws(Errno) -> [UInt8] {
    let number = rawValue
    // BPF_MAXINSNS.
    let (count, bytes) = try bytesFilled(count: 8 * 4096) { buffer in
      Int(cr_socket_filter(number, UnsafeMutableRawPointer(bitPattern: buffer), 4096))
    }
    return Array(bytes.prefix(8 * count))
  }

  public func attachFilter(_ instructions: [UInt8]) throws(Errno) {
    let number = rawValue
    let result = instructions.withUnsafeBytes {
      Int(cr_socket_attach_filter(number, $0.baseAddress, $0.count / 8))
    }
    try checked(result)
  }
}
