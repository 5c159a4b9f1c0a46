// SPDX-License-Identifier: Apache-2.0
import CLinux
import Linux
import Snapshot

extension SocketMaker {
  /// What makes the socket what it is, before it has a name.
  mutating func setOptions(of socket: Socket, _ number: DescriptorNumber) {
    // Two of one port: neither a connection nor its listener is made without SO_REUSEADDR.
    let sharesPort = socket.family != AF_UNIX && socket.isStream && socket.state == .connected
    for option in socket.options where !option.isForTheEnd {
      if sharesPort, option.isReuse { continue }
      // Says what a name stands for, and a connection has both of its names already.
      if socket.state == .connected, option.isIPv6Only { continue }
      set(option, number)
    }
  }

  /// What would be in the way of what waits, or was changed to make room for it; and memberships, which
  /// nothing else needs.
  mutating func finishOptions(_ index: Int, _ number: DescriptorNumber) {
    guard let socket = sockets[index] else { return }
    for option in socket.options {
      if option.isForTheEnd || option.isAboutBuffers || option.isReuse { set(option, number) }
    }
  }

  private mutating func set(_ option: SocketOption, _ number: DescriptorNumber) {
    do throws(Errno) {
      if SocketOptions.isMembership(option.level, option.name) {
        return try number.join(level: option.level, filter: option.value)
      }
      if SocketOptions.isFilter(option.level, option.name) {
        return try number.attachFilter(option.value)
      }
      if option.level == SocketOptions.solNetlink, option.name == SocketOptions.netlinkMemberships {
        return try number.joinGroups(option.value)
      }
      let present = try? number.option(option.level, option.name, count: 64)
      if present == option.value { return }
      try number.set(option)
    } catch {
      warnings.append(
        "option \(option.name) (level \(option.level)) of a socket is refused here: \(error)")
    }
  }
}

extension SocketOption {
  /// IPV6_V6ONLY.
  fileprivate var isIPv6Only: Bool { level == Int32(IPPROTO_IPV6) && name == 26 }

  fileprivate var isReuse: Bool { level == SOL_SOCKET && name == SO_REUSEADDR }

  fileprivate var isForTheEnd: Bool {
    SocketOptions.isForTheEnd(level, name) || SocketOptions.isMembership(level, name)
      || SocketOptions.isFilter(level, name) || level == SOL_SOCKET && name == SO_LOCK_FILTER
  }

  /// SO_RCVBUF, SO_SNDBUF, SO_RCVLOWAT and SO_BUF_LOCK.
  fileprivate var isAboutBuffers: Bool {
    SocketOptions.isBufferSize(level, name)
      || level == SOL_SOCKET && (name == SO_RCVLOWAT || name == 72)
  }
}

extension DescriptorNumber {
  /// Of netlink; the lowest bit is group 1.
  fileprivate func joinGroups(_ bits: [UInt8]) throws(Errno) {
    for group in 0 ..< 8 * bits.count where bits[group / 8] & 1 << (group % 8) != 0 {
      try setOption(SocketOptions.solNetlink, 1, Int32(group + 1))
    }
  }

  fileprivate func set(_ option: SocketOption) throws(Errno) {
    if SocketOptions.isBufferSize(option.level, option.name), option.value.count >= 4 {
      return try setBufferSize(option.name, option.value.native(Int32.self, at: 0))
    }
    try setOption(option.level, option.name, option.value)
  }
}
