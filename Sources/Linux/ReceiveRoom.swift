// SPDX-License-Identifier: Apache-2.0
import CLinux

/// The receive buffer of a TCP socket, made larger for a moment so that all which is under way to it
/// arrives and can be looked at.
public struct ReceiveRoom: Sendable {
  private let number: DescriptorNumber
  private let size: Int32
  private let lowest: Int32
  /// SO_BUF_LOCK (72, Linux 5.15): 2 for a receive buffer whose size the program has set.
  private let lock: Int32?

  public init(_ number: DescriptorNumber) {
    self.number = number
    size = (try? number.intOption(SOL_SOCKET, SO_RCVBUF)) ?? 0
    lowest = (try? number.intOption(SOL_SOCKET, SO_RCVLOWAT)) ?? 1
    lock = try? number.intOption(SOL_SOCKET, 72)
  }

  /// Room for `count` more bytes than wait already. Beyond net.core.rmem_max this takes CAP_NET_ADMIN,
  /// or SO_RCVLOWAT, which lets a buffer grow up to net.ipv4.tcp_rmem.
  public func enlarge(for count: Int) {
    let waiting = (try? number.bytesWaiting()) ?? 0
    // What the kernel needs around each packet may be as much as is in it, and more.
    let wanted = Int32(clamping: 4 * (count + Int(waiting)) + (1 << 17))
    if wanted <= size { return }
    if (try? number.setOption(SOL_SOCKET, SO_RCVBUFFORCE, wanted / 2)) != nil { return }
    if let lock, lock & 2 != 0 { try? number.setOption(SOL_SOCKET, 72, lock & ~2) }
    try? number.setOption(SOL_SOCKET, SO_RCVLOWAT, wanted / 2)
    try? number.setOption(SOL_SOCKET, SO_RCVLOWAT, lowest)
    let reached = (try? number.intOption(SOL_SOCKET, SO_RCVBUF)) ?? 0
    if reached < wanted, lock != nil { raise(to: wanted) }
  }

  /// Only up: a size beyond the limit is cut, to less than there may be already.
  private func raise(to wanted: Int32) {
    let before = (try? number.intOption(SOL_SOCKET, SO_RCVBUF)) ?? 0
    try? number.setOption(SOL_SOCKET, SO_RCVBUF, wanted / 2)
    if ((try? number.intOption(SOL_SOCKET, SO_RCVBUF)) ?? before) < before {
      try? number.setOption(SOL_SOCKET, SO_RCVBUF, before / 2)
    }
  }

  /// As it was, if the limits allow that; else it stays larger.
  public func putBack() {
    guard let present = try? number.intOption(SOL_SOCKET, SO_RCVBUF), present != size else { return }
    if (try? number.setOption(SOL_SOCKET, SO_RCVBUFFORCE, size / 2)) == nil {
      try? number.setOption(SOL_SOCKET, SO_RCVBUF, size / 2)
      if ((try? number.intOption(SOL_SOCKET, SO_RCVBUF)) ?? size) < size { enlarge(for: Int(present) / 4) }
    }
    if let lock { try? number.setOption(SOL_SOCKET, 72, lock) }
  }

  /// Waits until everything that `sender` has sent is here; false if that does not fit.
  public func drain(_ sender: DescriptorNumber) throws(Errno) -> Bool {
    var left = try sender.bytesUnderWay()
    if left == 0 { return true }
    // TCP_CORK (3) holds back what does not fill a packet.
    let cork = (try? sender.intOption(6, 3)) ?? 0
    if cork != 0 { try? sender.setOption(6, 3, 0) }
    defer { if cork != 0 { try? sender.setOption(6, 3, cork) } }
    var (rounds, idle) = (0, 0)
    // A sender that found no room asks again after a while, and then after twice as long.
    while left > 0, idle < 1500 {
      // Looking makes the kernel tell that there is room again; TCP_QUICKACK (12) sends the
      // acknowledgement that waits.
      if rounds == 3 { enlarge(for: Int(left)) }
      try? number.setOption(6, 12, 1)
      if rounds >= 3 { _ = try? number.peek(1, packets: false) }
      if rounds > 0 { pauseBriefly() }
      let now = try sender.bytesUnderWay()
      idle = now < left ? 0 : idle + 1
      (left, rounds) = (now, rounds + 1)
    }
    return left == 0
  }
}

extension DescriptorNumber {
  /// As getsockopt(2) tells it, which is the double of what is set; beyond the limits of the system
  /// with CAP_NET_ADMIN.
  public func setBufferSize(_ name: Int32, _ size: Int32) throws(Errno) {
    let forcing = name == SO_SNDBUF ? SO_SNDBUFFORCE : SO_RCVBUFFORCE
    if (try? setOption(SOL_SOCKET, forcing, size / 2)) != nil { return }
    try setOption(SOL_SOCKET, name, size / 2)
  }
}
