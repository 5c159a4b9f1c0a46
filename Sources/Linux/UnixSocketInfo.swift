// SPDX-License-Identifier: Apache-2.0
import CLinux

/// What sock_diag(7) tells of a UNIX socket of our network namespace.
public struct UnixSocketInfo: Sendable {
  /// TCP_ESTABLISHED 1, TCP_CLOSE 7, TCP_LISTEN 10.
  public var state: UInt8 = 0
  /// Inode of the socket at the other end; 0 for one that was closed, or not accepted yet; nil
  /// for a socket that is not connected.
  public var peer: UInt32?
  /// Of the file that it is bound to, if it is.
  public var fileInode: UInt32?
  /// Inodes of the sockets whose connections wait to be accepted.
  public var waiting: [UInt32] = []
  /// Of a listening socket.
  public var backlog: UInt32 = 0
  /// Bits: 1 nothing more is received, 2 nothing more is sent.
  public var shutdown: UInt8 = 0

  public var isListening: Bool { state == 10 }

  /// Throws ENOENT for a socket of another network namespace, and where the kernel lacks unix_diag.
  public init(inode: UInt64) throws(Errno) {
    // NETLINK_SOCK_DIAG 4.
    let channel = try KernelObjects.socket(
      family: AF_NETLINK, type: Int32(SOCK_RAW.rawValue), protocol: 4)
    let number = DescriptorNumber(channel.number)
    var request: [UInt8] = []
    func put<Value: FixedWidthInteger>(_ value: Value) {
      withUnsafeBytes(of: value) { request += Array($0) }
    }
    // struct nlmsghdr: size, SOCK_DIAG_BY_FAMILY, NLM_F_REQUEST, sequence, port.
    put(UInt32(16 + 24))
    put(UInt16(20))
    put(UInt16(1))
    put(UInt32(1))
    put(UInt32(0))
    // struct unix_diag_req: family, protocol, padding, states, inode, what to show, cookie.
    put(UInt8(AF_UNIX))
    put(UInt8(0))
    put(UInt16(0))
    put(UInt32.max)
    put(UInt32(truncatingIfNeeded: inode))
    // UDIAG_SHOW_VFS 2, _PEER 4, _ICONS 8, _RQLEN 16.
    put(UInt32(2 | 4 | 8 | 16))
    put(UInt64.max)
    _ = try number.send(request[...])
    let (count, bytes) = try bytesFilled(count: 65536) { buffer in
      cr_syscall(Int(SYS_recvfrom), Int(number.rawValue), buffer, 65536, 0, 0, 0)
    }
    guard count >= 20 else { throw .io }
    // NLMSG_ERROR.
    if bytes.native(UInt16.self, at: 4) == 2 { throw Errno(rawValue: -bytes.native(Int32.self, at: 16)) }
    // struct unix_diag_msg: family, type, state, padding, inode, cookie.
    state = bytes[18]
    var offset = 32
    while offset + 4 <= count {
      let size = Int(bytes.native(UInt16.self, at: offset))
      guard size >= 4, offset + size <= count else { break }
      take(bytes.native(UInt16.self, at: offset + 2), Array(bytes[offset + 4 ..< offset + size]))
      offset += (size + 3) / 4 * 4
    }
  }

  /// An attribute of linux/unix_diag.h.
  private mutating func take(_ type: UInt16, _ value: [UInt8]) {
    switch type {
    case 1 where value.count >= 8: fileInode = value.native(UInt32.self, at: 0)
    case 2 where value.count >= 4: peer = value.native(UInt32.self, at: 0)
    case 3:
      waiting = stride(from: 0, to: value.count - 3, by: 4).map { value.native(UInt32.self, at: $0) }
    case 4 where value.count >= 8: backlog = value.native(UInt32.self, at: 4)
    case 6 where !value.isEmpty: shutdown = value[0]
    default: break
    }
  }
}
