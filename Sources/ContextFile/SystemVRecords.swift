// SPDX-License-Identifier: Apache-2.0
import Linux
import Snapshot

// Append only, as everywhere.

extension SystemV {
  mutating func walk<C: FieldCoder>(_ coder: inout C) {
    let none = Identity(id: 0, key: 0)
    coder.list(&segments, empty: Segment(none, memory: 0, creator: ProcessID(0))) { $0.walk(&$1) }
    coder.list(&semaphoreSets, empty: SemaphoreSet(none)) { $0.walk(&$1) }
    coder.list(&messageQueues, empty: MessageQueue(none)) { $0.walk(&$1) }
  }
}

extension SystemV.Identity {
  mutating func walk<C: FieldCoder>(_ coder: inout C) {
    coder.field(&id)
    coder.field(&key)
    coder.field(&user)
    coder.field(&group)
    coder.field(&creatingUser)
    coder.field(&mode)
  }
}

extension SystemV.Segment {
  mutating func walk<C: FieldCoder>(_ coder: inout C) {
    coder.record(&identity) { $0.walk(&$1) }
    coder.field(&memory)
    coder.field(&creator)
    coder.field(&isRemoved)
    coder.field(&isLocked)
  }
}

extension SystemV.SemaphoreSet {
  mutating func walk<C: FieldCoder>(_ coder: inout C) {
    coder.record(&identity) { $0.walk(&$1) }
    let none = SystemV.Semaphore(value: 0, lastProcess: ProcessID(0))
    coder.list(&semaphores, empty: none) {
      $1.field(&$0.value)
      $1.field(&$0.lastProcess)
    }
    let nothing = SystemV.Adjustment(process: ProcessID(0), semaphore: 0, value: 0)
    coder.list(&adjustments, empty: nothing) {
      $1.field(&$0.process)
      $1.field(&$0.semaphore)
      $1.field(&$0.value)
    }
  }
}

extension SystemV.MessageQueue {
  mutating func walk<C: FieldCoder>(_ coder: inout C) {
    coder.record(&identity) { $0.walk(&$1) }
    coder.field(&capacity)
    coder.field(&lastSender)
    coder.field(&lastReceiver)
    coder.list(&messages, empty: SystemV.Message(type: 0, bytes: [])) {
      $1.field(&$0.type)
      $1.field(&$0.bytes)
    }
  }
}
