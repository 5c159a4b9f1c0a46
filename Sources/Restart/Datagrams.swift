// SPDX-License-Identifier: Apache-2.0
import CLinux
import Linux
import Snapshot

extension SocketMaker {
  /// Sends a UDP datagram once more, by the name that it came from: from the job's own socket of that
  /// name, or from one that is there for a moment. A name of another machine takes CAP_NET_RAW.
  ///
  /// - Returns: false if that name cannot be had.
  func sendDatagram(
    _ message: SocketMessage, to socket: Socket, _ receiver: DescriptorNumber
  ) throws(Errno) -> Bool {
    let target = InternetName(try receiver.socketAddress()).reachable(from: InternetName(message.sender))
    let origin = InternetName(message.sender)
    let before = try receiver.pollEvents()
    let sender = order.first {
      guard let candidate = sockets[$0], made[$0] != nil, candidate.isDatagram,
        candidate.family == AF_INET || candidate.family == AF_INET6
      else { return false }
      let name = InternetName(candidate.address)
      return name.port == origin.port && (name.address == origin.address || name.isAny)
        && (candidate.family == AF_INET6 || target.isFour)
    }
    if let sender, let number = made[sender], let candidate = sockets[sender] {
      _ = try number.send(message.bytes[...], to: target.bytes(family: candidate.family))
    } else {
      let file = try KernelObjects.socket(family: socket.family, type: 2, protocol: socket.protocolNumber)
      let number = DescriptorNumber(file.number)
      // IP_TRANSPARENT 19, IPV6_TRANSPARENT 75.
      try? number.setOption(Int32(IPPROTO_IP), 19, 1)
      if socket.family == AF_INET6 { try? number.setOption(Int32(IPPROTO_IPV6), 75, 1) }
      try? number.setOption(SOL_SOCKET, SO_BROADCAST, 1)
      guard (try? number.bind(message.sender)) != nil,
        (try? number.send(message.bytes[...], to: target.bytes(family: socket.family))) != nil
      else { return false }
    }
    if before & POLLIN != 0 { return true }
    // It does not go where it came from if others share the name (SO_REUSEPORT).
    for _ in 0 ..< 50 {
      if try receiver.pollEvents() & POLLIN != 0 { return true }
      pauseBriefly()
    }
    return false
  }
}

/// An address and a port of either family; IPv4 inside of IPv6.
private struct InternetName {
  /// Sixteen bytes, and the port in network order.
  var address: [UInt8] = [UInt8](repeating: 0, count: 16)
  var port: [UInt8] = [0, 0]
  /// The interface of a link-local one.
  var scope: [UInt8] = [0, 0, 0, 0]
  var isFour = false

  /// `struct sockaddr_in` or `struct sockaddr_in6`.
  init(_ bytes: [UInt8]) {
    guard bytes.count >= 8 else { return }
    port = Array(bytes[2 ..< 4])
    if bytes.count >= 28 {
      (address, scope) = (Array(bytes[8 ..< 24]), Array(bytes[24 ..< 28]))
      isFour = address.prefix(10).allSatisfy { $0 == 0 } && address[10] == 0xff
    } else {
      (address, isFour) = (Self.mapped(Array(bytes[4 ..< 8])), true)
    }
  }

  private static func mapped(_ four: [UInt8]) -> [UInt8] {
    [UInt8](repeating: 0, count: 10) + [0xff, 0xff] + four
  }

  var isAny: Bool { address[12...].allSatisfy { $0 == 0 } && (isFour || address.allSatisfy { $0 == 0 }) }

  /// Where to send to for an address that may stand for all of this machine.
  func reachable(from sender: InternetName) -> InternetName {
    guard isAny else { return self }
    var name = self
    name.isFour = sender.isFour
    name.address =
      sender.isFour ? Self.mapped([127, 0, 0, 1]) : [UInt8](repeating: 0, count: 15) + [1]
    return name
  }

  func bytes(family: Int32) -> [UInt8] {
    let head = withUnsafeBytes(of: UInt16(family)) { Array($0) } + port
    if family == AF_INET { return head + address[12...] + [UInt8](repeating: 0, count: 8) }
    return head + [0, 0, 0, 0] + address + scope
  }
}
