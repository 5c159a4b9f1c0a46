// SPDX-License-Identifier: Apache-2.0
import CLinux
import Linux
import Snapshot

/// What was under way in sockets is sent once more.
extension SocketMaker {
  mutating func fill(_ index: Int) throws(Errno) {
    current = index
    guard let socket = sockets[index], !socket.messages.isEmpty, !socket.isReset, socket.connection == nil,
      let receiver = made[index]
    else {
      return
    }
    for message in socket.messages {
      if let peer = socket.peer, isMadeInPairs(index) || isConnection(index), let sender = made[peer] {
        try send(message, from: sender, to: receiver, socket)
      } else if let widow = widows[index] {
        try send(message, from: DescriptorNumber(widow), to: receiver, socket)
      } else if socket.family != AF_UNIX {
        if try !sendDatagram(message, to: socket, receiver) {
          warnings.append(
            "\(name(index)): an unread datagram is gone, since nothing can be sent by that name here")
        }
      } else {
        try sendByName(message, to: socket, receiver, name(index))
      }
    }
  }

  /// A datagram bears the name of the socket that it came from.
  private mutating func sendByName(
    _ message: SocketMessage, to socket: Socket, _ receiver: DescriptorNumber, _ name: ByteString
  ) throws(Errno) {
    let sender = order.first {
      guard let candidate = sockets[$0] else { return false }
      return candidate.isDatagram && candidate.family == AF_UNIX
        && (message.sender.count > 2
          ? candidate.address == message.sender : $0 == socket.peer && candidate.address.isEmpty)
    }
    let target = try receiver.socketAddress()
    let relative = ByteString(target.dropFirst(2).prefix { $0 != 0 })
    func deliver(_ from: DescriptorNumber) throws(Errno) {
      if socket.path.isEmpty || relative.hasPrefix("/") {
        _ = try send(message, message.bytes[...], by: from, to: target)
      } else {
        try inDirectory(socket.path.dropLast(relative.count)) { () throws(Errno) in
          _ = try send(message, message.bytes[...], by: from, to: target)
        }
      }
    }
    if let sender, let number = made[sender] { return try deliver(number) }
    if message.sender.count > 2 {
      warnings.append("\(name): an unread datagram does not tell any more who has sent it")
    }
    let nobody = try KernelObjects.socket(family: AF_UNIX, type: socket.type, protocol: 0)
    try deliver(DescriptorNumber(nobody.number))
  }

  /// With more room for it than the sender may have now.
  private mutating func send(
    _ message: SocketMessage, from sender: DescriptorNumber, to receiver: DescriptorNumber, _ socket: Socket
  ) throws(Errno) {
    let bytes = message.bytes
    let room = try sender.intOption(SOL_SOCKET, SO_SNDBUF)
    let wanted = Int32(clamping: 2 * (bytes.count + socket.unread) + (1 << 16))
    if room < wanted { try sender.setBufferSize(SO_SNDBUF, wanted) }
    if socket.family != AF_UNIX { ReceiveRoom(receiver).enlarge(for: bytes.count) }
    let deadline = Clock.monotonic.reading + 10_000_000_000
    var rest = bytes[...]
    repeat {
      do throws(Errno) { rest = rest.dropFirst(try send(message, rest, by: sender)) } catch {
        // The way through the kernel takes its time.
        guard error == .tryAgain, socket.family != AF_UNIX, Clock.monotonic.reading < deadline else {
          throw error
        }
        pauseBriefly()
      }
    } while socket.isStream && !rest.isEmpty
    if room < wanted { try sender.setBufferSize(SO_SNDBUF, room) }
  }

  /// Once; what travels with a message goes with its first byte.
  private mutating func send(
    _ message: SocketMessage, _ rest: ArraySlice<UInt8>, by sender: DescriptorNumber,
    to address: [UInt8] = []
  ) throws(Errno) -> Int {
    if message.descriptors.isEmpty, message.credentials == nil {
      return try sender.send(rest, to: address)
    }
    var descriptors: [DescriptorNumber] = []
    if rest.count == message.bytes.count {
      for index in message.descriptors {
        guard let number = files.openFiles[index] else { throw .badDescriptor }
        descriptors.append(number)
      }
    }
    do throws(Errno) {
      return try sender.send(rest, to: address, with: descriptors, as: message.credentials)
    } catch {
      // Only root may speak for others, and only for processes that are there.
      guard message.credentials != nil, error == .notPermitted || error.rawValue == ESRCH else { throw error }
      warnings.append(
        "\(name(current)) tells who has sent what waits in it (SO_PASSCRED): of some of that it is "
          + "cr_restart now (\(error.reason))")
      return try sender.send(rest, to: address, with: descriptors)
    }
  }
}
