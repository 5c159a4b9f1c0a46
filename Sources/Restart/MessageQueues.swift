// SPDX-License-Identifier: Apache-2.0
import Architecture
import CLinux
import Engine
import Linux
import Request
import Snapshot

extension FileOpener {
  /// A description of a POSIX message queue, which is made when its first one is opened.
  mutating func openQueue(
    _ index: Int, _ queue: MessageQueueFile, _ flags: UInt32
  ) throws(Errno) {
    let made: DescriptorNumber
    if let known = files.queues[queue.inode] {
      made = known
    } else {
      made = try makeQueue(queue)
      files.queues[queue.inode] = made
    }
    let file = try OpenedFiles.reopen(made, flags: flags & 3 | UInt32(O_NONBLOCK))
    let number = try keep(index, file)
    try number.setStatusFlags(flags)
  }

  private func makeQueue(_ queue: MessageQueueFile) throws(Errno) -> DescriptorNumber {
    let file: FileDescriptor
    if queue.isUnlinked {
      let name: ByteString = "cr_restart.\(ProcessID.own).\(queue.inode)"
      file = try KernelObjects.queue(
        name, flags: O_RDWR | O_CREAT | O_EXCL, mode: 0o600, like: queue.state)
      try KernelObjects.unlinkQueue(name)
    } else if let present = try? KernelObjects.queue(queue.name, flags: O_RDWR) {
      file = present
      try DescriptorNumber(file.number).emptyQueue()
    } else {
      file = try KernelObjects.queue(
        queue.name, flags: O_RDWR | O_CREAT | O_EXCL, mode: 0o600, like: queue.state)
      files.names.note(queue: queue.name)
    }
    let number = try files.inheritance.adopt(file)
    for message in queue.messages {
      try number.sendToQueue(message.bytes, priority: message.priority)
    }
    try? number.setOwnership(user: queue.user, group: queue.group)
    files.modes.append((number, queue.mode))
    return number
  }
}

extension Rebuilder {
  /// mq_notify(2) by those that asked for it.
  func restoreQueueNotifications<E: Engine & ~Copyable>(
    by engine: inout E
  ) throws(Failure) {
    for (index, file) in snapshot.openFiles.enumerated() {
      guard case .messageQueue(let queue) = file.kind, queue.notified.rawValue != 0,
        let owner = living.first(where: { snapshot.processes[$0].id == queue.notified })
      else { continue }
      let process = snapshot.processes[snapshot.processes[owner].sharesDescriptorsWith ?? owner]
      let descriptor = process.descriptors.first {
        guard case .messageQueue(let other) = snapshot.openFiles[$0.openFile].kind else {
          return false
        }
        return $0.openFile == index || other.inode == queue.inode
      }
      guard let descriptor else { continue }
      let remote = remote(owner)
      // struct sigevent: value, signal, kind.
      var fields = TargetStructure(for: remote.machine)
      fields.word(0)
      fields.int32(UInt32(bitPattern: queue.signal))
      fields.int32(UInt32(bitPattern: queue.notification))
      let address = try remote.put(
        fields.bytes + [UInt8](repeating: 0, count: 64 - fields.bytes.count), by: &engine)
      try remote.call(
        "ask for a notification by a message queue", .mqNotify,
        [UInt64(descriptor.number), address], by: &engine)
    }
  }
}
