// SPDX-License-Identifier: Apache-2.0
import CLinux
import Linux
import Snapshot

/// TCP connections with both ends in the job: made again by connecting, with the ports they had.
///
/// They come before everything else that has a name, since a listener of the job would be in the way
/// of the one that is there for a moment only.
extension SocketMaker {
  func isConnection(_ index: Int) -> Bool {
    guard let socket = sockets[index] else { return false }
    return socket.family != AF_UNIX && socket.isStream && socket.state == .connected
  }

  mutating func makeInternetConnection(_ index: Int) throws(Errno) {
    current = index
    guard let socket = sockets[index] else { return }
    let peer = socket.peer.flatMap { isConnection($0) ? $0 : nil }
    var far = Socket(family: socket.family, type: 1, protocolNumber: 6, inode: 0)
    far.address = socket.peerAddress
    if let peer, let saved = sockets[peer] { far = saved }
    // The end with the port of a listener was accepted by it.
    let isServer = sockets.values.contains {
      $0.state == .listening && $0.family == socket.family
        && $0.address.dropFirst(2).prefix(2) == socket.address.dropFirst(2).prefix(2)
    }
    let (own, other) = try join(socket, far, listeningFirst: isServer)
    _ = try keep(index, FileDescriptor(owning: own))
    if let peer {
      _ = try keep(peer, FileDescriptor(owning: other))
    } else {
      widows[index] = other
    }
  }

  /// The ends of a connection between these two; numbers that the caller owns.
  ///
  /// What is left of the one before (TIME_WAIT) keeps others from listening at that end, if the program
  /// had not set SO_REUSEADDR: then the other end listens, which nobody can tell afterwards. If there is
  /// something of it at either end, it is waited for.
  private func join(
    _ one: Socket, _ other: Socket, listeningFirst: Bool
  ) throws(Errno) -> (one: Int32, other: Int32) {
    let deadline = Clock.monotonic.reading + max(Self.patience(for: one), Self.patience(for: other))
    var listens = listeningFirst
    while true {
      do throws(Errno) { return try join(one, other, listening: listens) } catch {
        guard error.rawValue == EADDRINUSE, !other.address.isEmpty, !one.address.isEmpty,
          listens == listeningFirst || Clock.monotonic.reading < deadline
        else { throw error }
        if listens != listeningFirst { pauseBriefly() }
        listens.toggle()
      }
    }
  }

  /// Root need not wait for what is left of the connections before. All of them, since those of one port
  /// are in the way of each other.
  func forgetLastConnections() {
    for socket in sockets.values where socket.family != AF_UNIX && socket.peer != nil {
      let (own, far) = (socket.address, socket.peerAddress)
      // struct sockaddr_in, sockaddr_in6
      guard own.count >= 16, far.count == own.count else { continue }
      own.withUnsafeBytes { own in
        far.withUnsafeBytes { far in _ = cr_forget_connection(own.baseAddress, far.baseAddress) }
      }
    }
  }

  private func join(
    _ one: Socket, _ other: Socket, listening: Bool
  ) throws(Errno) -> (one: Int32, other: Int32) {
    let (near, accepted) =
      listening ? try connect(from: other, to: one) : try connect(from: one, to: other)
    return listening ? (accepted, near) : (near, accepted)
  }

  /// A connection by both of its names; numbers that the caller owns.
  ///
  /// What is left of the connection before may be in the way for a second (net.ipv4.tcp_tw_reuse).
  private func connect(
    from client: Socket, to server: Socket
  ) throws(Errno) -> (near: Int32, accepted: Int32) {
    let listener = try KernelObjects.socket(family: server.family, type: 1, protocol: 6)
    let own = DescriptorNumber(listener.number)
    try own.setOption(SOL_SOCKET, SO_REUSEADDR, 1)
    try own.bind(server.address)
    try own.listen(backlog: 1)
    let near = try connectAgain(client, to: server)
    let accepted = try own.accept()
    return (near.disown(), accepted.disown())
  }

  /// Waits for what is left of the connection before.
  func connectAgain(_ client: Socket, to server: Socket) throws(Errno) -> FileDescriptor {
    let deadline = Clock.monotonic.reading + max(3_000_000_000, Self.patience(for: client))
    var isBound = false
    while true {
      do throws(Errno) { return try connected(client, to: server, binding: isBound) } catch {
        guard error.rawValue == EADDRNOTAVAIL || error.rawValue == EADDRINUSE,
          Clock.monotonic.reading < deadline
        else { throw error }
        if isBound { pauseBriefly() }
        isBound.toggle()
      }
    }
  }

  /// A port that the kernel once gave to a connection is asked for as such (IP_LOCAL_PORT_RANGE, Linux
  /// 6.3): a trace of that connection does not matter then, as it would for bind(2).
  private func connected(
    _ client: Socket, to server: Socket, binding: Bool
  ) throws(Errno) -> FileDescriptor {
    let file = try KernelObjects.socket(family: client.family, type: 1, protocol: 6)
    let number = DescriptorNumber(file.number)
    // struct timeval: an address that does not answer must not keep us.
    let limit = withUnsafeBytes(of: (Int(3), Int(0))) { Array($0) }
    try number.setOption(SOL_SOCKET, Int32(CR_SO_SNDTIMEO), limit)
    // Or a listener of the same port could not be made afterwards.
    try number.setOption(SOL_SOCKET, SO_REUSEADDR, 1)
    if binding {
      do throws(Errno) { try number.bind(client.address) } catch {
        // What is left of the connection before is in the way where SO_REUSEADDR was not set. With
        // CAP_NET_ADMIN, TCP_REPAIR (19) makes bind(2) overlook that.
        guard error.rawValue == EADDRINUSE, (try? number.setOption(6, 19, 1)) != nil else { throw error }
        try number.bind(client.address)
        try number.setOption(6, 19, 0)
      }
    } else {
      var address = client.address
      let port = Int32(address[2]) << 8 | Int32(address[3])
      (address[2], address[3]) = (0, 0)
      try number.setOption(Int32(IPPROTO_IP), IP_BIND_ADDRESS_NO_PORT, 1)
      if (try? number.setOption(Int32(IPPROTO_IP), Self.portRange, port << 16 | port)) == nil {
        throw Errno(rawValue: EADDRNOTAVAIL)
      }
      try number.bind(address)
    }
    // Our end is named as the other one saw it, which may be another family.
    try number.connect(client.peerAddress.isEmpty ? server.address : client.peerAddress)
    if !binding { try number.setOption(Int32(IPPROTO_IP), Self.portRange, 0) }
    return file
  }

  /// linux/in.h, IP_LOCAL_PORT_RANGE.
  private static var portRange: Int32 { 51 }

  /// A connection that the other end has broken off.
  mutating func makeReset(_ index: Int) throws(Errno) {
    current = index
    guard let socket = sockets[index] else { return }
    let listener = try KernelObjects.socket(family: socket.family, type: 1, protocol: 6)
    let own = DescriptorNumber(listener.number)
    try own.listen(backlog: 1)
    let near = try KernelObjects.socket(family: socket.family, type: 1, protocol: 6)
    // The address is any; a connection to that leads to ourselves.
    try DescriptorNumber(near.number).connect(own.socketAddress())
    let accepted = try own.accept()
    for message in socket.messages {
      let sender = DescriptorNumber(accepted.number)
      try sender.setBufferSize(SO_SNDBUF, Int32(clamping: 2 * message.bytes.count + (1 << 16)))
      guard try sender.send(message.bytes[...]) == message.bytes.count else { throw .noSpace }
    }
    // struct linger: on, at once.
    let linger = withUnsafeBytes(of: (Int32(1), Int32(0))) { Array($0) }
    try DescriptorNumber(accepted.number).setOption(SOL_SOCKET, SO_LINGER, linger)
    try accepted.close()
    let number = try keep(index, near)
    // Hearing of it takes the error away.
    if !socket.hasError { _ = try number.intOption(SOL_SOCKET, SO_ERROR) }
  }
}
