// SPDX-License-Identifier: Apache-2.0
import CLinux
import Linux

/// How to wait for something that takes microseconds as a rule and seconds at worst.
package struct Patience {
  private var turns = 0

  package init() {}

  /// More than a few milliseconds have passed.
  package var isLong: Bool { turns > 80 && turns % 16 == 0 }

  package mutating func wait() {
    turns += 1
    if turns < 64 {
      _ = cr_syscall(Int(SYS_sched_yield), 0, 0, 0, 0, 0, 0)
    } else {
      var time = timespec(tv_sec: 0, tv_nsec: turns < 128 ? 20_000 : 500_000)
      withUnsafeMutablePointer(to: &time) {
        _ = cr_syscall(Int(SYS_nanosleep), Int(bitPattern: $0), 0, 0, 0, 0, 0)
      }
    }
  }

  /// About two seconds have passed.
  package var isExhausted: Bool { turns > 4000 }

  package func hasPassed(_ deadline: Deadline) -> Bool {
    guard turns > 64, deadline.nanoseconds != .max else { return false }
    return Clock.monotonic.reading >= deadline.nanoseconds
  }
}

/// Whether a task still runs, by /proc/PID/stat: `1 (name) Z …`.
package enum TaskLife {
  case alive, dead

  /// The state letter follows the last closing parenthesis, since a name may hold any.
  package init(stat: [UInt8]) {
    guard let close = stat.lastIndex(of: UInt8(ascii: ")")), close + 2 < stat.count else {
      self = .dead
      return
    }
    let letter = stat[close + 2]
    self = letter == UInt8(ascii: "Z") || letter == UInt8(ascii: "X") ? .dead : .alive
  }
}
