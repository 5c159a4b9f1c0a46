// SPDX-License-Identifier: Apache-2.0
import Architecture
import CLinux
import Engine
import Linux

/// Making a held thread do one system call.
///
/// In a program that runs, PTRACE_SYSCALL with its two stops: a thread that PTRACE_SINGLESTEP has
/// set going keeps its trap flag when the tracer is killed, and the next instruction's SIGTRAP
/// would kill it. Processes of our own making die with us anyway, so they take the single stop,
/// until they are told to ignore SIGTRAP: forcing an ignored signal resets its action, too.
extension PtraceEngine {
  /// Every signal that must not get in the way. SIGTRAP is left out: blocked, the kernel would
  /// reset its handler when it forces one (kernel/signal.c, force_sig_info_to_task).
  static var quiet: UInt64 { ~(1 << UInt64(SIGTRAP - 1)) }

  static func perform(
    _ call: SystemCall, in thread: HeldThread, of held: HeldProcess
  ) throws(EngineError) -> Result<UInt64, Errno> {
    while true {
      try start(call, in: thread, of: held)
      while !(try advance(thread, of: held)) {}
      if let result = try result(of: thread) { return result }
    }
  }

  /// Sets a call going. The thread is not stopped when this returns.
  static func start(
    _ call: SystemCall, in thread: HeldThread, of held: HeldProcess
  ) throws(EngineError) {
    guard var registers = thread.calling, let landmarks = held.landmarks else {
      throw EngineError("call in thread", held.id, .invalid)
    }
    registers.prepare(call, at: landmarks.systemCall)
    if call.number == registers.number(of: .rtSigaction), call.arguments.first == UInt64(SIGTRAP) {
      held.callsByStops = true
    }
    thread.hasEntered = false
    thread.born = nil
    try attempt("call in thread", held.id) { () throws(Errno) in
      try Tracing.setRegisterSet(1, to: registers.generalRegisters, of: thread.id)
      try Tracing.resume(thread.id, held.callsByStops ? .toSystemCall : .oneInstruction)
    }
  }

  /// Waits for the next stop and sees whether the call is over; if not, the thread goes on.
  static func advance(
    _ thread: HeldThread, of held: HeldProcess
  ) throws(EngineError) -> Bool {
    let how: Tracing.Resumption =
      held.callsByStops ? .toSystemCall : .oneInstruction
    do throws(Errno) {
      switch try held.nextStop(of: thread) {
      case .systemCall:
        if thread.hasEntered { return true }
        thread.hasEntered = true
      case .signal(SIGTRAP) where !held.callsByStops:
        return true
      case .signal(let signal):
        // Only what cannot be blocked: SIGSTOP takes effect at release.
        if signal == SIGSTOP { held.postponedStop = signal }
      case .event:
        if let id = try? Tracing.eventMessage(of: thread.id) {
          thread.born = ThreadID(Int32(truncatingIfNeeded: id))
        }
      case .interrupted:
        // SIGCONT, or a stop of the whole group, makes itself known first.
        break
      case .ended:
        throw .noProcess
      }
      try Tracing.resume(thread.id, how)
      return false
    } catch {
      throw EngineError("call in thread", held.id, error == .noChild ? .noProcess : error)
    }
  }

  /// Has a thread of our making execute one instruction that is no call.
  static func step(
    _ thread: HeldThread, of held: HeldProcess, at address: UInt64
  ) throws(EngineError) {
    guard var registers = thread.calling, held.isNew, !held.callsByStops else { return }
    registers.programCounter = address
    try attempt("step thread", held.id) { () throws(Errno) in
      try Tracing.setRegisterSet(1, to: registers.generalRegisters, of: thread.id)
      try Tracing.resume(thread.id, .oneInstruction)
      guard case .signal(SIGTRAP) = try held.nextStop(of: thread) else { throw .noProcess }
    }
  }

  /// The result of a finished call; nil if the kernel wants it made again.
  static func result(of thread: HeldThread) throws(EngineError) -> Result<UInt64, Errno>? {
    let registers = try current(thread)
    let outcome = registers.outcome
    // ERESTARTSYS and its kin, -512 … -516, are for tracers' eyes only.
    if case .failure(let errno) = outcome, (512 ... 516).contains(errno.rawValue) { return nil }
    return outcome
  }

  static func current(_ thread: HeldThread) throws(EngineError) -> Registers {
    let bytes = try attempt("read registers", thread.process) { () throws(Errno) in
      try Tracing.registerSet(1, of: thread.id, capacity: 512)
    }
    guard let registers = Registers(traced: bytes) else {
      if Registers.isOfWiderCode(traced: bytes) {
        throw EngineError("hold, with 32-bit tools, the 64-bit code", thread.process, .notSupported)
      }
      if Registers.isOfNarrowerCode(traced: bytes) {
        throw EngineError(
          "hold, with AArch64 tools, the 32-bit ARM code", thread.process, .notSupported)
      }
      throw EngineError("understand registers", thread.process, .notSupported)
    }
    return registers
  }

  /// The registers at the stop, out of any restartable sequence.
  ///
  /// Inside one, the kernel would send the thread to the abort handler when it next goes on; with
  /// other registers in it, it would not know. So that is done here (Documentation/rseq).
  static func first(_ thread: HeldThread, of held: HeldProcess) throws(EngineError) -> Registers {
    if let first = thread.first { return first }
    var registers = try current(thread)
    // Waits that no stop may end without a trace (signal(7)): the kernel is to make them again,
    // unless a handler runs.
    if !held.isNew {
      if registers.wantsInstruction {
        registers.stand(at: instruction(at: registers.programCounter, like: registers, of: held))
      }
      registers.hideInterruption(of: thread.seen.sleep)
    }
    if !held.isNew, let rseq = restartableSequence(of: thread), rseq.area != 0,
      let target = abortAddress(rseq.area, at: registers.programCounter, of: held.reachable)
    {
      registers.programCounter = target
      try attempt("leave a restartable sequence", held.id) { () throws(Errno) in
        try Tracing.setRegisterSet(1, to: registers.generalRegisters, of: thread.id)
        _ = try write([UInt8](repeating: 0, count: 8), to: rseq.area + 8, of: held)
      }
    }
    thread.first = registers
    return registers
  }

  /// The bytes where a thread goes on, as many as a call's instruction has; fewer if they cannot be
  /// read.
  private static func instruction(
    at address: UInt64, like registers: Registers, of held: HeldProcess
  ) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: registers.systemCallInstruction.count)
    let got = bytes.withUnsafeMutableBytes {
      (try? ProcessMemory.read(held.reachable, at: address, into: $0)) ?? 0
    }
    return Array(bytes.prefix(got))
  }

  static func restartableSequence(of thread: HeldThread) -> cr_rseq? {
    if let seen = thread.seen.restartableSequence { return seen }
    thread.seen.restartableSequence = Tracing.restartableSequence(of: thread.id)
    return thread.seen.restartableSequence
  }

  /// Where `struct rseq_cs` sends a thread that is interrupted at this address.
  private static func abortAddress(
    _ area: UInt64, at programCounter: UInt64, of process: ProcessID
  ) -> UInt64? {
    func words(_ address: UInt64, _ count: Int) -> [UInt64]? {
      var words = [UInt64](repeating: 0, count: count)
      let got = words.withUnsafeMutableBytes {
        (try? ProcessMemory.read(process, at: address, into: $0)) ?? 0
      }
      return got == count * 8 ? words : nil
    }
    // struct rseq: cpu_id_start, cpu_id, rseq_cs; struct rseq_cs: version and flags, start_ip,
    // post_commit_offset, abort_ip.
    guard let section = words(area + 8, 1), section[0] != 0, let fields = words(section[0], 4),
      programCounter &- fields[1] < fields[2]
    else { return nil }
    return fields[3]
  }
}
