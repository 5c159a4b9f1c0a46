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
