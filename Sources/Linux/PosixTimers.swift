// SPDX-License-Identifier: Apache-2.0

/// One timer of timer_create(2), as /proc/PID/timers tells of it (fs/proc/base.c, show_timer).
public struct PosixTimerText: Sendable {
  public var id: Int32 = 0
  public var signal: Int32 = 0
  /// sigev_value.
  public var value: UInt64 = 0
  /// SIGEV_SIGNAL 0, SIGEV_NONE 1, SIGEV_THREAD 2; with SIGEV_THREAD_ID 4 for one thread alone.
  public var notify: Int32 = 0
  /// Whom the signal is for: the process, or the thread.
  public var target: Int32 = 0
  /// clockid_t; the clocks of other processes and threads are negative.
  public var clock: Int32 = 0

  public static func parse(_ text: [UInt8]) -> [PosixTimerText] {
    var scanner = TextScanner(text)
    var timers: [PosixTimerText] = []
    while !scanner.isAtEnd {
      if scanner.skip("ID:") {
        timers.append(PosixTimerText())
        timers[timers.count - 1].id = Int32(truncatingIfNeeded: scanner.number())
      } else if !timers.isEmpty {
        timers[timers.count - 1].readLine(&scanner)
      }
      scanner.skipLine()
    }
    return timers
  }

  private mutating func readLine(_ scanner: inout TextScanner) {
    if scanner.skip("signal:") {
      signal = Int32(truncatingIfNeeded: scanner.number())
      if scanner.skip("/") { value = scanner.number(radix: 16) }
    } else if scanner.skip("notify:") {
      scanner.skipBlanks()
      if scanner.skip("none") { notify = 1 } else if scanner.skip("thread") { notify = 2 }
      _ = scanner.skip("signal")
      if scanner.skip("/tid.") { notify |= 4 } else { _ = scanner.skip("/pid.") }
      target = Int32(truncatingIfNeeded: scanner.number())
    } else if scanner.skip("ClockID:") {
      clock = Int32(truncatingIfNeeded: scanner.signedNumber())
    }
  }
}

/// What a clockid_t stands for (linux/posix-timers_types.h): fixed clocks are positive, and the CPU
/// time of a task is its inverted id with three bits for the kind below it.
public enum ClockID {
  /// Of the thread that makes the timer.
  public static let ownThreadCPUTime: Int32 = 3

  /// Whether it counts the CPU time of one thread, and of which: 0 for the caller itself.
  public static func task(of clock: Int32) -> (id: Int32, isThread: Bool)? {
    // 3 in the low bits is a clock behind a descriptor (FD_TO_CLOCKID).
    guard clock < 0, clock & 3 != 3 else { return nil }
    return (~(clock >> 3), clock & 4 != 0)
  }

  /// The same clock of another task.
  public static func clock(_ clock: Int32, ofTask id: Int32) -> Int32 { ~id << 3 | clock & 7 }

  public static func isDynamic(_ clock: Int32) -> Bool { clock < 0 && clock & 3 == 3 }
}
