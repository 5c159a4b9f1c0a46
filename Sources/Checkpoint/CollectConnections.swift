// SPDX-License-Identifier: Apache-2.0
import CLinux
import Linux
import Request
import Snapshot

/// An address and a port, the same for IPv4 and for IPv4 inside of IPv6.
struct Endpoint: Hashable {
  /// Sixteen bytes, and two of the port in network order.
  let bytes: [UInt8]

  /// `struct sockaddr_in` or `struct sockaddr_in6`; nil for another one.
  init?(_ address: [UInt8]) {
    guard address.count >= 8 else { return nil }
    switch Int32(address.native(UInt16.self, at: 0)) {
    case AF_INET: bytes = Self.mapped + address[4 ..< 8] + address[2 ..< 4]
    case AF_INET6 where address.count >= 24: bytes = Array(address[8 ..< 24] + address[2 ..< 4])
    default: return nil
    }
  }

  /// `0100007F:0050`, as /proc/net/tcp has it: words of this machine's byte order.
  init?(_ text: ByteString) {
    guard let colon = text.bytes.firstIndex(of: UInt8(ascii: ":")), colon == 8 || colon == 32 else {
      return nil
    }
    var address: [UInt8] = []
    for start in stride(from: 0, to: colon, by: 8) {
      var word = TextScanner(Array(text.bytes[start ..< start + 8]))
      let value = UInt32(truncatingIfNeeded: word.number(radix: 16))
      withUnsafeBytes(of: value) { address += Array($0) }
    }
    var digits = TextScanner(Array(text.bytes[(colon + 1)...]))
    let port = UInt16(truncatingIfNeeded: digits.number(radix: 16))
    bytes =
      (address.count == 4 ? Self.mapped : []) + address
      + [UInt8(port >> 8), UInt8(truncatingIfNeeded: port)]
  }

  /// Whether a connection to `other` is one to this name, which may stand for any address.
  func takes(_ other: Endpoint) -> Bool {
    guard bytes[16...] == other.bytes[16...] else { return false }
    if bytes.prefix(16) == other.bytes.prefix(16) { return true }
    return bytes.prefix(16).allSatisfy { $0 == 0 } || Array(bytes.prefix(16)) == Self.mapped + [0, 0, 0, 0]
  }

  /// `struct sockaddr_in` or `struct sockaddr_in6`.
  func address(family: Int32) -> [UInt8] {
    let head = withUnsafeBytes(of: UInt16(family)) { Array($0) } + bytes[16...]
    if family == AF_INET { return head + bytes[12 ..< 16] + [UInt8](repeating: 0, count: 8) }
    return head + [0, 0, 0, 0] + bytes[..<16] + [0, 0, 0, 0]
  }

  private static let mapped: [UInt8] = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff]
}

/// A TCP socket that listens, and how many connections wait to be accepted by it.
struct Listener {
  var object: SeenObject
  var waiting: Int
}

extension Collector {
  /// Both ends of each TCP connection, and what waits in them.
  mutating func finishConnections() throws(Failure) {
    var ends: [[UInt8]: Int] = [:]
    for object in connections {
      guard case .socket(let socket) = snapshot.openFiles[object.index].kind,
        let near = Endpoint(socket.address), let far = Endpoint(socket.peerAddress)
      else { continue }
      ends[near.bytes + far.bytes] = object.index
    }
    var outside: [SeenObject] = []
    for object in connections {
      guard case .socket(var socket) = snapshot.openFiles[object.index].kind,
        let near = Endpoint(socket.address), let far = Endpoint(socket.peerAddress)
      else { continue }
      socket.peer = ends[far.bytes + near.bytes]
      do throws(Errno) {
        if socket.peer != nil || hasClosed(far, near, socket, object.seen) {
          socket.isPeerGone = socket.peer == nil
          try collectStream(&socket, object)
        } else if let listener = try acceptor(of: socket, object.index, far, near, object.seen) {
          listeners[listener].waiting -= 1
        } else {
          outside.append(object)
          continue
        }
      } catch {
        throw Failure("read socket \(object.seen.number)", object.seen.process, error)
      }
      snapshot.openFiles[object.index].kind = .socket(socket)
    }
    for object in outside { try leaveJob(object) }
    for listener in listeners where listener.waiting > 0 {
      warnings.append(
        "\(listener.object.seen.name) is a socket on which processes that are not saved wait to be "
          + "accepted: after a restart they are gone")
    }
  }

  /// The listener of the job, by its place in `listeners`, that has not accepted this connection yet;
  /// nil if there is none, or if something was sent already, which nobody can look at.
  private mutating func acceptor(
    of socket: Socket, _ index: Int, _ far: Endpoint, _ near: Endpoint, _ seen: SeenDescriptor
  ) throws(Errno) -> Int? {
    guard socket.shutdown == 0, let row = SocketNames.row(from: far, to: near, seen), row.inode == 0,
      row.isEstablished, row.unread == 0
    else { return nil }
    let own = try ProcessHandle(seen.reach).descriptor(seen.number)
    guard try DescriptorNumber(own.number).bytesUnderWay() == 0 else { return nil }
    for (place, listener) in listeners.enumerated() where listener.waiting > 0 {
      guard case .socket(var server) = snapshot.openFiles[listener.object.index].kind,
        let name = Endpoint(server.address), name.takes(far)
      else { continue }
      server.waiting.append(index)
      snapshot.openFiles[listener.object.index].kind = .socket(server)
      return place
    }
    return nil
  }

  /// Whether the other end was on this machine and nobody has it any more.
  private func hasClosed(
    _ far: Endpoint, _ near: Endpoint, _ socket: Socket, _ seen: SeenDescriptor
  ) -> Bool {
    // Whoever has not said that nothing more comes is still there.
    guard socket.shutdown & 1 != 0, far.bytes.prefix(16) == near.bytes.prefix(16) else { return false }
    return (SocketNames.inode(from: far, to: near, seen) ?? 0) == 0
  }

  /// A connection whose other end is not in the job.
  private mutating func leaveJob(_ object: SeenObject) throws(Failure) {
    guard case .socket(var socket) = snapshot.openFiles[object.index].kind,
      let near = Endpoint(socket.address), let far = Endpoint(socket.peerAddress)
    else { return }
    var isKept = false
    if keepsConnections, !isExamining { isKept = try keepConnection(&socket, far, near, object) }
    if !isKept {
      do throws(Errno) { try refuseConnection(&socket, far, near, object) } catch {
        throw Failure("read socket \(object.seen.number)", object.seen.process, error)
      }
    }
    snapshot.openFiles[object.index].kind = .socket(socket)
  }

  private mutating func refuseConnection(
    _ socket: inout Socket, _ far: Endpoint, _ near: Endpoint, _ object: SeenObject
  ) throws(Errno) {
    let name: ByteString = "is a socket with a connection (\(SocketNames.describe(object.seen)))"
    if closesConnections {
      warnings.append("\(object.seen.name) \(name): reset in the restored program")
      socket.state = .idle
      socket.isReset = true
      socket.hasError = true
      let own = try ProcessHandle(object.seen.reach).descriptor(object.seen.number)
      try socket.collectUnread(DescriptorNumber(own.number))
      return
    }
    var whom: ByteString = "to another machine"
    if let inode = SocketNames.inode(from: far, to: near, object.seen) {
      whom =
        inode == 0
        ? "into which something was sent before anybody has accepted it, or whose other end was closed"
        : "to \(SocketNames.holder(of: inode)), which is not saved"
    }
    refuse(
      object.seen,
      name + " " + whom + " (--tcp-established would keep it, --tcp-close would "
        + "reset it)", dropping: object.index,
      isFinal: true)
  }

  /// What was received and not read. What the other end has sent must have arrived: where the buffers
  /// here are full, room is made for it.
  private mutating func collectStream(
    _ socket: inout Socket, _ object: SeenObject
  ) throws(Errno) {
    let own = try ProcessHandle(object.seen.reach).descriptor(object.seen.number)
    let number = DescriptorNumber(own.number)
    let name: ByteString = "is a socket with a connection (\(SocketNames.describe(object.seen)))"
    if let peer = socket.peer, let other = connections.first(where: { $0.index == peer }) {
      let far = try ProcessHandle(other.seen.reach).descriptor(other.seen.number)
      let sender = DescriptorNumber(far.number)
      let room = ReceiveRoom(number)
      defer { room.putBack() }
      let isComplete = try room.drain(sender)
      if isComplete, try socket.collectUnread(number) { return }
      refuse(
        object.seen,
        isComplete
          ? "is a socket with urgent data that was not read yet"
          : name + " into which more was sent than its buffers can take", dropping: object.index)
      return
    }
    if try number.bytesUnderWay() > 0 {
      refuse(
        object.seen, name + " that sends to an end which was closed", dropping: object.index)
      return
    }
    if try !socket.collectUnread(number) {
      refuse(object.seen, "is a socket with urgent data that was not read yet", dropping: object.index)
    }
  }
}

extension SocketNames {
  /// What /proc/net/tcp tells of one end.
  struct Row {
    /// 0 for one that nobody has open.
    var inode: UInt32
    var isEstablished: Bool
    var unread: UInt64
  }

  /// Inode of the socket with this connection; 0 for one that nobody has open, nil if there is none.
  static func inode(from near: Endpoint, to far: Endpoint, _ seen: SeenDescriptor) -> UInt32? {
    row(from: near, to: far, seen)?.inode
  }

  /// The other end of a TCP socket, also while there is no connection yet.
  static func target(of seen: SeenDescriptor) -> Endpoint? {
    guard let files = try? ProcessFiles(seen.reach) else { return nil }
    for table: StaticString in ["tcp", "tcp6"] {
      guard let text = try? files.read("net/\(table)", expecting: 1 << 14) else { continue }
      var scanner = TextScanner(text)
      scanner.skipLine()
      while !scanner.isAtEnd {
        for _ in 0 ..< 2 { _ = scanner.word() }
        let far = scanner.word()
        for _ in 0 ..< 6 { _ = scanner.word() }
        if scanner.number() == seen.status.inode { return Endpoint(far) }
        scanner.skipLine()
      }
    }
    return nil
  }

  /// A line is `sl local:port remote:port st tx:rx tr:when retransmits uid timeout inode`.
  static func row(from near: Endpoint, to far: Endpoint, _ seen: SeenDescriptor) -> Row? {
    guard let files = try? ProcessFiles(seen.reach) else { return nil }
    for table: StaticString in ["tcp", "tcp6"] {
      guard let text = try? files.read("net/\(table)", expecting: 1 << 14) else { continue }
      var scanner = TextScanner(text)
      scanner.skipLine()
      while !scanner.isAtEnd {
        _ = scanner.word()
        if Endpoint(scanner.word()) == near, Endpoint(scanner.word()) == far {
          let isEstablished = scanner.number(radix: 16) == 1
          _ = scanner.number(radix: 16)
          scanner.advance()
          let unread = scanner.number(radix: 16)
          for _ in 0 ..< 4 { _ = scanner.word() }
          return Row(
            inode: UInt32(truncatingIfNeeded: scanner.number()), isEstablished: isEstablished,
            unread: unread)
        }
        scanner.skipLine()
      }
    }
    return nil
  }
}
