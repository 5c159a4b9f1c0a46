// SPDX-License-Identifier: Apache-2.0
import CLinux
import Engine
import Linux

/// Processes that run while they are ours: a thread that calls us through the control file stands
/// still before it has gone on.
extension KernelEngine {
  public mutating func run(
    _ process: ProcessID, but standing: Set<Int32>
  ) throws(EngineError) {
    let held = try held(process)
    let ids = Array(standing)
    held.scratch = nil
    var failure: EngineError?
    ids.withUnsafeBytes { buffer in
      var request = cr_run()
      request.pid = process.rawValue
      request.count = UInt32(ids.count)
      request.standing = reference(buffer.baseAddress)
      do throws(EngineError) {
        try ask("let threads run", process, cr_run_request(), &request)
      } catch { failure = error }
    }
    if let failure { throw failure }
    for thread in held.threads where !standing.contains(thread.id.rawValue) {
      thread.isRunning = true
      thread.registers = nil
      thread.sleep = nil
    }
  }

  public mutating func awaitCall(
    of callers: [Caller], milliseconds: Int32
  ) throws(EngineError) -> WatchedEvent? {
    var request = cr_news()
    request.milliseconds = milliseconds
    do throws(Errno) { try control.perform(cr_news_request(), &request) } catch {
      // A signal of ours: the caller looks after it.
      if error == .interrupted { return nil }
      throw EngineError("wait for callbacks", callers.first?.process ?? ProcessID(0), error)
    }
    let thread = ThreadID(request.tid)
    let process = ProcessID(request.pid)
    switch Int32(request.kind) {
    case CR_NEWS_CALL:
      guard let held = self.processes[process.rawValue] else { return nil }
      let caller = tasks[thread.rawValue] ?? HeldThread(thread, of: process)
      if tasks[thread.rawValue] == nil {
        held.threads.append(caller)
        tasks[thread.rawValue] = caller
      }
      caller.isRunning = false
      caller.registers = nil
      return .call(thread: thread, value: request.value)
    case CR_NEWS_END:
      guard let held = self.processes[process.rawValue] else { return nil }
      held.threads.removeAll { $0.id.rawValue == thread.rawValue }
      tasks[thread.rawValue] = nil
      let isLast = request.last != 0
      if isLast { forget(held) }
      return .ended(thread: thread, process: process, isLast: isLast)
    default:
      return nil
    }
  }
}
