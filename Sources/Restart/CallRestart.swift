// SPDX-License-Identifier: Apache-2.0
import Architecture
import Snapshot

/// How a system call that the checkpoint interrupted goes on after a restart.
///
/// The kernel decides that when a stopped thread runs on: a call that a handler interrupts returns
/// EINTR or is made again, as the handler's SA_RESTART says; without a handler it is made again,
/// or continued from its restart block. The restart block of the old process is gone. What the
/// kernel keeps there is the moment at which a sleep ends, and
/// - for an absolute time (futex(2) with FUTEX_WAIT_BITSET, as glibc uses it) that moment stands
///   in the arguments, so making the call again is exactly right;
/// - nanosleep(2) and clock_nanosleep(2) wrote the rest into `rem` when they were interrupted, so
///   the call is made again with `rem` as its request; sleep(3) passes one structure for both;
/// - of poll(2), of a relative futex(2) and of sleeps that want no rest the checkpoint finds out what is left
///   (`LimitedWaits`), and the kernel is given a restart block with that (`beginAgain`). Where either cannot be done
///   they are made again with the whole time: they wait longer than asked, and never less.
struct CallRestart {
  private let process: Process

  init(_ process: Process) { self.process = process }

  /// `read` gives 16 bytes of the process's memory, a time in whichever form.
  func restart(
    _ registers: inout Registers, _ kind: InterruptedCall, of thread: Thread, isLeader: Bool,
    read: (UInt64) -> [UInt8]?
  ) {
    // The kernel sees to it when the thread runs on.
    if kind == .again { return }
    // A call with a restart block is never made again after a handler.
    if isHandlerPending(thread, isLeader) {
      registers.abandonInterruptedCall()
    } else if let rest = sleepThatIsLeft(registers, read) {
      registers.repeatInterruptedCall(with: rest)
    } else {
      registers.repeatInterruptedCall()
    }
  }

  /// Whether a handler runs before the thread does anything else.
  func isHandlerPending(_ thread: Thread, _ isLeader: Bool) -> Bool {
    // The kernel prefers the leader for what is sent to the process.
    let pending = thread.pendingSignals + (isLeader ? process.pendingSignals : [])
    for info in pending {
      let signal = TargetFields(info, process.machine).int32(at: 0)
      guard signal > 0, signal <= 64, thread.signalMask >> UInt64(signal - 1) & 1 == 0,
        let action = process.signalActions.first(where: { $0.signal == Int32(signal) }),
        action.handler > 1
      else { continue }
      return true
    }
    return false
  }

  /// The arguments of an interrupted relative sleep, with what is left of it as the request.
  private func sleepThatIsLeft(
    _ registers: Registers, _ read: (UInt64) -> [UInt8]?
  ) -> [UInt64]? {
    guard var call = registers.currentCall else { return nil }
    let request: Int
    let isLong = call.number == registers.number(of: .clockNanosleepTime64)
    if call.number == registers.number(of: .nanosleep) {
      request = 0
    } else if isLong || call.number == registers.number(of: .clockNanosleep) {
      request = 2
    } else {
      return nil
    }
    let rest = call.arguments[request + 1]
    guard rest != 0, rest != call.arguments[request], let bytes = read(rest) else { return nil }
    let fields = TargetFields(bytes, process.machine)
    let nanoseconds = isLong ? fields.int64(at: 8) : fields.word(at: process.machine.wordSize.bytes)
    // Never written (a kernel that reports no rest for this clock): then the whole time again.
    guard nanoseconds < 1_000_000_000,
      (isLong ? fields.int64(at: 0) : fields.word(at: 0)) | nanoseconds != 0
    else { return nil }
    call.arguments[request] = rest
    return call.arguments
  }
}
