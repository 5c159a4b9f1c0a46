// SPDX-License-Identifier: Apache-2.0
import Linux
import Snapshot

// Open files that no path leads to: objects of the kernel. APPEND ONLY, as everywhere.

extension OpenFile {
  mutating func walkEventCounter<C: FieldCoder>(_ coder: inout C) {
    var counter = EventCounter(count: 0, isSemaphore: false)
    if case .eventCounter(let present) = kind { counter = present }
    coder.field(&counter.count)
    coder.field(&counter.isSemaphore)
    kind = .eventCounter(counter)
  }
}

extension OpenFile {
  mutating func walkTimer<C: FieldCoder>(_ coder: inout C) {
    var timer = TimerFile(clock: 0)
    if case .timer(let present) = kind { timer = present }
    coder.field(&timer.clock)
    coder.field(&timer.settings)
    coder.field(&timer.remaining)
    coder.field(&timer.interval)
    coder.field(&timer.expirations)
    coder.field(&timer.now)
    kind = .timer(timer)
  }

  mutating func walkSignals<C: FieldCoder>(_ coder: inout C) {
    var mask: UInt64 = 0
    if case .signals(let present) = kind { mask = present }
    coder.field(&mask)
    kind = .signals(mask: mask)
  }
}

extension OpenFile {
  mutating func walkEpoll<C: FieldCoder>(_ coder: inout C) {
    var entries: [EpollEntry] = []
    if case .epoll(let present) = kind { entries = present }
    coder.list(&entries, empty: EpollEntry(number: 0, events: 0, data: 0, openFile: 0)) {
      $1.field(&$0.number)
      $1.field(&$0.events)
      $1.field(&$0.data)
      $1.field(&$0.openFile)
    }
    kind = .epoll(entries)
  }
}

extension OpenFile {
  mutating func walkWatches<C: FieldCoder>(_ coder: inout C) {
    var watches: [FileWatch] = []
    if case .watches(let present) = kind { watches = present }
    coder.list(&watches, empty: FileWatch(number: 0, mask: 0, path: "")) {
      $1.field(&$0.number)
      $1.field(&$0.mask)
      $1.field(&$0.path)
    }
    kind = .watches(watches)
  }

  mutating func walkProcess<C: FieldCoder>(_ coder: inout C) {
    var process = ProcessID(0)
    if case .process(let present) = kind { process = present }
    coder.field(&process)
    kind = .process(process)
  }
}

extension OpenFile {
  mutating func walkMessageQueue<C: FieldCoder>(_ coder: inout C) {
    var queue = MessageQueueFile(name: "", inode: 0)
    if case .messageQueue(let present) = kind { queue = present }
    coder.field(&queue.name)
    coder.field(&queue.isUnlinked)
    coder.field(&queue.inode)
    coder.field(&queue.mode)
    coder.field(&queue.user)
    coder.field(&queue.group)
    coder.field(&queue.state.capacity)
    coder.field(&queue.state.messageSize)
    coder.field(&queue.state.count)
    coder.field(&queue.notified)
    coder.field(&queue.notification)
    coder.field(&queue.signal)
    coder.list(&queue.messages, empty: MessageQueueFile.Message(priority: 0, bytes: [])) {
      $1.field(&$0.priority)
      $1.field(&$0.bytes)
    }
    kind = .messageQueue(queue)
  }
}
