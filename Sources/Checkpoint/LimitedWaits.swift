// SPDX-License-Identifier: Apache-2.0
import Architecture
import Engine
import Linux
import Request
import Snapshot

/// Since when threads are in calls with a time-out whose rest only the kernel knows: poll(2), futex(2) for a
/// relative time, and sleeps that want no rest.
///
/// The kernel keeps the moment at which such a call ends in its restart block, and shows it to nobody. It does show
/// when a thread ran last, and how often it went to sleep: one that has not done so more than once until it was stopped
/// has been in the same call since, or since it was continued after an earlier checkpoint. It is then made to wait
/// longer than asked, never less.
struct LimitedWaits {
  private struct Wait {
    var process: ProcessID
    var call: SleepingCall
    /// The function of the kernel that it sleeps in.
    var place: ByteString
    /// CLOCK_MONOTONIC.
    var since: UInt64
    var switches: UInt64
  }

  private var waits: [Int32: Wait] = [:]
  /// When everybody stood still.
  private var end: UInt64 = 0

  /// Looks at the threads of a process that still runs.
  mutating func note(_ process: ProcessID, _ clock: inout ProcessorTime) {
    guard let files = try? ProcessFiles(process), let threads = try? files.numbers(in: "task")
    else { return }
    for number in threads {
      let thread = ThreadID(number)
      guard let own = try? ProcessFiles(thread, of: process), let text = try? own.read("syscall"),
        let call = SleepingCall(text), Registers.mayHaveRestartBlock(call.call.number),
        let run = LastRun(of: thread, process), let state = try? own.read("stat"),
        let stat = ProcessStat(state), let since = clock.monotonic(run, on: stat.processor)
      else { continue }
      let place = ByteString((try? own.read("wchan")) ?? [])
      waits[number] = Wait(
        process: process, call: call, place: place, since: since, switches: run.voluntarySwitches)
    }
  }

  /// Drops those that were not asleep all the time until they were stopped, which is one more switch.
  mutating func confirm(stoppedAt moment: UInt64) {
    end = moment
    waits = waits.filter {
      LastRun(of: ThreadID($0.key), $0.value.process)?.voluntarySwitches == $0.value.switches + 1
    }
  }

  mutating func forgetAll() { waits = [:] }

  /// Which call it is that a thread was continued in before, for all that the kernel tells.
  func nameContinuedCall(of thread: ThreadID, _ registers: inout Registers) {
    guard let wait = waits[thread.rawValue], registers.currentCall?.number == wait.call.call.number,
      registers.stackPointer == wait.call.stackPointer
    else { return }
    registers.nameContinuedCall(sleepingIn: wait.place)
  }

  /// Nanoseconds since the thread, which was interrupted with these registers, began its call.
  func elapsed(of thread: ThreadID, _ registers: Registers) -> UInt64? {
    guard let wait = waits[thread.rawValue], registers.stackPointer == wait.call.stackPointer
    else { return nil }
    return end > wait.since ? end - wait.since : 0
  }
}

extension Collector {
  /// What is left of the time of a call that was interrupted, where the program is not told.
  func timeLeft<E: Engine & ~Copyable>(
    of thread: Thread, in process: ProcessID, by engine: inout E
  ) -> UInt64? {
    guard thread.registers.interruptedCall == .withRestartBlock,
      let elapsed = waits.elapsed(of: thread.id, thread.registers),
      let limit = thread.registers.timeLimit(read: { address, count in
        try? engine.read(MemoryRange(start: address, count: UInt64(count)), of: process)
      })
    else { return nil }
    return limit > elapsed ? limit - elapsed : 0
  }
}
