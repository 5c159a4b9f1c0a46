// SPDX-License-Identifier: Apache-2.0
import CLinux
import Linux
import Request
import Snapshot

/// A connection to the outside that is set up by hand, and works from the moment when nothing can fail.
/// Until then it is silent: a restart that fails leaves the connection for another one.
struct EstablishedConnection {
  var file: DescriptorNumber
  var socket: Socket
  var state: ConnectionState
}

extension SocketMaker {
  /// TCP_REPAIR: a connection made without anybody hearing of it.
  mutating func makeEstablished(
    _ index: Int, _ socket: Socket, _ state: ConnectionState
  ) throws(Errno) {
    current = index
    let file = try KernelObjects.socket(family: socket.family, type: 1, protocol: 6)
    let number = DescriptorNumber(file.number)
    try number.beginRepair()
    try number.setSequences(state, unread: socket.unread)
    let deadline = Clock.monotonic.reading + 5_000_000_000
    var isBound = false
    while true {
      do throws(Errno) {
        if !isBound { try number.bind(socket.address) }
        isBound = true
        try number.connect(socket.peerAddress)
        break
      } catch {
        // The end of a killed program is a matter of moments.
        guard error.rawValue == EADDRNOTAVAIL || error.rawValue == EADDRINUSE,
          Clock.monotonic.reading < deadline
        else { throw error }
        pauseBriefly()
      }
    }
    try number.setAgreements(state)
    let kept = try keep(index, file)
    if socket.unread > 0 { ReceiveRoom(kept).enlarge(for: socket.unread) }
    for message in socket.messages { try kept.fillQueue(receiving: true, message.bytes[...]) }
    try kept.setBufferSize(SO_SNDBUF, Int32(clamping: 4 * state.queue.count + (1 << 17)))
    try kept.fillQueue(
      receiving: false, state.queue.prefix(state.queue.count - Int(state.unsent)))
    try kept.setWindow(state)
    files.established.append(EstablishedConnection(file: kept, socket: socket, state: state))
  }
}

extension EstablishedConnection {
  /// The other end hears of us again.
  func resume() throws(Errno) {
    if let near = socket.endpoint(socket.address), let far = socket.endpoint(socket.peerAddress),
      let channel = try? FirewallChannel()
    {
      try PacketBarrier(from: near, to: far).lower(by: channel)
    }
    let reuses = socket.options.contains {
      $0.level == SOL_SOCKET && $0.name == SO_REUSEADDR && $0.value.contains { $0 != 0 }
    }
    try file.endRepair(reusingAddress: reuses)
    let unsent = state.queue.suffix(Int(state.unsent))
    if !unsent.isEmpty {
      let room = try file.intOption(SOL_SOCKET, SO_SNDBUF)
      try file.setBufferSize(SO_SNDBUF, Int32(clamping: 4 * state.queue.count + (1 << 17)))
      var rest = unsent
      while !rest.isEmpty { rest = rest.dropFirst(try file.send(rest)) }
      try file.setBufferSize(SO_SNDBUF, room)
    }
    // The end that the other one has told is counted in the sequence already; saying that we want no
    // more makes it the end for the program.
    if socket.shutdown & 5 != 0 { try file.shutDown(Int32(SHUT_RD)) }
    if socket.shutdown & 2 != 0 { try file.shutDown(Int32(SHUT_WR)) }
  }
}

extension Socket {
  /// Sixteen bytes of an address and two of a port, for `PacketBarrier`.
  fileprivate func endpoint(_ address: [UInt8]) -> [UInt8]? {
    guard address.count >= 8 else { return nil }
    let port = address[2 ..< 4]
    if address.native(UInt16.self, at: 0) == UInt16(AF_INET) {
      return [UInt8](repeating: 0, count: 10) + [0xff, 0xff] + address[4 ..< 8] + port
    }
    return address.count >= 24 ? Array(address[8 ..< 24] + port) : nil
  }
}
