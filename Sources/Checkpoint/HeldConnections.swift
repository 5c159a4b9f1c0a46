// SPDX-License-Identifier: Apache-2.0
import CLinux
import Linux

/// TCP connections to the outside while they are looked at, and when they are to be taken over by the
/// restored program: meanwhile this machine must not answer for them.
///
/// The barriers are ours, so that they fall when we die. Only when the program was killed do others
/// take their place, which stay until the restart.
final class HeldConnections {
  private struct Held {
    /// Ours, so that the socket outlives the program.
    var socket: Int32
    var near: [UInt8]
    var far: [UInt8]
  }

  private var all: [Held] = []
  private var channel: FirewallChannel?

  deinit { for one in all { DescriptorNumber(one.socket).close() } }

  var isEmpty: Bool { all.isEmpty }

  func hold(_ socket: consuming FileDescriptor, from near: Endpoint, to far: Endpoint) throws(Errno) {
    let channel: FirewallChannel
    if let present = self.channel { channel = present } else { channel = try FirewallChannel() }
    self.channel = channel
    try PacketBarrier(from: near.bytes, to: far.bytes, prefix: "blcr_hold_\(ProcessID.own)")
      .raise(by: channel, isOwned: true)
    all.append(Held(socket: socket.disown(), near: near.bytes, far: far.bytes))
  }

  /// The program goes on itself.
  func letGo() {
    channel = nil
    for one in all { DescriptorNumber(one.socket).close() }
    all = []
  }

  /// The program was killed: nobody at the other end is to hear of it.
  ///
  /// - Returns: the names of the barriers that stay until the restart.
  func handOver() throws(Errno) -> [ByteString] {
    guard let channel else { return [] }
    var names: [ByteString] = []
    for one in all {
      let barrier = PacketBarrier(from: one.near, to: one.far)
      try barrier.raise(by: channel)
      names.append(barrier.name)
    }
    for one in all { try DescriptorNumber(one.socket).beginRepair() }
    return names
  }
}
