// SPDX-License-Identifier: Apache-2.0
import Architecture
import Engine
import Linux
import Request
import Snapshot

extension Collector {
  /// Timers of timer_create(2): what they are, from /proc; when they ring, from the process.
  mutating func collectPosixTimers<E: Engine & ~Copyable>(
    _ process: inout Process, _ files: borrowing ProcessFiles, _ remote: RemoteProcess,
    by engine: inout E
  ) throws(Failure) {
    // The file is there if the kernel was built with CHECKPOINT_RESTORE.
    let texts = PosixTimerText.parse((try? files.read("timers")) ?? [])
    let isAlone = engine.threads(of: process.id).count == 1
    for text in texts {
      if ClockID.isDynamic(text.clock) || !isAlone && text.countsUnknownThread {
        problems.add(
          "process \(process.id) (\(process.name)): its POSIX timer \(text.id) counts by clock "
            + "\(text.clock), "
            + (ClockID.isDynamic(text.clock)
              ? "a device" : "the CPU time of the thread that made it, which the kernel does not tell")
            + ": not supported yet")
        continue
      }
      var times = try remote.structure(
        4 * remote.wordSize, by: &engine, "read a POSIX timer", .timerGettime,
        [UInt64(text.id), remote.slot])
      var timer = PosixTimer(text)
      timer.interval = times.word() * 1_000_000_000 + times.word()
      timer.remaining = times.word() * 1_000_000_000 + times.word()
      process.posixTimers.append(timer)
    }
  }
}

extension PosixTimerText {
  /// The CPU time of "the calling thread", of which nobody remembers which one it was, unless the
  /// timer also signals a thread: that is then the same in every program seen.
  fileprivate var countsUnknownThread: Bool {
    let isOwn = clock == ClockID.ownThreadCPUTime || ClockID.task(of: clock)?.id == 0 && clock & 4 != 0
    return isOwn && notify & 4 == 0
  }
}

extension PosixTimer {
  fileprivate init(_ text: PosixTimerText) {
    self.init(id: text.id, clock: text.clock)
    notify = text.notify
    signal = text.signal
    value = text.value
    thread = ThreadID(text.notify & 4 != 0 ? text.target : 0)
  }
}
