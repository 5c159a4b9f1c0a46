// SPDX-License-Identifier: Apache-2.0
import CLinux
import Linux
import Request
import Snapshot

/// Sockets whose other end is the kernel: carried where it keeps nothing of them but what can be asked for.
extension Collector {
  /// Why a netlink socket cannot be carried; nil if it can.
  func netlinkForeignness(
    _ socket: Socket, _ number: DescriptorNumber, _ seen: SeenDescriptor
  ) throws(Errno) -> ByteString? {
    // linux/netlink.h: ROUTE, USERSOCK, SOCK_DIAG, XFRM, SELINUX, FIB_LOOKUP, KOBJECT_UEVENT, GENERIC, CRYPTO.
    guard [0, 2, 4, 6, 7, 10, 15, 16, 21].contains(socket.protocolNumber) else {
      return "to a part of the kernel that keeps a state for it (netlink protocol \(socket.protocolNumber))"
    }
    let groups =
      (try? number.option(SocketOptions.solNetlink, SocketOptions.netlinkMemberships, count: 64)) ?? []
    if socket.protocolNumber == 16, groups.contains(where: { $0 != 0 }) {
      return "to the kernel (generic netlink) in groups whose numbers may be others at the restart"
    }
    if isExamining { return nil }
    guard let row = NetlinkRow(of: seen) else { return nil }
    if row.isDumping { return "to the kernel (netlink), which is in the midst of an answer" }
    if row.unread != 0 { return "to the kernel (netlink) with an answer that was not read yet" }
    return nil
  }

  /// Where it listens, and to whom it speaks.
  func describeNetlink(_ socket: inout Socket, _ number: DescriptorNumber) {
    // struct sockaddr_nl: family, padding, port, groups, of which the options tell.
    if socket.address.count >= 12 {
      for place in 8 ..< 12 { socket.address[place] = 0 }
      if socket.address[4 ..< 8].allSatisfy({ $0 == 0 }) { socket.address = [] }
    }
    guard let peer = try? number.peerAddress(), peer.count >= 12, peer[4...].contains(where: { $0 != 0 })
    else { return }
    socket.peerAddress = peer
    socket.state = .connected
  }

  func packetForeignness(_ socket: Socket, _ number: DescriptorNumber) throws(Errno) -> ByteString? {
    // SOCK_RAW, SOCK_DGRAM; PACKET_FANOUT 18.
    guard socket.type == 3 || socket.type == 2 else { return "for packets of an old kind (SOCK_PACKET)" }
    if let fanout = try? number.intOption(SocketOptions.solPacket, 18), fanout != 0 {
      return "for packets that shares them with others (PACKET_FANOUT)"
    }
    return nil
  }

  /// Its interface by name, and its memberships. What was received and not read is gone: whoever listens to
  /// packets must do without some of them.
  mutating func describePacket(
    _ socket: inout Socket, _ number: DescriptorNumber, _ seen: SeenDescriptor
  ) throws(Errno) {
    if socket.address.count >= 8 {
      let index = socket.address.native(UInt32.self, at: 4)
      if index != 0 { socket.path = try number.interfaceName(index) }
    }
    do throws(Errno) {
      let info = try PacketSocketInfo(inode: seen.status.inode)
      for membership in info.memberships {
        socket.options.append(
          SocketOption(
            level: SocketOptions.solPacket, name: SocketOptions.packetMembership, value: membership))
      }
    } catch {
      warnings.append(
        "\(seen.name) is a packet socket, of which this kernel does not tell what it has joined "
          + "(packet_diag): after a restart it sees what is for this machine")
    }
    if try number.pollEvents() & POLLIN != 0 {
      warnings.append(
        "\(seen.name) is a packet socket with packets that were not read yet: after a restart they are gone")
    }
  }
}

/// What /proc/net/netlink tells of a socket.
private struct NetlinkRow {
  /// Bytes, as the kernel counts them.
  var unread: UInt64 = 0
  var isDumping = false

  /// A line is `sk protocol port groups rmem wmem dump locks drops inode`; nil if there is none.
  init?(of seen: SeenDescriptor) {
    guard let files = try? ProcessFiles(seen.reach), let text = try? files.read("net/netlink") else {
      return nil
    }
    var scanner = TextScanner(text)
    scanner.skipLine()
    while !scanner.isAtEnd {
      for _ in 0 ..< 4 { _ = scanner.word() }
      unread = scanner.word().decimalNumber.map { UInt64($0) } ?? 0
      _ = scanner.word()
      isDumping = scanner.word() != "0"
      for _ in 0 ..< 2 { _ = scanner.word() }
      if scanner.number() == seen.status.inode { return }
      scanner.skipLine()
    }
    return nil
  }
}
