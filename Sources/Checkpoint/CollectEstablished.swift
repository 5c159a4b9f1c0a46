// SPDX-License-Identifier: Apache-2.0
import CLinux
import Linux
import Request
import Snapshot

extension Collector {
  /// A TCP connection to somebody who is not saved (`--tcp-established`); false, with a problem or
  /// a warning, for one that cannot go on.
  mutating func keepConnection(
    _ socket: inout Socket, _ far: Endpoint, _ near: Endpoint, _ object: SeenObject
  ) throws(Failure) -> Bool {
    let name: ByteString = "is a socket with a connection (\(SocketNames.describe(object.seen)))"
    if let other = SocketNames.holder(of: object.seen.status.inode, besides: job) {
      refuse(
        object.seen, name + " that \(other), which is not saved, has open as well",
        dropping: object.index, isFinal: true)
      return true
    }
    do throws(Errno) {
      let own = try ProcessHandle(object.seen.reach).descriptor(object.seen.number)
      let number = DescriptorNumber(own.number)
      try heldConnections.hold(own, from: near, to: far)
      // A packet may have been on its way through the kernel when the barrier came.
      for attempt in 0 ..< 100 {
        if attempt > 0 { pauseBriefly() }
        let state: ConnectionState
        do throws(Errno) {
          state = try number.connectionState(hasEnded: socket.shutdown & 2 != 0)
        } catch {
          guard error == .tryAgain else { throw error }
          continue
        }
        guard try socket.collectUnread(number) else {
          refuse(object.seen, "is a socket with urgent data that was not read yet", dropping: object.index)
          return true
        }
        let again = try number.connectionState(hasEnded: socket.shutdown & 2 != 0)
        guard again.receiveSequence == state.receiveSequence, again.queue == state.queue else { continue }
        socket.connection = again
        return true
      }
      throw .timedOut
    } catch {
      guard closesConnections else {
        refuse(
          object.seen, name + " that cannot be kept (--tcp-established): " + reason(error),
          dropping: object.index, isFinal: true)
        return true
      }
      warnings.append("\(object.seen.name) \(name) that cannot be kept: " + reason(error))
      return false
    }
  }

  private func reason(_ error: Errno) -> ByteString {
    switch error {
    case .notPermitted: "that takes CAP_NET_ADMIN"
    case Errno(rawValue: EPROTONOSUPPORT), .notSupported:
      "the kernel has no nftables to hold its packets back (nf_tables, Linux 5.12)"
    case .timedOut: "it does not come to rest"
    default: error.reason
    }
  }

  /// What the request makes of them, told once.
  mutating func finishHeldConnections(signal: Int32) {
    if heldConnections.isEmpty { return }
    if signal == SIGKILL { return }
    heldConnections.letGo()
    warnings.append(
      "TCP connections to the outside were saved (--tcp-established), but the program goes on with them: "
        + "a restart can only take them over if nothing passes before it, nor the program ends by itself; "
        + "--kill sees to that")
  }
}
