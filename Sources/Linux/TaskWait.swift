// SPDX-License-Identifier: Apache-2.0
import CLinux

/// What wait4(2) tells of a traced thread or a child.
public enum TaskState: Sendable {
  /// PTRACE_EVENT_STOP: interrupted (signal SIGTRAP), or in a job-control stop by that signal.
  case interrupted(signal: Int32)
  /// About to receive a signal.
  case signal(Int32)
  /// Entering or leaving a system call.
  case systemCall
  /// PTRACE_EVENT_*
  case event(Int32)
  /// Ended, with wait4's status word.
  case ended(status: Int32)

  init(status: Int32) {
    guard status & 0xff == 0x7f else {
      self = .ended(status: status)
      return
    }
    let signal = status >> 8 & 0xff
    let event = status >> 16 & 0xff
    if event == 128 {
      self = .interrupted(signal: signal)
    } else if event != 0 {
      self = .event(event)
    } else if signal == SIGTRAP | 0x80 {
      self = .systemCall
    } else {
      self = .signal(signal)
    }
  }

  /// Waits until the state of exactly this task changes; ECHILD if it is neither child nor tracee.
  public static func wait(for thread: ThreadID) throws(Errno) -> TaskState {
    var status: Int32 = 0
    while true {
      let result = cr_wait_task(thread.rawValue, &status, 0)
      if result == -Int(EINTR) { continue }
      try checked(result)
      return TaskState(status: status)
    }
  }

  /// The same without waiting; nil if nothing has changed.
  public static func poll(_ thread: ThreadID) throws(Errno) -> TaskState? {
    var status: Int32 = 0
    let result = try checked(cr_wait_task(thread.rawValue, &status, WNOHANG))
    return result == 0 ? nil : TaskState(status: status)
  }
}
