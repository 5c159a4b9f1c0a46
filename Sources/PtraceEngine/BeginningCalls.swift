// SPDX-License-Identifier: Apache-2.0
import Architecture
import Engine
import Linux

extension PtraceEngine {
  public mutating func begin(
    _ call: SystemCall, in thread: ThreadID
  ) throws(EngineError) -> BegunCall {
    let thread = try heldThread(thread)
    let held = try held(thread.process)
    guard held.isNew else { return .notBegun }
    try Self.prepare(thread, of: held)
    guard let quiet = thread.calling, quiet.resumesByRestartBlock, let landmarks = held.landmarks else {
      return .notBegun
    }
    var registers = quiet
    registers.prepare(call, at: landmarks.systemCall)
    return try attempt("begin a call in", held.id) { () throws(Errno) in
      try Tracing.setRegisterSet(1, to: registers.generalRegisters, of: thread.id)
      try Tracing.resume(thread.id, .toSystemCall)
      guard case .systemCall = try held.nextStop(of: thread) else { throw .noProcess }
      // Asked for now, the stop is what the call finds when it wants to sleep; the one behind the call takes its place.
      try Tracing.interrupt(thread.id)
      try Tracing.resume(thread.id, .toSystemCall)
      guard case .systemCall = try held.nextStop(of: thread),
        let after = Registers(traced: try Tracing.registerSet(1, of: thread.id, capacity: 512))
      else { throw .noProcess }
      switch after.outcome {
      case .success(let value): return .returned(Int64(bitPattern: value))
      case .failure(let errno) where errno.rawValue == 516: return .interrupted
      case .failure(let errno): return .returned(-Int64(errno.rawValue))
      }
    }
  }
}
