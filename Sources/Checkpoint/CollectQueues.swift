// SPDX-License-Identifier: Apache-2.0
import CLinux
import Linux
import Request
import Snapshot

extension Collector {
  /// A POSIX message queue; nil for one that cannot be saved.
  mutating func messageQueue(_ seen: SeenDescriptor, _ index: Int) -> OpenFile.Kind? {
    let path = seen.path
    let name = path.bytes.lastIndex(of: UInt8(ascii: "/")).map { path.dropFirst($0 + 1) } ?? path
    var queue = MessageQueueFile(name: name, inode: seen.status.inode)
    queue.isUnlinked = seen.isDeleted || seen.status.links == 0
    queue.mode = seen.status.mode & 0o7777
    queue.user = seen.status.user
    queue.group = seen.status.group
    if let known = messageQueues[queue.inode] {
      queue.state = known
      return .messageQueue(queue)
    }
    do throws(Errno) {
      // A description of our own, which does not wait.
      let own = try FileDescriptor(opening: seen.procPath, flags: O_RDWR | O_NONBLOCK)
      let number = DescriptorNumber(own.number)
      let notification = QueueNotification(try own.readToEnd())
      queue.state = try number.queueState()
      messageQueues[queue.inode] = queue.state
      note(notification, in: &queue, seen)
      guard queue.state.count > 0 else { return .messageQueue(queue) }
      if let words = whyNotLookedAt(notification, seen) {
        refuse(seen, "is the POSIX message queue /\(name) with messages in it, " + words, isFinal: true)
        return nil
      }
      if isExamining { return .messageQueue(queue) }
      queue.messages = try number.queuedMessages(queue.state).map {
        MessageQueueFile.Message(priority: $0.priority, bytes: $0.bytes)
      }
    } catch {
      refuse(
        seen, "is the POSIX message queue /\(name), which cannot be looked at: \(error)",
        isFinal: true)
      return nil
    }
    return .messageQueue(queue)
  }

  /// To look at messages is to take them out and put them in again.
  private func whyNotLookedAt(
    _ notification: QueueNotification, _ seen: SeenDescriptor
  ) -> ByteString? {
    if notification.process.rawValue != 0 {
      return "and process \(notification.process) is to be notified of further ones: to look at them "
        + "would set that off"
    }
    let others = FileUsers.holding(
      seen.target, device: seen.status.device, inode: seen.status.inode,
      besides: job.union([ownProcess.rawValue]))
    return others.map {
      "which process \($0) outside of the job has open too: they cannot be looked at without taking "
        + "them out for a moment"
    }
  }

  private mutating func note(
    _ notification: QueueNotification, in queue: inout MessageQueueFile, _ seen: SeenDescriptor
  ) {
    guard notification.process.rawValue != 0 else { return }
    guard job.contains(notification.process.rawValue), notification.kind != 2 else {
      warnings.append(
        "\(seen.name) is the POSIX message queue /\(queue.name), whose notification of process "
          + "\(notification.process) will be gone after a restart")
      return
    }
    queue.notified = notification.process
    queue.notification = notification.kind
    queue.signal = notification.signal
    if notification.kind == 0 {
      warnings.append(
        "\(seen.name) is the POSIX message queue /\(queue.name): after a restart the signal that tells "
          + "of a message has no value (sigev_value)")
    }
  }
}
