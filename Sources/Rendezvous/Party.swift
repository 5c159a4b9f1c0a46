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
  /// Threads that stand inside cr_checkpoint().
  var ready: Set<Int32> = []
  /// Threads that stand where they left the last critical section.
  var left: Set<Int32> = []
  /// What the program had as action of CR_SIGNUM, if not the library's.
  var ownAction: [UInt8]?

  var process: ProcessID { block.process }
  var standing: Set<Int32> { ready.union(left) }

  init(_ block: ControlBlock) { self.block = block }

  func forget(_ thread: ThreadID) {
    expected.remove(thread.rawValue)
    ready.remove(thread.rawValue)
    left.remove(thread.rawValue)
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
      if mask & Self.ownSignal != 0 {
        value = CR_CALLS_BLOCKED
        try engine.setSignalMask(mask & ~Self.ownSignal, of: thread)
      }
    }
    let result = cr_queue_thread_signal(
      process.rawValue, thread.rawValue, Self.signal, Int32(value))
    // ESRCH: it was killed, and that will be seen.
    if result < 0, result != -ESRCH {
      throw EngineError("call thread", process, Errno(rawValue: -result))
    }
    if result == 0 { expected.insert(thread.rawValue) }
  }

  /// Puts the library's handler in the place of whatever the program has there.
  func installHandler(by engine: inout some Engine & ~Copyable) throws(EngineError) {
    let wanted = block.action
    guard !wanted.isEmpty, let thread = engine.threads(of: process).first else { return }
    let present = try action(by: &engine, of: thread)
    guard present != wanted else { return }
    ownAction = present
    try setAction(wanted, by: &engine, of: thread)
  }

  func restoreAction(by engine: inout some Engine & ~Copyable) throws(EngineError) {
    guard let action = ownAction, let thread = engine.threads(of: process).first else { return }
    ownAction = nil
    try setAction(action, by: &engine, of: thread)
  }

  private func action(
    by engine: inout some Engine & ~Copyable, of thread: ThreadID
  ) throws(EngineError) -> [UInt8] {
    let place = try engine.scratch(in: process).start
    let result = try engine.call(
      .rtSigaction, [UInt64(Self.signal), 0, place, 8], in: thread)
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
      .rtSigaction, [UInt64(Self.signal), place, 0, 8], in: thread)
    if case .failure(let errno) = result {
      throw EngineError("set a signal's action", process, errno)
    }
  }

  /// CR_SIGNUM.
  static var signal: Int32 { 64 }
  private static var ownSignal: UInt64 { 1 << UInt64(signal - 1) }
}
