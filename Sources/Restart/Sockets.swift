// SPDX-License-Identifier: Apache-2.0
import CLinux
import Linux
import Request
import Snapshot

/// Makes the sockets of a job again, each with what it had received and nobody had read.
///
/// First those that have a name, then those that listen, since connections are made through them;
/// then connections; then what was under way in them; then ends that were shut down; at last the
/// connections that wait to be accepted, so that no other one comes before them.
struct SocketMaker {
  let snapshot: Snapshot
  let files: OpenedFiles
  /// By index in `Snapshot.openFiles`.
  private(set) var sockets: [Int: Socket] = [:]
  private(set) var made: [Int: DescriptorNumber] = [:]
  /// The other ends of sockets whose peer was closed.
  var widows: [Int: Int32] = [:]
  /// Names that were there for a moment only.
  private var lostNames: [ByteString] = []
  var warnings: [ByteString] = []
  /// What is being made, for messages.
  var current = 0

  init(_ snapshot: Snapshot, _ files: OpenedFiles) {
    self.snapshot = snapshot
    self.files = files
    for (index, file) in snapshot.openFiles.enumerated() {
      if case .socket(let socket) = file.kind { sockets[index] = socket }
    }
  }

  var order: [Int] { sockets.keys.sorted() }

  mutating func makeAll(_ name: (Int) -> ByteString) throws(Errno) {
    defer {
      for path in lostNames { try? removeName(path) }
      for end in widows.values { DescriptorNumber(end).close() }
    }
    forgetLastConnections()
    for index in order where isConnection(index) && made[index] == nil && !waitsSomewhere(index) {
      try makeInternetConnection(index)
    }
    for index in order where !isMadeInPairs(index) && made[index] == nil { try makeAlone(index) }
    for index in order where isMadeInPairs(index) && made[index] == nil { try makeConnection(index) }
    for index in order { try connectDatagrams(index) }
    for index in order { try fill(index, name) }
    for index in order { try shutDown(index) }
    for index in order { try connectWaiting(index) }
    for index in order {
      guard let number = made[index] else { continue }
      finishOptions(index, number)
      try number.setStatusFlags(snapshot.openFiles[index].flags & ~UInt32(O_ASYNC))
    }
  }

  func isMadeInPairs(_ index: Int) -> Bool {
    guard let socket = sockets[index], socket.family == AF_UNIX, socket.state == .connected else {
      return false
    }
    if waitsSomewhere(index) { return false }
    if socket.isDatagram {
      // Two that are connected to each other and need no name for it.
      guard let peer = socket.peer.flatMap({ sockets[$0] }) else { return socket.address.isEmpty }
      return peer.peer == index && socket.address.isEmpty && peer.address.isEmpty
    }
    return true
  }

  private func waitsSomewhere(_ index: Int) -> Bool {
    sockets.values.contains { $0.waiting.contains(index) }
  }

  /// Stands for the description `index` from now on.
  mutating func keep(
    _ index: Int, _ file: consuming FileDescriptor
  ) throws(Errno) -> DescriptorNumber {
    let number = try files.inheritance.adopt(file)
    files.openFiles[index] = number
    made[index] = number
    // While we are at work nothing may wait for anything.
    try number.setStatusFlags(UInt32(O_NONBLOCK))
    if let socket = sockets[index] { setOptions(of: socket, number) }
    return number
  }

  // MARK: Alone

  private mutating func makeAlone(_ index: Int) throws(Errno) {
    current = index
    guard let socket = sockets[index] else { return }
    if socket.isReset { return try makeReset(index) }
    if socket.family != AF_UNIX, waitsSomewhere(index) { return }
    let file = try KernelObjects.socket(
      family: socket.family, type: socket.type, protocol: socket.protocolNumber)
    let number = try keep(index, file)
    if !socket.address.isEmpty { try bind(socket, number) }
    if socket.state == .listening { try number.listen(backlog: socket.backlog) }
    if socket.family != AF_UNIX, socket.state == .connected, socket.isDatagram {
      try number.connect(socket.peerAddress)
    }
  }

  private mutating func bind(_ socket: Socket, _ number: DescriptorNumber) throws(Errno) {
    if socket.family != AF_UNIX {
      // Connections of the past that nobody has any more would be in the way.
      if !socket.isDatagram { try number.setOption(SOL_SOCKET, SO_REUSEADDR, 1) }
      // A connected socket that had got its port by itself has one that is free for it only.
      let deadline = Clock.monotonic.reading + Self.patience(for: socket)
      while true {
        do throws(Errno) {
          try number.bind(socket.address)
          break
        } catch {
          guard error.rawValue == EADDRINUSE, Clock.monotonic.reading < deadline else { throw error }
          pauseBriefly()
        }
      }
      return
    }
    if socket.path.isEmpty { return try number.bind(socket.address) }
    if !socket.isNameGone { try removeStaleName(socket) }
    let name = ByteString(socket.address[2...].prefix { $0 != 0 })
    if name.hasPrefix("/") {
      try number.bind(socket.address)
    } else {
      let folder = socket.path.dropLast(name.count)
      try inDirectory(folder) { () throws(Errno) in try number.bind(socket.address) }
    }
    if socket.isNameGone {
      lostNames.append(socket.path)
    } else {
      try setOwnership(of: socket.path, mode: socket.mode, user: socket.user, group: socket.group)
    }
  }

  /// Nanoseconds to wait for an address: what is left of connections that have ended is in the way for
  /// a minute (TIME_WAIT) where the program had not set SO_REUSEADDR.
  static func patience(for socket: Socket) -> UInt64 {
    guard !socket.isDatagram, socket.address.count >= 4,
      let files = try? ProcessFiles(.own)
    else { return 0 }
    let port = UInt64(socket.address[2]) << 8 | UInt64(socket.address[3])
    for table: StaticString in ["tcp", "tcp6"] {
      guard let text = try? files.read("net/\(table)", expecting: 1 << 14) else { continue }
      var scanner = TextScanner(text)
      scanner.skipLine()
      while !scanner.isAtEnd {
        _ = scanner.word()
        let name = scanner.word()
        var local = TextScanner(Array(name.bytes.suffix(4)))
        _ = scanner.word()
        // TCP_TIME_WAIT 6.
        if local.number(radix: 16) == port, scanner.number(radix: 16) == 6 { return 65_000_000_000 }
        scanner.skipLine()
      }
    }
    return 0
  }

  /// The file that a killed program's socket leaves behind is in the way of a new one, but belongs
  /// to nobody: nothing accepts a connection to it.
  private func removeStaleName(_ socket: Socket) throws(Errno) {
    guard let status = try? FileStatus.of(socket.path, followingLinks: false), status.isSocket else {
      return
    }
    let probe = try KernelObjects.socket(family: AF_UNIX, type: socket.type, protocol: 0)
    let number = DescriptorNumber(probe.number)
    try number.setStatusFlags(UInt32(O_NONBLOCK))
    do throws(Errno) {
      if let address = UnixAddress.bytes(socket.path) {
        try number.connect(address)
      }
    } catch {
      if error.rawValue == ECONNREFUSED { try removeName(socket.path) }
    }
  }

  // MARK: Connections

  private mutating func makeConnection(_ index: Int) throws(Errno) {
    current = index
    guard let socket = sockets[index] else { return }
    let peer = socket.peer.flatMap { sockets[$0] == nil ? nil : $0 }
    let far = peer.flatMap { sockets[$0] }
    // The end with a name was accepted by a listener of that name.
    let (near, accepted): (Int32, Int32)
    if !socket.isDatagram, let far, !far.address.isEmpty {
      (near, accepted) = try connectByName(from: socket, to: far)
    } else if !socket.isDatagram, !socket.address.isEmpty {
      let unnamed = Socket(family: AF_UNIX, type: socket.type, protocolNumber: 0, inode: 0)
      (accepted, near) = try connectByName(from: far ?? unnamed, to: socket)
    } else {
      (near, accepted) = try KernelObjects.socketPair(type: socket.type)
    }
    _ = try keep(index, FileDescriptor(owning: near))
    if let peer {
      _ = try keep(peer, FileDescriptor(owning: accepted))
    } else {
      widows[index] = accepted
    }
  }

  /// Two numbers that the caller owns.
  private mutating func connectByName(
    from client: Socket, to server: Socket
  ) throws(Errno) -> (near: Int32, accepted: Int32) {
    let near = try KernelObjects.socket(family: AF_UNIX, type: client.type, protocol: 0)
    let number = DescriptorNumber(near.number)
    try number.setStatusFlags(UInt32(O_NONBLOCK))
    if !client.address.isEmpty { try bind(client, number) }
    if let listener = order.first(where: { isListener($0, named: server) }), let own = made[listener] {
      try connect(number, to: server)
      let accepted = try own.accept()
      return (near.disown(), accepted.disown())
    }
    // It has gone since, and left its name to what it had accepted.
    let listener = try KernelObjects.socket(family: AF_UNIX, type: server.type, protocol: 0)
    let own = DescriptorNumber(listener.number)
    var named = server
    // A name that is somebody else's by now is not touched.
    if !server.path.isEmpty, (try? FileStatus.of(server.path, followingLinks: false)) == nil {
      named.isNameGone = true
    }
    try bind(named, own)
    try own.listen(backlog: 1)
    try connect(number, to: server)
    let accepted = try own.accept()
    // For the next one of that name.
    if named.isNameGone, !named.path.isEmpty {
      try removeName(named.path)
      lostNames.removeLast()
    }
    return (near.disown(), accepted.disown())
  }

  private func isListener(_ index: Int, named server: Socket) -> Bool {
    guard let socket = sockets[index] else { return false }
    return socket.state == .listening && socket.family == AF_UNIX && socket.type == server.type
      && socket.address == server.address && socket.path == server.path
  }

  private func connect(_ number: DescriptorNumber, to server: Socket) throws(Errno) {
    let name = ByteString(server.address[2...].prefix { $0 != 0 })
    if server.path.isEmpty || name.hasPrefix("/") { return try number.connect(server.address) }
    try inDirectory(server.path.dropLast(name.count)) { () throws(Errno) in
      try number.connect(server.address)
    }
  }

  private func connectDatagrams(_ index: Int) throws(Errno) {
    guard let socket = sockets[index], socket.isDatagram, socket.family == AF_UNIX,
      !isMadeInPairs(index), let peer = socket.peer.flatMap({ sockets[$0] }), let number = made[index]
    else { return }
    try connect(number, to: peer)
  }

  private mutating func connectWaiting(_ index: Int) throws(Errno) {
    current = index
    guard let listener = sockets[index] else { return }
    for client in listener.waiting {
      if let number = made[client] {
        try connect(number, to: listener)
      } else if let socket = sockets[client], socket.family != AF_UNIX {
        _ = try keep(client, connectAgain(socket, to: listener))
      }
    }
  }

  // MARK: What was under way

  private mutating func fill(_ index: Int, _ name: (Int) -> ByteString) throws(Errno) {
    current = index
    guard let socket = sockets[index], !socket.messages.isEmpty, !socket.isReset, let receiver = made[index]
    else {
      return
    }
    for message in socket.messages {
      if let peer = socket.peer, isMadeInPairs(index) || isConnection(index), let sender = made[peer] {
        try send(message.bytes, from: sender, to: receiver, socket)
      } else if let widow = widows[index] {
        try send(message.bytes, from: DescriptorNumber(widow), to: receiver, socket)
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
        _ = try from.send(message.bytes[...], to: target)
      } else {
        try inDirectory(socket.path.dropLast(relative.count)) { () throws(Errno) in
          _ = try from.send(message.bytes[...], to: target)
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
  private func send(
    _ bytes: [UInt8], from sender: DescriptorNumber, to receiver: DescriptorNumber, _ socket: Socket
  ) throws(Errno) {
    let room = try sender.intOption(SOL_SOCKET, SO_SNDBUF)
    let wanted = Int32(clamping: 2 * bytes.count + (1 << 16))
    if room < wanted { try sender.setBufferSize(SO_SNDBUF, wanted) }
    if socket.family != AF_UNIX { ReceiveRoom(receiver).enlarge(for: bytes.count) }
    let deadline = Clock.monotonic.reading + 10_000_000_000
    var rest = bytes[...]
    repeat {
      do throws(Errno) { rest = rest.dropFirst(try sender.send(rest)) } catch {
        // The way through the kernel takes its time.
        guard error == .tryAgain, socket.family != AF_UNIX, Clock.monotonic.reading < deadline else {
          throw error
        }
        pauseBriefly()
      }
    } while socket.isStream && !rest.isEmpty
    if room < wanted { try sender.setBufferSize(SO_SNDBUF, room) }
  }

  // MARK: Ends

  private mutating func shutDown(_ index: Int) throws(Errno) {
    current = index
    guard let socket = sockets[index], let number = made[index] else { return }
    if let widow = widows[index] {
      // Something that it has never read makes its end an error for us.
      if socket.hasError, socket.family == AF_UNIX, !socket.isDatagram { _ = try number.send([0]) }
      DescriptorNumber(widow).close()
      widows[index] = nil
      return
    }
    guard socket.family == AF_UNIX || isConnection(index), socket.state != .listening else { return }
    if socket.shutdown & 2 != 0 { try number.shutDown(Int32(SHUT_WR)) }
    let ignores = UInt32(socket.family == AF_UNIX ? 1 : 4)
    if socket.isDatagram || ignores == 4, socket.shutdown & ignores != 0 {
      try number.shutDown(Int32(SHUT_RD))
    }
  }
}

/// `struct sockaddr_un`.
enum UnixAddress {
  /// Of a path; nil for one that is too long.
  static func bytes(_ path: ByteString) -> [UInt8]? {
    guard path.count < 108 else { return nil }
    return withUnsafeBytes(of: UInt16(AF_UNIX)) { Array($0) } + path.bytes + [0]
  }
}

extension FileOpener {
  mutating func openSockets() throws(Failure) {
    var maker = SocketMaker(snapshot, files)
    do throws(Errno) { try maker.makeAll { name($0) } } catch {
      let what = name(maker.current)
      if error.rawValue == EADDRINUSE {
        throw Failure(
          error,
          "cannot make the socket again, \(what): its address is in use by somebody else, or still by "
            + "a connection that has ended (TIME_WAIT: for a minute)")
      }
      throw Failure(error, "cannot make the socket again, \(what): \(error)")
    }
    warnings += maker.warnings
  }
}
