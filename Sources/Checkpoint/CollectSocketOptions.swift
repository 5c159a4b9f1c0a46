// SPDX-License-Identifier: Apache-2.0
import CLinux
import Linux
import Snapshot

extension Collector {
  /// What was set, as far as the kernel tells; memberships and packet filters with it.
  mutating func collectOptions(
    _ socket: inout Socket, _ number: DescriptorNumber, _ process: ProcessID
  ) {
    for (level, name) in SocketOptions.all(family: socket.family, protocol: socket.protocolNumber) {
      // One that this kernel or this kind of socket does not know.
      guard let value = try? number.option(level, name, count: 64) else { continue }
      socket.options.append(SocketOption(level: level, name: name, value: value))
    }
    if let filter = try? number.packetFilter(), !filter.isEmpty {
      socket.options.append(
        SocketOption(level: SOL_SOCKET, name: SO_ATTACH_FILTER, value: filter))
      // SO_LOCK_FILTER: after that it cannot be changed.
      if let lock = try? number.option(SOL_SOCKET, SO_LOCK_FILTER) {
        socket.options.append(SocketOption(level: SOL_SOCKET, name: SO_LOCK_FILTER, value: lock))
      }
    }
    guard socket.family == AF_INET || socket.family == AF_INET6 else { return }
    for group in groups(of: process) {
      guard let membership = number.membership(of: group) else { continue }
      // MCAST_MSFILTER 48.
      socket.options.append(
        SocketOption(level: membership.level, name: 48, value: membership.filter))
    }
  }

  /// The kernel tells of no socket which groups it has joined, but of each group whether it has.
  private mutating func groups(of process: ProcessID) -> [MulticastGroup] {
    if let known = multicastGroups { return known }
    var groups: [MulticastGroup] = []
    if let files = try? ProcessFiles(process) {
      if let text = try? files.read("net/igmp") { groups += MulticastGroup.list(igmp: text) }
      if let text = try? files.read("net/igmp6") { groups += MulticastGroup.list(igmp6: text) }
    }
    multicastGroups = groups
    return groups
  }
}
