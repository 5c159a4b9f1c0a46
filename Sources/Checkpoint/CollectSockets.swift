// SPDX-License-Identifier: Apache-2.0
import CLinux
import Linux
import Request
import Snapshot

extension Collector {
  /// A socket by what it says of itself; who is at its other end is known when all were met.
  mutating func socket(
    _ seen: SeenDescriptor, _ handle: borrowing ProcessHandle, _ index: Int
  ) throws(Failure) -> OpenFile.Kind? {
    do throws(Errno) {
      let own = try handle.descriptor(seen.number)
      let number = DescriptorNumber(own.number)
      var socket = Socket(
        family: try number.intOption(SOL_SOCKET, SO_DOMAIN),
        type: try number.intOption(SOL_SOCKET, SO_TYPE),
        protocolNumber: try number.intOption(SOL_SOCKET, SO_PROTOCOL), inode: seen.status.inode)
      if let reason = try foreignness(of: socket, number, seen) {
        refuse(seen, "is a socket (\(SocketNames.describe(seen))) " + reason)
        return nil
      }
      let address = try number.socketAddress()
      if address.count > 2 { socket.address = address }
      collectOptions(&socket, number, seen.process)
      switch socket.family {
      case AF_UNIX: sockets.append(SeenObject(seen: seen, index: index))
      case AF_NETLINK: describeNetlink(&socket, number)
      case AF_PACKET: try describePacket(&socket, number, seen)
      default: try describeInternet(&socket, number, seen, index)
      }
      return .socket(socket)
    } catch {
      throw Failure("look at socket \(seen.number)", seen.process, error)
    }
  }

  /// Why it cannot be carried, in words that follow "is a socket"; nil if it can.
  private func foreignness(
    of socket: Socket, _ number: DescriptorNumber, _ seen: SeenDescriptor
  ) throws(Errno) -> ByteString? {
    do throws(Errno) { _ = try number.packetFilter() } catch {
      if error == .accessDenied { return "with a packet filter that is an eBPF program" }
    }
    switch (socket.family, socket.type, socket.protocolNumber) {
    case (AF_UNIX, 1, _), (AF_UNIX, 2, _), (AF_UNIX, 5, _): break
    case (AF_INET, 2, 17), (AF_INET6, 2, 17): break
    case (AF_INET, 1, 6), (AF_INET6, 1, 6):
      // struct tcp_info begins with the state: SYN_RECV 3.
      let state = try number.option(6, 11, count: 8).first ?? 0
      if state == 3 { return "with a connection that is being made" }
      // TCP_ULP: TLS in the kernel, SMC and the like.
      if let layer = try? number.option(6, 31), layer.contains(where: { $0 != 0 }) {
        return "with a protocol of the kernel above TCP (\(ByteString(layer.prefix { $0 != 0 })))"
      }
    case (AF_NETLINK, _, _):
      if let reason = try netlinkForeignness(socket, number, seen) { return reason }
    case (AF_PACKET, _, _):
      if let reason = try packetForeignness(socket, number) { return reason }
    default:
      return "of family \(socket.family), type \(socket.type), protocol \(socket.protocolNumber)"
    }
    if let cookie = try? number.option(SOL_SOCKET, 71), cookie != ownNetworkCookie() {
      return "of another network namespace"
    }
    return nil
  }

  /// SO_NETNS_COOKIE (71, Linux 5.14) of a socket of ours.
  private func ownNetworkCookie() -> [UInt8] {
    guard let own = try? KernelObjects.socket(family: AF_UNIX, type: 1, protocol: 0) else { return [] }
    return (try? DescriptorNumber(own.number).option(SOL_SOCKET, 71)) ?? []
  }

  private mutating func describeInternet(
    _ socket: inout Socket, _ number: DescriptorNumber, _ seen: SeenDescriptor, _ index: Int
  ) throws(Errno) {
    if let peer = try? number.peerAddress() {
      socket.peerAddress = peer
      socket.state = .connected
      socket.options.removeAll { SocketOptions.isAgreedOn($0.level, $0.name) }
    }
    if socket.isDatagram { return try collectDatagrams(&socket, number, seen) }
    let information = try number.option(6, 11, count: 104)
    let state = information.first ?? 0
    switch state {
    // FIN_WAIT: nothing more is sent; CLOSE_WAIT: nothing more comes; LAST_ACK and CLOSING: both.
    case 4, 5: socket.shutdown = 2
    case 8: socket.shutdown = 1
    case 9, 11: socket.shutdown = 3
    default: socket.shutdown = 0
    }
    // POLLRDHUP where nobody has said that nothing more comes: the program itself wants no more.
    if state == 1 || state == 4, try number.pollEvents() & 0x2000 != 0 { socket.shutdown |= 4 }
    if socket.state == .connected { connections.append(SeenObject(seen: seen, index: index)) }
    if state == 7 {
      // A new one has nothing to read, not even an end: then it was connected once.
      let events = try number.pollEvents()
      socket.isReset = events & (POLLIN | POLLERR) != 0
      socket.hasError = events & POLLERR != 0
      if socket.isReset { try socket.collectUnread(number) }
    }
    // SYN_SENT.
    if state == 2, let far = SocketNames.target(of: seen) {
      socket.target = far.address(family: socket.family)
    }
    guard state == 10 else { return }
    socket.state = .listening
    // tcpi_unacked and tcpi_sacked: connections that wait, and the backlog.
    socket.backlog = information.native(UInt32.self, at: 28)
    listeners.append(
      Listener(
        object: SeenObject(seen: seen, index: index),
        waiting: Int(information.native(UInt32.self, at: 24))))
  }

  private mutating func collectDatagrams(
    _ socket: inout Socket, _ number: DescriptorNumber, _ seen: SeenDescriptor
  ) throws(Errno) {
    // UDP_CORK.
    if let cork = try? number.intOption(17, 1), cork != 0, try number.bytesUnderWay() > 0 {
      warnings.append(
        "\(seen.name) is a UDP socket that holds back the parts of a datagram (UDP_CORK): after a "
          + "restart they are gone")
    }
    if isExamining { return }
    for message in try number.peekEach() {
      socket.messages.append(SocketMessage(bytes: message.bytes, sender: message.sender))
    }
  }
}

// MARK: UNIX sockets

extension Collector {
  private func socketInfo(_ seen: SeenDescriptor) throws(Failure) -> UnixSocketInfo {
    do throws(Errno) { return try UnixSocketInfo(inode: seen.status.inode) } catch {
      if error == .noEntry {
        throw Failure(
          .notSupported,
          "process \(seen.process): this kernel does not tell about its UNIX sockets (sock_diag): the "
            + "module unix_diag is not loaded (modprobe unix_diag), or they are of another network "
            + "namespace")
      }
      throw Failure("read the sockets (sock_diag)", seen.process, error)
    }
  }

  mutating func finishSockets() throws(Failure) {
    var indexes: [UInt32: Int] = [:]
    for object in sockets {
      indexes[UInt32(truncatingIfNeeded: object.seen.status.inode)] = object.index
    }
    var infos: [UnixSocketInfo] = []
    var waiting: Set<Int> = []
    for object in sockets {
      let info = try socketInfo(object.seen)
      infos.append(info)
      for client in info.waiting { if let index = indexes[client] { waiting.insert(index) } }
    }
    for (place, object) in sockets.enumerated() {
      guard case .socket(var socket) = snapshot.openFiles[object.index].kind else { continue }
      let info = infos[place]
      socket.shutdown = UInt32(info.shutdown)
      locate(&socket, info, object.seen)
      if info.isListening {
        socket.state = .listening
        socket.backlog = info.backlog
        socket.waiting = info.waiting.compactMap { indexes[$0] }
        if socket.waiting.count < info.waiting.count {
          warnings.append(
            "\(object.seen.name) is a socket on which processes that are not saved wait to be "
              + "accepted: after a restart they are gone")
        }
      }
      do throws(Errno) {
        let own = try ProcessHandle(object.seen.reach).descriptor(object.seen.number)
        let number = DescriptorNumber(own.number)
        if let peer = info.peer {
          try connect(
            &socket, to: peer, indexes[peer], waits: waiting.contains(object.index), number, object)
        }
      } catch {
        throw Failure("read socket \(object.seen.number)", object.seen.process, error)
      }
      snapshot.openFiles[object.index].kind = .socket(socket)
    }
  }

  /// Who is at the other end.
  private mutating func connect(
    _ socket: inout Socket, to peer: UInt32, _ index: Int?, waits: Bool, _ number: DescriptorNumber,
    _ object: SeenObject
  ) throws(Errno) {
    socket.state = .connected
    if let index {
      socket.peer = index
      return
    }
    let name: ByteString = "is a socket (\(SocketNames.describe(object.seen))) "
    if peer != 0 {
      refuse(
        object.seen, name + "connected to \(SocketNames.holder(of: peer)), which is not saved",
        dropping: object.index)
    } else if waits {
      if try number.bytesUnderWay() > 0 {
        refuse(
          object.seen, name + "that has sent something before it was accepted",
          dropping: object.index)
      }
    } else if socket.shutdown == 3 || socket.isDatagram {
      socket.isPeerGone = true
      socket.hasError = try number.hasError()
    } else {
      refuse(
        object.seen, name + "that waits to be accepted by a process which is not saved",
        dropping: object.index)
    }
  }

  /// Where the file is that it is bound to, and whether it is that file still.
  private mutating func locate(
    _ socket: inout Socket, _ info: UnixSocketInfo, _ seen: SeenDescriptor
  ) {
    // struct sockaddr_un: a family and a name; the abstract ones begin with a NUL.
    guard socket.address.count > 2, socket.address[2] != 0, let inode = info.fileInode else { return }
    var name = ByteString(socket.address[2...].prefix { $0 != 0 })
    if !name.hasPrefix("/"), let process = snapshot.processes.first(where: { $0.id == seen.process }) {
      name = process.workingDirectory + "/" + name
    }
    socket.path = name
    socket.isNameGone = true
    guard let status = try? FileStatus.of(name, followingLinks: false),
      UInt32(truncatingIfNeeded: status.inode) == inode, status.isSocket
    else { return }
    socket.isNameGone = false
    socket.mode = status.mode & 0o7777
    socket.user = status.user
    socket.group = status.group
  }
}

extension Socket {
  /// What a stream has received and not read; false if a part of it cannot be seen.
  @discardableResult
  mutating func collectUnread(_ number: DescriptorNumber) throws(Errno) -> Bool {
    if try number.hasUrgentMark() { return false }
    let count = Int(try number.bytesWaiting())
    guard count > 0 else { return true }
    guard let message = try number.peekAll(count) else { return false }
    messages = [SocketMessage(bytes: message.bytes, sender: [])]
    return message.bytes.count == count
  }
}

extension DescriptorNumber {
  /// All of a stream in one look, which leaves no trace; but a look begins at SO_PEEK_OFF if the
  /// program has set that.
  func peekAll(_ count: Int) throws(Errno) -> WaitingMessage? {
    // TCP has it from Linux 6.9 on.
    let offset = (try? intOption(SOL_SOCKET, SO_PEEK_OFF)) ?? -1
    if offset < 0 { return try peek(count, packets: false) }
    try setOption(SOL_SOCKET, SO_PEEK_OFF, -1)
    defer { try? setOption(SOL_SOCKET, SO_PEEK_OFF, offset) }
    return try peek(count, packets: false)
  }
}
