// SPDX-License-Identifier: Apache-2.0
import Linux
import Snapshot

/// What a thread's own note says; its registers are in the standard notes before it.
struct ThreadRecord {
  var thread: Thread
  /// Bytes of NT_PRSTATUS's pr_reg.
  var generalRegistersSize: UInt32
  /// The note types that `thread.registerSets` came from, in their order.
  var registerSets: [UInt32]

  mutating func walk<C: FieldCoder>(_ coder: inout C) {
    coder.field(&thread.id)
    coder.field(&generalRegistersSize)
    coder.numbers(&registerSets)
    thread.walk(&coder)
  }
}

extension Thread {
  mutating func walk<C: FieldCoder>(_ coder: inout C) {
    coder.field(&signalMask)
    coder.list(&pendingSignals, empty: []) { $1.field(&$0) }
    coder.field(&alternateStack.address)
    coder.field(&alternateStack.size)
    coder.field(&alternateStack.flags)
    coder.field(&robustList)
    coder.field(&robustListLength)
    coder.field(&clearChildTID)
    coder.field(&rseqArea)
    coder.field(&rseqLength)
    coder.field(&rseqSignature)
    coder.field(&name)
    coder.record(&scheduling) { $0.walk(&$1) }
    coder.record(&credentials) { $0.walk(&$1) }
    coder.field(&parentDeathSignal)
    coder.field(&noNewPrivileges)
    coder.field(&timerSlack)
    coder.field(&seccompMode)
    coder.numbers(&seccompFilters)
    var left = timeLeft ?? .max
    coder.field(&left)
    timeLeft = left == .max ? nil : left
  }
}

extension Scheduling {
  mutating func walk<C: FieldCoder>(_ coder: inout C) {
    coder.field(&policy)
    coder.field(&flags)
    coder.field(&nice)
    coder.field(&priority)
    coder.field(&runtime)
    coder.field(&deadline)
    coder.field(&period)
    coder.field(&affinity)
    coder.field(&ioPriority)
  }
}

extension Credentials {
  mutating func walk<C: FieldCoder>(_ coder: inout C) {
    coder.numbers(&userIDs)
    coder.numbers(&groupIDs)
    coder.numbers(&groups)
    coder.field(&inheritable)
    coder.field(&permitted)
    coder.field(&effective)
    coder.field(&bounding)
    coder.field(&ambient)
    coder.field(&secureBits)
  }
}
