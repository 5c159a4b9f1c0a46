// SPDX-License-Identifier: Apache-2.0
import CLinux

/// Keeps the packets of a TCP connection from this machine's end of it, and those of that end from
/// leaving: a table of nftables with one rule for each direction. The other end takes it for a network
/// that is down for a while.
public struct PacketBarrier: Sendable {
  /// Addresses (4 or 16 bytes) and ports, in network order.
  private let near: (address: [UInt8], port: [UInt8])
  private let far: (address: [UInt8], port: [UInt8])
  private let table: ByteString

  /// - Parameters:
  ///   - near: sixteen bytes of an address, IPv4 in that of IPv6, and two of a port.
  ///   - prefix: of the table's name, which tells the connection too.
  public init(from near: [UInt8], to far: [UInt8], prefix: ByteString = "blcr") {
    self.near = Self.split(near)
    self.far = Self.split(far)
    table = prefix + "_" + Self.words(self.near) + "_" + Self.words(self.far)
  }

  /// For people: `ip blcr_10.0.0.1_80_10.0.0.2_4711`, as `nft list table` takes it.
  public var name: ByteString { (near.address.count == 4 ? "ip " : "ip6 ") + table }

  /// Stays until it is lowered; or, with `isOwned`, until the channel is closed, be it by our death
  /// (Linux 5.12).
  public func raise(by channel: FirewallChannel, isOwned: Bool = false) throws(Errno) {
    let family = self.family
    var batch = FirewallBatch(family)
    batch.add(0, create: true) {
      $0.text(1, table)
      // NFT_TABLE_F_OWNER.
      if isOwned { $0.word(2, 2) }
    }
    // NF_INET_LOCAL_IN 1, NF_INET_LOCAL_OUT 3.
    for (chain, hook, source, target) in [("in", 1, far, near), ("out", 3, near, far)]
      as [(
        ByteString, UInt32, (address: [UInt8], port: [UInt8]), (address: [UInt8], port: [UInt8])
      )]
    {
      batch.add(3, create: true) {
        $0.text(1, table)
        $0.text(3, chain)
        $0.nest(4) { hooks in
          hooks.word(1, hook)
          // Before all others that may be there.
          hooks.word(2, UInt32(bitPattern: -400))
        }
        $0.word(5, 1)
        $0.text(7, "filter")
      }
      batch.add(6, create: true) {
        $0.text(1, table)
        $0.text(2, chain)
        $0.nest(4) { expressions in expressions.drop(from: source, to: target) }
      }
    }
    try channel.send(batch)
  }

  public func lower(by channel: FirewallChannel) throws(Errno) {
    var batch = FirewallBatch(family)
    batch.add(2, create: false) { $0.text(1, table) }
    do throws(Errno) { try channel.send(batch) } catch { if error != .noEntry { throw error } }
  }

  /// NFPROTO_IPV4, NFPROTO_IPV6.
  private var family: UInt8 { near.address.count == 4 ? 2 : 10 }

  private static func split(_ bytes: [UInt8]) -> (address: [UInt8], port: [UInt8]) {
    let isFour = bytes[..<10].allSatisfy { $0 == 0 } && bytes[10] == 0xff && bytes[11] == 0xff
    return (Array(bytes[(isFour ? 12 : 0) ..< 16]), Array(bytes[16 ..< 18]))
  }

  /// Only what a name in nft(8) may have.
  private static func words(_ end: (address: [UInt8], port: [UInt8])) -> ByteString {
    var text: ByteString = ""
    if end.address.count == 4 {
      for (place, byte) in end.address.enumerated() { text += place == 0 ? "\(byte)" : ".\(byte)" }
    } else {
      for place in stride(from: 0, to: 16, by: 2) {
        if place > 0 { text += "." }
        text += "\(hex: UInt16(end.address[place]) << 8 | UInt16(end.address[place + 1]))"
      }
    }
    return text + "_\(UInt16(end.port[0]) << 8 | UInt16(end.port[1]))"
  }
}

/// A way to the firewall of the kernel (NETLINK_NETFILTER). EPERM without CAP_NET_ADMIN,
/// EPROTONOSUPPORT where the kernel has none.
public final class FirewallChannel {
  private let socket: FileDescriptor

  public init() throws(Errno) {
    socket = try KernelObjects.socket(
      family: AF_NETLINK, type: Int32(SOCK_RAW.rawValue), protocol: 12)
  }

  fileprivate func send(_ batch: FirewallBatch) throws(Errno) {
    let number = DescriptorNumber(socket.number)
    _ = try number.send(batch.whole[...])
    // An acknowledgement of the last message, or the errors of those that were wrong.
    while true {
      let (count, bytes) = try bytesFilled(count: 65536) { buffer in
        cr_syscall(Int(SYS_recvfrom), Int(number.rawValue), buffer, 65536, 0, 0, 0)
      }
      var offset = 0
      while offset + 20 <= count {
        let size = Int(bytes.native(UInt32.self, at: offset))
        // NLMSG_ERROR 2.
        if bytes.native(UInt16.self, at: offset + 4) == 2 {
          let error = bytes.native(Int32.self, at: offset + 16)
          if error != 0 { throw Errno(rawValue: -error) }
          if bytes.native(UInt32.self, at: offset + 8) == batch.last { return }
        }
        guard size >= 16 else { throw .io }
        offset += (size + 3) / 4 * 4
      }
    }
  }
}

/// Messages of nfnetlink (linux/netfilter/nf_tables.h) that are carried out together or not at all.
private struct FirewallBatch {
  private let family: UInt8
  private var bytes: [UInt8] = []
  private(set) var last: UInt32 = 0

  init(_ family: UInt8) {
    self.family = family
    // NFNL_MSG_BATCH_BEGIN, for NFNL_SUBSYS_NFTABLES.
    append(0x10, flags: 1, family: 0, resource: 10) { _ in }
  }

  /// NFT_MSG_*.
  mutating func add(_ message: UInt16, create: Bool, _ body: (inout FirewallAttributes) -> Void) {
    // NLM_F_REQUEST, _ACK, _CREATE, _APPEND.
    append(10 << 8 | message, flags: 5 | (create ? 0xc00 : 0), family: family, resource: 0, body)
  }

  /// With NFNL_MSG_BATCH_END.
  var whole: [UInt8] {
    var copy = self
    copy.append(0x11, flags: 1, family: 0, resource: 10) { _ in }
    return copy.bytes
  }

  private mutating func append(
    _ type: UInt16, flags: UInt16, family: UInt8, resource: UInt16,
    _ body: (inout FirewallAttributes) -> Void
  ) {
    var attributes = FirewallAttributes()
    body(&attributes)
    if resource == 0 { last += 1 }
    // struct nlmsghdr, and struct nfgenmsg with its resource in network order.
    put(UInt32(20 + attributes.bytes.count))
    put(type)
    put(flags)
    put(resource == 0 ? last : 0)
    put(UInt32(0))
    bytes += [family, 0, UInt8(resource >> 8), UInt8(truncatingIfNeeded: resource)]
    bytes += attributes.bytes
  }

  private mutating func put<Value: FixedWidthInteger>(_ value: Value) {
    withUnsafeBytes(of: value) { bytes += Array($0) }
  }
}

/// struct nlattr, one after another; numbers in network order.
private struct FirewallAttributes {
  private(set) var bytes: [UInt8] = []

  mutating func text(_ type: UInt16, _ value: ByteString) { raw(type, value.bytes + [0]) }

  mutating func word(_ type: UInt16, _ value: UInt32) {
    raw(type, withUnsafeBytes(of: value.bigEndian) { Array($0) })
  }

  mutating func nest(_ type: UInt16, _ body: (inout FirewallAttributes) -> Void) {
    var inner = FirewallAttributes()
    body(&inner)
    // NLA_F_NESTED.
    raw(type | 0x8000, inner.bytes)
  }

  mutating func raw(_ type: UInt16, _ value: [UInt8]) {
    withUnsafeBytes(of: UInt16(value.count + 4)) { bytes += Array($0) }
    withUnsafeBytes(of: type) { bytes += Array($0) }
    bytes += value + [UInt8](repeating: 0, count: (4 - value.count % 4) % 4)
  }

  /// The expressions of a rule: TCP from here to there is dropped.
  mutating func drop(
    from source: (address: [UInt8], port: [UInt8]), to target: (address: [UInt8], port: [UInt8])
  ) {
    let isFour = source.address.count == 4
    expression("meta") {
      $0.word(1, 1)
      // NFT_META_L4PROTO.
      $0.word(2, 16)
    }
    compare([6])
    // NFT_PAYLOAD_NETWORK_HEADER 1, NFT_PAYLOAD_TRANSPORT_HEADER 2.
    match(1, at: isFour ? 12 : 8, source.address)
    match(1, at: isFour ? 16 : 24, target.address)
    match(2, at: 0, source.port)
    match(2, at: 2, target.port)
    expression("immediate") {
      $0.word(1, 0)
      // NFTA_DATA_VERDICT with NF_DROP.
      $0.nest(2) { data in data.nest(2) { verdict in verdict.word(1, 0) } }
    }
  }

  private mutating func match(_ header: UInt32, at offset: UInt32, _ value: [UInt8]) {
    expression("payload") {
      $0.word(1, 1)
      $0.word(2, header)
      $0.word(3, offset)
      $0.word(4, UInt32(value.count))
    }
    compare(value)
  }

  private mutating func compare(_ value: [UInt8]) {
    expression("cmp") {
      $0.word(1, 1)
      $0.word(2, 0)
      $0.nest(3) { data in data.raw(1, value) }
    }
  }

  private mutating func expression(_ name: ByteString, _ body: (inout FirewallAttributes) -> Void) {
    nest(1) {
      $0.text(1, name)
      $0.nest(2, body)
    }
  }
}
