// SPDX-License-Identifier: Apache-2.0
import Architecture
import Engine
import Linux

/// A process that the module holds for us.
final class HeldProcess {
  let id: ProcessID
  /// The leader first, if it lives.
  var threads: [HeldThread] = []
  /// The job-control stop it was in, 0 for none.
  var stopSignal: Int32 = 0
  /// Made by us: it dies with us, so that nothing half restored ever runs.
  let isNew: Bool
  /// A child of this very process, to be waited for after `kill`.
  var isOurChild = false
  /// Without an executable: it can be killed and nothing else.
  var isBlank = false
  var scratch: Scratch?

  init(_ id: ProcessID, isNew: Bool) {
    self.id = id
    self.isNew = isNew
  }

  /// Through which memory is reached: a leader that has ended has none any more.
  var reachable: ProcessID { ProcessID(threads.first?.id.rawValue ?? id.rawValue) }
}

/// One thread of it.
final class HeldThread {
  let id: ThreadID
  let process: ProcessID
  /// As it stands: what it had when it was parked, or what was set since.
  var registers: Registers?
  /// Where it slept before it was parked, where `losesFirstArgument`.
  var sleep: SleepingCall?
  var isRunning = false

  init(_ id: ThreadID, of process: ProcessID) {
    self.id = id
    self.process = process
  }
}

/// Memory for calls inside a held process.
struct Scratch {
  var range: MemoryRange
  var open: MemoryRange
  /// Where the instruction of a call ends.
  var bell: UInt64
  /// Whose instruction stands there.
  var machine: Machine?
}
