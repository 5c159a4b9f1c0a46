// SPDX-License-Identifier: Apache-2.0
import CLinux

/// What the kernel tells of a packet socket (packet(7)) by sock_diag(7) alone.
public struct PacketSocketInfo: Sendable {
  /// `struct packet_mreq` of each membership: multicast groups, and seeing everything.
  public var memberships: [[UInt8]] = []
  /// PACKET_RX_RING, PACKET_TX_RING.
  public var hasRing = false

  /// Throws ENOENT where the kernel lacks packet_diag, or does not know the socket.
  public init(inode: UInt64) throws(Errno) {
    // NETLINK_SOCK_DIAG 4; packet_diag(7) only tells of all sockets.
    let channel = try KernelObjects.socket(
      family: AF_NETLINK, type: Int32(SOCK_RAW.rawValue), protocol: 4)
    let number = DescriptorNumber(channel.number)
    _ = try number.send(Self.request[...])
    while true {
      let (count, bytes) = try bytesFilled(count: 65536) { buffer in
        cr_syscall(Int(SYS_recvfrom), Int(number.rawValue), buffer, 65536, 0, 0, 0)
      }
      var offset = 0
      while offset + 20 <= count {
        let size = Int(bytes.native(UInt32.self, at: offset))
        guard size >= 16, offset + size <= count else { throw .io }
        switch bytes.native(UInt16.self, at: offset + 4) {
        // NLMSG_ERROR, NLMSG_DONE.
        case 2: throw Errno(rawValue: -bytes.native(Int32.self, at: offset + 16))
        case 3: throw .noEntry
        default:
          // struct packet_diag_msg: family, type, protocol, inode, cookie.
          if size >= 32, bytes.native(UInt32.self, at: offset + 20) == UInt32(truncatingIfNeeded: inode) {
            take(Array(bytes[offset + 32 ..< offset + size]))
            return
          }
        }
        offset += (size + 3) / 4 * 4
      }
    }
  }

  /// struct nlmsghdr: SOCK_DIAG_BY_FAMILY, NLM_F_REQUEST | NLM_F_DUMP; struct packet_diag_req: family,
  /// protocol, inode, PACKET_SHOW_MCLIST 2 and _RING_CFG 4, cookie.
  private static var request: [UInt8] {
    var bytes: [UInt8] = []
    for word in [36, 0x301 << 16 | 20, 1, 0, UInt32(AF_PACKET), 0, 2 | 4, .max, .max] as [UInt32] {
      withUnsafeBytes(of: word.littleEndian) { bytes += Array($0) }
    }
    return bytes
  }

  /// Attributes of linux/packet_diag.h.
  private mutating func take(_ bytes: [UInt8]) {
    var offset = 0
    while offset + 4 <= bytes.count {
      let size = Int(bytes.native(UInt16.self, at: offset))
      guard size >= 4, offset + size <= bytes.count else { break }
      switch bytes.native(UInt16.self, at: offset + 2) {
      case 1:
        // struct packet_diag_mclist: index, count, type 2, length 2, address 32.
        for place in stride(from: offset + 4, to: offset + size - 43, by: 44) {
          memberships.append(
            Array(bytes[place ..< place + 4]) + bytes[place + 8 ..< place + 20])
        }
      case 2, 3: hasRing = true
      default: break
      }
      offset += (size + 3) / 4 * 4
    }
  }
}
