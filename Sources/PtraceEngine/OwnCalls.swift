// SPDX-License-Identifier: Apache-2.0
import Architecture
import CLinux
import Engine
import Linux

/// The call that a thread was interrupted in, made again by the thread itself before it is let go; see
/// `Architecture.callToMakeAgain`.
extension PtraceEngine {
  /// Makes the thread enter its own call at its own place, and be interrupted there at once, so that the
  /// kernel knows what it interrupted and decides when the thread goes on. The registers behind the call.
  ///
  /// With the thread's own mask: if we are killed in the middle, it is simply in its call.
  static func makeAgain(
    _ call: UInt64, _ registers: Registers, in thread: HeldThread, of held: HeldProcess
  ) throws(EngineError) -> Registers {
    let mask = try signalMask(thread)
    try attempt("give thread its call back", held.id) { () throws(Errno) in
      try Tracing.setSignalMask(mask, of: thread.id)
      try Tracing.setRegisterSet(1, to: registers.generalRegisters, of: thread.id)
      try Tracing.resume(thread.id, .toSystemCall)
      try awaitCall(thread, of: held)
      try Tracing.setSignalMask(mask, of: thread.id)
      if call != registers.currentCall?.number {
        try Tracing.setSystemCall(call, of: thread.id)
      }
      // Taken note of when the thread would sleep.
      try Tracing.interrupt(thread.id)
      try Tracing.resume(thread.id, .toSystemCall)
      try awaitCall(thread, of: held)
    }
    var after = try current(thread)
    after.interruptAgain(after: call)
    return after
  }

  /// Waits for the stop before or behind a call.
  private static func awaitCall(_ thread: HeldThread, of held: HeldProcess) throws(Errno) {
    while true {
      var signal: Int32 = 0
      switch try held.nextStop(of: thread) {
      case .systemCall: return
      case .signal(SIGSTOP): held.postponedStop = SIGSTOP
      case .signal(let other):
        // It comes first, and must not: blocked when it is delivered, it is put back (kernel/signal.c,
        // ptrace_signal).
        try Tracing.setSignalMask(quiet | 1 << UInt64(other - 1), of: thread.id)
        signal = other
      case .ended: throw .noProcess
      case .event, .interrupted: break
      }
      try Tracing.resume(thread.id, .toSystemCall, signal: signal)
    }
  }

  /// From the stop behind our last call into one outside of calls.
  static func leaveCall(_ thread: HeldThread, of held: HeldProcess) throws(EngineError) {
    try attempt("give thread back", held.id) { () throws(Errno) in
      try Tracing.interrupt(thread.id)
      try Tracing.resume(thread.id, .run)
      while true {
        switch try held.nextStop(of: thread) {
        case .interrupted: return
        case .signal(SIGSTOP): held.postponedStop = SIGSTOP
        case .ended: throw .noProcess
        case .signal, .event, .systemCall: break
        }
        try Tracing.interrupt(thread.id)
        try Tracing.resume(thread.id, .run)
      }
    }
  }
}
