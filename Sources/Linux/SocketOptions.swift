// SPDX-License-Identifier: Apache-2.0
import CLinux

/// The options of sockets that a program can set and read back, and that have no other effect than
/// their own.
public enum SocketOptions {
  /// Level and name of those that a socket of this kind may have.
  public static func all(family: Int32, protocol number: Int32) -> [(level: Int32, name: Int32)] {
    var all = general.map { (level: Int32(SOL_SOCKET), name: $0) }
    if family == AF_INET || family == AF_INET6 {
      all += internet.map { (level: Int32(IPPROTO_IP), name: $0) }
    }
    if family == AF_INET6 { all += internet6.map { (level: Int32(IPPROTO_IPV6), name: $0) } }
    if family == AF_NETLINK { return all + netlink.map { (level: solNetlink, name: $0) } }
    if family == AF_PACKET { return all + packet.map { (level: solPacket, name: $0) } }
    if number == 6 { all += tcp.map { (level: 6, name: $0) } }
    if number == 17 { all += udp.map { (level: 17, name: $0) } }
    return all
  }

  /// Sizes of buffers are doubled by the kernel when they are set.
  public static func isBufferSize(_ level: Int32, _ name: Int32) -> Bool {
    level == SOL_SOCKET && (name == SO_SNDBUF || name == SO_RCVBUF)
  }

  /// Set when what waits in the socket is there: before, they would hold it back.
  ///
  /// TCP_CORK, UDP_CORK, SO_MAX_PACING_RATE; and memberships of sockets of the kernel.
  public static func isForTheEnd(_ level: Int32, _ name: Int32) -> Bool {
    level == solNetlink && name == netlinkMemberships || level == solPacket && name == packetMembership
      || level == 6 && name == 3 || level == 17 && name == 1 || level == SOL_SOCKET && name == 47
  }

  /// TCP_MAXSEG and TCP_WINDOW_CLAMP: of a connection they tell what was agreed on.
  public static func isAgreedOn(_ level: Int32, _ name: Int32) -> Bool {
    level == 6 && (name == 2 || name == 10)
  }

  /// asm-generic/socket.h. MAX_PACING_RATE 47, TXTIME 61, PREFER_BUSY_POLL 69, BUSY_POLL_BUDGET 70,
  /// BUF_LOCK 72 (Linux 5.15: whether their sizes were set by the program), TXREHASH 74, RCVMARK 75,
  /// PASSPIDFD 76, RCVPRIORITY 82.
  private static let general: [Int32] = [
    SO_SNDBUF, SO_RCVBUF, 72, SO_REUSEADDR, SO_REUSEPORT, SO_BROADCAST, SO_KEEPALIVE, SO_OOBINLINE,
    SO_LINGER, SO_DONTROUTE, SO_PASSCRED, SO_PASSSEC, SO_RCVLOWAT, Int32(CR_SO_RCVTIMEO),
    Int32(CR_SO_SNDTIMEO),
    SO_PRIORITY, SO_MARK, Int32(CR_SO_TIMESTAMP), Int32(CR_SO_TIMESTAMPNS),
    Int32(CR_SO_TIMESTAMPING), SO_RXQ_OVFL, SO_PEEK_OFF, SO_SELECT_ERR_QUEUE, SO_BUSY_POLL,
    SO_ZEROCOPY, SO_NO_CHECK, SO_BINDTODEVICE, SO_DEBUG, SO_WIFI_STATUS, SO_NOFCS, 47, 61, 69, 70, 74,
    75, 76, 82,
  ]

  /// linux/in.h. PASSSEC 18, ORIGDSTADDR 20, NODEFRAG 22, CHECKSUM 23, RECVFRAGSIZE 25,
  /// RECVERR_RFC4884 26, LOCAL_PORT_RANGE 51.
  private static let internet: [Int32] = [
    IP_TOS, IP_TTL, IP_OPTIONS, IP_PKTINFO, IP_RECVOPTS, IP_RETOPTS, IP_MTU_DISCOVER, IP_RECVERR,
    IP_RECVTTL, IP_RECVTOS, IP_FREEBIND, IP_TRANSPARENT, IP_MINTTL, IP_BIND_ADDRESS_NO_PORT,
    IP_MULTICAST_TTL, IP_MULTICAST_LOOP, IP_MULTICAST_ALL, IP_MULTICAST_IF, IP_UNICAST_IF, 18, 20,
    22, 23, 25, 26, 51,
  ]

  /// linux/in6.h: V6ONLY 26, UNICAST_HOPS 16, MULTICAST_IF 17, MULTICAST_HOPS 18, MULTICAST_LOOP 19,
  /// MTU_DISCOVER 23, RECVERR 25, MULTICAST_ALL 29, RECVERR_RFC4884 31, FLOWINFO_SEND 33,
  /// RECVPKTINFO 49, RECVHOPLIMIT 51, RECVHOPOPTS 53, RECVRTHDR 56, RECVDSTOPTS 58, RECVPATHMTU 60,
  /// DONTFRAG 62, RECVTCLASS 66, TCLASS 67, AUTOFLOWLABEL 70, ADDR_PREFERENCES 72, MINHOPCOUNT 73,
  /// ORIGDSTADDR 74, TRANSPARENT 75, UNICAST_IF 76, RECVFRAGSIZE 77, FREEBIND 78.
  private static let internet6: [Int32] = [
    26, 16, 17, 18, 19, 23, 25, 29, 31, 33, 49, 51, 53, 56, 58, 60, 62, 66, 67, 70, 72, 73, 74, 75, 76,
    77, 78,
  ]

  /// linux/tcp.h: NODELAY 1, MAXSEG 2, CORK 3, KEEPIDLE 4, KEEPINTVL 5, KEEPCNT 6, SYNCNT 7,
  /// LINGER2 8, DEFER_ACCEPT 9, WINDOW_CLAMP 10, CONGESTION 13, THIN_LINEAR_TIMEOUTS 16,
  /// USER_TIMEOUT 18, FASTOPEN 23, NOTSENT_LOWAT 25, SAVE_SYN 27, FASTOPEN_CONNECT 30,
  /// FASTOPEN_NO_COOKIE 34, INQ 36, TX_DELAY 37, RTO_MAX_MS 44, RTO_MIN_US 45, DELACK_MAX_US 46.
  private static let tcp: [Int32] = [
    1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 13, 16, 18, 23, 25, 27, 30, 34, 36, 37, 44, 45, 46,
  ]

  /// linux/socket.h, SOL_NETLINK and SOL_PACKET.
  public static let solNetlink: Int32 = 270
  public static let solPacket: Int32 = 263
  /// NETLINK_LIST_MEMBERSHIPS: a bit for each group, which NETLINK_ADD_MEMBERSHIP joins.
  public static let netlinkMemberships: Int32 = 9
  /// PACKET_ADD_MEMBERSHIP.
  public static let packetMembership: Int32 = 1

  /// linux/netlink.h: PKTINFO 3, BROADCAST_ERROR 4, NO_ENOBUFS 5, LISTEN_ALL_NSID 8, LIST_MEMBERSHIPS 9,
  /// CAP_ACK 10, EXT_ACK 11, GET_STRICT_CHK 12.
  private static let netlink: [Int32] = [3, 4, 5, 8, 9, 10, 11, 12]

  /// linux/if_packet.h: COPY_THRESH 7, AUXDATA 8, ORIGDEV 9, VERSION 10, RESERVE 12, LOSS 14, VNET_HDR 15,
  /// TIMESTAMP 17, TX_HAS_OFF 19, QDISC_BYPASS 20, IGNORE_OUTGOING 23.
  private static let packet: [Int32] = [7, 8, 9, 10, 12, 14, 15, 17, 19, 20, 23]

  /// linux/udp.h: CORK 1, ENCAP 100, NO_CHECK6_TX 101, NO_CHECK6_RX 102, SEGMENT 103, GRO 104.
  private static let udp: [Int32] = [1, 100, 101, 102, 103, 104]
}

/// chmod(2) and chown(2) of a name that leads to a socket.
public func setOwnership(
  of path: ByteString, mode: UInt32, user: UInt32, group: UInt32
) throws(Errno) {
  let chmod = path.withCString {
    cr_syscall(Int(SYS_fchmodat), Int(AT_FDCWD), Int(bitPattern: $0), Int(mode), 0, 0, 0)
  }
  try checked(chmod)
  let present = try FileStatus.of(path, followingLinks: false)
  if present.user == user, present.group == group { return }
  let chown = path.withCString {
    cr_syscall(
      Int(SYS_fchownat), Int(AT_FDCWD), Int(bitPattern: $0), Int(user), Int(group),
      Int(AT_SYMLINK_NOFOLLOW), 0)
  }
  try checked(chown)
}

/// mkdir(2), whatever the umask is.
public func makeDirectory(_ path: ByteString, mode: UInt32) throws(Errno) {
  let result = path.withCString {
    cr_syscall(Int(SYS_mkdirat), Int(AT_FDCWD), Int(bitPattern: $0), 0o700, 0, 0, 0)
  }
  try checked(result)
  let allowed = path.withCString {
    cr_syscall(Int(SYS_fchmodat), Int(AT_FDCWD), Int(bitPattern: $0), Int(mode), 0, 0, 0)
  }
  try checked(allowed)
}

/// rmdir(2).
public func removeDirectory(_ path: ByteString) throws(Errno) {
  let result = path.withCString {
    cr_syscall(
      Int(SYS_unlinkat), Int(AT_FDCWD), Int(bitPattern: $0), Int(AT_REMOVEDIR), 0, 0, 0)
  }
  try checked(result)
}

/// unlink(2).
public func removeName(_ path: ByteString) throws(Errno) {
  let result = path.withCString {
    cr_syscall(Int(SYS_unlinkat), Int(AT_FDCWD), Int(bitPattern: $0), 0, 0, 0, 0)
  }
  try checked(result)
}

/// Does something with `path` as the working directory of this process.
public func inDirectory(
  _ path: ByteString, _ body: () throws(Errno) -> Void
) throws(Errno) {
  let here = try FileDescriptor(opening: ".", flags: CR_O_PATH | O_DIRECTORY)
  try checked(path.withCString { cr_syscall(Int(SYS_chdir), Int(bitPattern: $0), 0, 0, 0, 0, 0) })
  var failure: Errno?
  do throws(Errno) { try body() } catch { failure = error }
  try checked(cr_syscall(Int(SYS_fchdir), Int(here.number), 0, 0, 0, 0, 0))
  if let failure { throw failure }
}
