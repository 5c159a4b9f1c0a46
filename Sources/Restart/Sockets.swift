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
  private let lostNames = LostNames()
  var warnings: [ByteString] = []
  /// What is being made, for messages.
  var current = 0

  /// For messages, by index.
  private var names: [Int: ByteString] = [:]

  init(_ snapshot: Snapshot, _ files: OpenedFiles, _ name: (Int) -> ByteString) {
    self.snapshot = snapshot
    self.files = files
    for (index, file) in snapshot.openFiles.enumerated() {
      guard case .socket(let socket) = file.kind else { continue }
      sockets[index] = socket
      names[index] = name(index)
    }
  }

  var order: [Int] { sockets.keys.sorted() }

  /// Everything but what waits in UNIX sockets: that may be a descriptor of something which is not
  /// there yet, or tell its sender, who is not there yet either.
  mutating func makeAll() throws(Errno) {
    forgetLastConnections()
    for index in order where isConnection(index) && made[index] == nil && !waitsSomewhere(index) {
      if let socket = sockets[index], let state = socket.connection {
        try makeEstablished(index, socket, state)
      } else {
        try makeInternetConnection(index)
      }
    }
    for index in order where !isMadeInPairs(index) && made[index] == nil { try makeAlone(index) }
    for index in order where isMadeInPairs(index) && made[index] == nil { try makeConnection(index) }
    for index in order { try connectDatagrams(index) }
    try finish { $0.family != AF_UNIX }
    for index in order { try beginConnecting(index) }
  }

  /// Asks again for a connection that was not answered; by now those that had asked before are in line.
  private mutating func beginConnecting(_ index: Int) throws(Errno) {
    current = index
    guard let socket = sockets[index], !socket.target.isEmpty, let number = made[index] else { return }
    let flags = try number.statusFlags()
    try number.setStatusFlags(flags | UInt32(O_NONBLOCK))
    do throws(Errno) { try number.connect(socket.target) } catch {
      guard error.rawValue == EINPROGRESS else { throw error }
    }
    try number.setStatusFlags(flags)
  }

  /// The rest, when the processes are there. `present`: what a pid of the snapshot is now.
  mutating func finishLocal(_ present: (ProcessID) -> ProcessID) throws(Errno) {
    defer { for end in widows.values { DescriptorNumber(end).close() } }
    for index in order {
      guard var socket = sockets[index], socket.family == AF_UNIX else { continue }
      for place in socket.messages.indices {
        guard let sender = socket.messages[place].credentials?.process else { continue }
        socket.messages[place].credentials?.process = present(sender)
      }
      sockets[index] = socket
    }
    try finish { $0.family == AF_UNIX }
    lostNames.forget()
  }

  private mutating func finish(_ isMeant: (Socket) -> Bool) throws(Errno) {
    let some = order.filter { index in sockets[index].map { isMeant($0) } ?? false }
    for index in some { try fill(index) }
    for index in some { try shutDown(index) }
    for index in some { try connectWaiting(index) }
    for index in some {
      guard let number = made[index] else { continue }
      finishOptions(index, number)
      try number.setStatusFlags(snapshot.openFiles[index].flags & ~UInt32(O_ASYNC))
    }
  }

  func name(_ index: Int) -> ByteString { names[index] ?? "" }

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
    if socket.family == AF_NETLINK || socket.family == AF_PACKET { return try attach(socket, number) }
    if !socket.target.isEmpty {
      // A port that the kernel has given is as good as another.
      try? number.bind(socket.address)
      return
    }
    if !socket.address.isEmpty { try bind(socket, number) }
    if socket.state == .listening { try number.listen(backlog: socket.backlog) }
    if socket.family != AF_UNIX, socket.state == .connected, socket.isDatagram {
      try number.connect(socket.peerAddress)
    }
  }

  /// To the kernel, or to an interface by its name: its number may be another one now.
  private func attach(_ socket: Socket, _ number: DescriptorNumber) throws(Errno) {
    var address = socket.address
    if !socket.path.isEmpty, address.count >= 8 {
      let index = try number.interfaceIndex(socket.path)
      withUnsafeBytes(of: index) { for (place, byte) in $0.enumerated() { address[4 + place] = byte } }
    }
    // getsockname(2) of a packet socket leaves out what bind(2) insists on: all of a sockaddr_ll.
    if socket.family == AF_PACKET, address.count < 20 {
      address += [UInt8](repeating: 0, count: 20 - address.count)
    }
    if !address.isEmpty { try number.bind(address) }
    if socket.state == .connected { try number.connect(socket.peerAddress) }
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
      lostNames.all.append(socket.path)
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
      lostNames.all.removeLast()
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

  // MARK: Ends

  private mutating func shutDown(_ index: Int) throws(Errno) {
    current = index
    guard let socket = sockets[index], socket.connection == nil, let number = made[index] else { return }
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

/// Names of sockets that are there for a moment only.
final class LostNames {
  var all: [ByteString] = []

  deinit { forget() }

  func forget() {
    for path in all { try? removeName(path) }
    all = []
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
    var maker = SocketMaker(snapshot, files) { name($0) }
    do throws(Errno) { try maker.makeAll() } catch { throw maker.failure(error) }
    socketMaker = maker
  }
}

extension SocketMaker {
  fileprivate func failure(_ error: Errno) -> Failure {
    let what = name(current)
    if error.rawValue == EADDRINUSE {
      return Failure(
        error,
        "cannot make the socket again, \(what): its address is in use by somebody else, or still by "
          + "a connection that has ended (TIME_WAIT: for a minute)")
    }
    if let socket = sockets[current], socket.connection != nil {
      return Failure(
        error,
        "cannot take over the TCP connection to the outside, \(what): \(error)"
          + (error == .notPermitted ? "; that takes CAP_NET_ADMIN" : "")
          + (error.rawValue == EADDRNOTAVAIL ? "; its address must be one of this machine" : ""))
    }
    return Failure(error, "cannot make the socket again, \(what): \(error)")
  }
}

extension Rebuilder {
  /// What was under way in UNIX sockets.
  mutating func fillSockets(_ report: inout Report) throws(Failure) {
    guard var maker = socketMaker else { return }
    socketMaker = nil
    do throws(Errno) { try maker.finishLocal { present($0) } } catch { throw maker.failure(error) }
    for warning in maker.warnings { report.warn(warning) }
  }
}
