// SPDX-License-Identifier: Apache-2.0
import Architecture
import CLinux
import Engine
import Linux

/// A process with callbacks, critical sections or hooks, in the course of one request.
final class Party {
  var block: ControlBlock
  /// Threads that were called and have not answered yet.
  var expected: Set<Int32> = []
  /// After a restart: threads that may be in callbacks. Which of them are is not known, only how
  /// many: `expected` has as many entries.
  var runners: Set<Int32>?
  /// Threads that stand inside cr_checkpoint().
  var ready: Set<Int32> = []
  /// Threads that stand where they left the last critical section.
  var left: Set<Int32> = []
  /// Threads that had blocked our signal, until their handler blocks it again.
  private var unblocked: Set<Int32> = []
  /// The outcome has been told, and is not to be told again.
  var isTold = false

  var process: ProcessID { block.process }
  var standing: Set<Int32> { ready.union(left) }
  var caller: Caller { Caller(process, signal: signal) }

  init(_ block: ControlBlock) { self.block = block }

  /// It has ended.
  func forget(_ thread: ThreadID) {
    expected.remove(thread.rawValue)
    ready.remove(thread.rawValue)
    left.remove(thread.rawValue)
    runners?.remove(thread.rawValue)
    while let runners, expected.count > runners.count { expected.removeFirst() }
  }

  /// Its callbacks have returned.
  func isDone(_ thread: ThreadID) {
    if runners?.remove(thread.rawValue) != nil {
      _ = expected.popFirst()
    } else {
      expected.remove(thread.rawValue)
    }
  }

  /// All callbacks have returned, so any that are still counted were those of threads that ended
  /// without a chance to say so.
  func forgetLostRunners(by engine: inout some Engine & ~Copyable) throws(EngineError) {
    try block.refresh(by: engine)
    let lost = block[.runners]
    if lost == 0 { return }
    try block.set(.runners, to: 0, by: &engine)
    try block.set(.arriving, to: block[.arriving] &- lost, by: &engine)
    try block.set(.lock, to: block[.lock] &- lost &* UInt32(CR_LOCK_RUN), by: &engine)
  }

  /// Tells the library that this arrival was seen, so that it can tell us from nobody.
  func answer(by engine: inout some Engine & ~Copyable) throws(EngineError) {
    try block.set(.answers, to: block[.answers] &+ 1, by: &engine)
  }

  func setPhase(
    _ phase: cr_control_phase, of request: UInt32, by engine: inout some Engine & ~Copyable
  ) throws(EngineError) {
    try block.set(.phase, to: request << 8 | phase.rawValue, by: &engine)
  }

  /// Calls a held thread; the signal reaches it as soon as it runs.
  func call(_ thread: ThreadID, by engine: inout some Engine & ~Copyable) throws(EngineError) {
    var value = CR_CALLS
    // The server waits for the signal without a handler.
    if UInt32(bitPattern: thread.rawValue) != block[.server] {
      let mask = try engine.signalMask(of: thread)
      if mask & ownSignal != 0 {
        value = CR_CALLS_BLOCKED
        try engine.setSignalMask(mask & ~ownSignal, of: thread)
        unblocked.insert(thread.rawValue)
      }
    }
    let result = cr_queue_thread_signal(
      process.rawValue, thread.rawValue, signal, Int32(value))
    // ESRCH: it was killed, and that will be seen.
    if result < 0, result != -ESRCH {
      throw EngineError("call thread", process, Errno(rawValue: -result))
    }
    if result == 0 { expected.insert(thread.rawValue) }
  }

  /// Puts the library's handler in the place of whatever the program has there, which is written
  /// down in the block first: should we be killed, others put it back.
  func installHandler(by engine: inout some Engine & ~Copyable) throws(EngineError) {
    let wanted = block.action
    guard !wanted.isEmpty, let thread = engine.threads(of: process).first else { return }
    let present = try action(by: &engine, of: thread)
    guard present != wanted else { return }
    try engine.write(present, to: block.address + UInt64(CR_AT_DISPLACED), of: process)
    try block.set(.displacedSize, to: UInt32(present.count), by: &engine)
    try setAction(wanted, by: &engine, of: thread)
  }

  /// Puts back what `installHandler` has displaced, ours or that of an engine that was killed.
  ///
  /// Not while a thread may yet send itself the signal: then the last of them does it (run.c).
  func restoreAction(by engine: inout some Engine & ~Copyable) throws(EngineError) {
    try block.refresh(by: engine)
    for thread in engine.threads(of: process)
    where unblocked.contains(thread.rawValue) && expected.contains(thread.rawValue) {
      let mask = try engine.signalMask(of: thread)
      try engine.setSignalMask(mask | ownSignal, of: thread)
    }
    unblocked = []
    guard block[.displacedSize] != 0, block[.arriving] == 0,
      let thread = engine.threads(of: process).first
    else { return }
    // The application may have set another one since.
    if try action(by: &engine, of: thread) == block.action {
      // Ignoring a signal takes away those that are pending: of our calls nobody is to hear now.
      try setAction(block.ignoringAction, by: &engine, of: thread)
      try setAction(block.displaced, by: &engine, of: thread)
    }
    try block.set(.displacedSize, to: 0, by: &engine)
  }

  private func action(
    by engine: inout some Engine & ~Copyable, of thread: ThreadID
  ) throws(EngineError) -> [UInt8] {
    let place = try engine.scratch(in: process).start
    let result = try engine.call(
      .rtSigaction, [UInt64(signal), 0, place, 8], in: thread)
    if case .failure(let errno) = result {
      throw EngineError("ask for a signal's action", process, errno)
    }
    return try engine.read(
      MemoryRange(start: place, count: UInt64(block.action.count)), of: process)
  }

  private func setAction(
    _ action: [UInt8], by engine: inout some Engine & ~Copyable, of thread: ThreadID
  ) throws(EngineError) {
    let place = try engine.scratch(in: process).start
    try engine.write(action, to: place, of: process)
    let result = try engine.call(
      .rtSigaction, [UInt64(signal), place, 0, 8], in: thread)
    if case .failure(let errno) = result {
      throw EngineError("set a signal's action", process, errno)
    }
  }

  /// CR_SIGNUM, as the library that it has loaded was configured.
  var signal: Int32 { block.number }
  private var ownSignal: UInt64 { 1 << UInt64(signal - 1) }
}
