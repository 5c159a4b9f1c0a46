// SPDX-License-Identifier: Apache-2.0
import Architecture
import Engine
import Linux

/// The same call in many threads: started in all of them before the first is waited for.
extension PtraceEngine {
  public mutating func callEach(
    _ calls: [ThreadCall]
  ) throws(EngineError) -> [Result<UInt64, Errno>] {
    var parties: [(thread: HeldThread, held: HeldProcess, call: SystemCall)] = []
    var results = [Result<UInt64, Errno>](repeating: .failure(.notImplemented), count: calls.count)
    var unfinished: [Int] = []
    for (index, call) in calls.enumerated() {
      let thread = try heldThread(call.thread)
      let held = try held(thread.process)
      try Self.prepare(thread, of: held)
      let number = thread.calling?.number(of: call.name)
      parties.append((thread, held, SystemCall(number: number ?? 0, arguments: call.arguments)))
      if number != nil { unfinished.append(index) }
    }
    // A failure in the middle leaves some threads running; they are brought to a stand first.
    var failure: EngineError?
    while !unfinished.isEmpty, failure == nil {
      var running: [Int] = []
      for index in unfinished {
        let party = parties[index]
        do throws(EngineError) {
          try Self.start(party.call, in: party.thread, of: party.held)
          running.append(index)
        } catch { failure = failure ?? error }
      }
      var again: [Int] = []
      while !running.isEmpty {
        var still: [Int] = []
        for index in running {
          let party = parties[index]
          do throws(EngineError) {
            guard try Self.advance(party.thread, of: party.held) else {
              still.append(index)
              continue
            }
            if let result = try Self.result(of: party.thread) {
              results[index] = result
            } else {
              again.append(index)
            }
          } catch { failure = failure ?? error }
        }
        running = still
      }
      unfinished = again
    }
    if let failure { throw failure }
    return results
  }
}
