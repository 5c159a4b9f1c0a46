// SPDX-License-Identifier: Apache-2.0
import CLinux
import Engine
import Linux
import Request

/// The other half of the callbacks, after a restart.
extension Rendezvous {
  /// Tells a rebuilt, held process that it has been restarted, and under which ids.
  ///
  /// - Parameter threads: ids at the checkpoint, in the order of the engine's threads.
  public mutating func enroll<E: Engine & ~Copyable>(
    restarted process: ProcessID, savedAs saved: ProcessID, threads: [ThreadID],
    requester: ProcessID, source: ByteString, by engine: inout E
  ) throws(Failure) {
    do throws(EngineError) {
      for var block in try NoteSearch(process: process).blocks(by: engine) where block.isFull {
        // Requests need no cr_init(), so this is for blocks without an owner too.
        try block.set(.generation, to: block[.generation] &+ 1, by: &engine)
        try block.clearHelpers(by: &engine)
        guard block[.owner] == UInt32(bitPattern: saved.rawValue) else { continue }
        if process != saved {
          try block.renumber(to: process, threads, engine.threads(of: process), by: &engine)
        }
        guard block[.runners] != 0, block[.outcome] == CR_OUTCOME_NONE.rawValue else { continue }
        try block.setPath(at: Int(CR_AT_SOURCE), to: source, by: &engine)
        try block.set(.restartRequester, to: UInt32(bitPattern: requester.rawValue), by: &engine)
        parties.append(Party(block))
      }
    } catch {
      throw Failure(error.errno, "cannot \(error.step) of process \(process): \(error.errno)")
    }
  }

  /// Lets the callbacks of a process go on; false if it has none to go on.
  public mutating func resume<E: Engine & ~Copyable>(
    restarted process: ProcessID, by engine: inout E
  ) throws(Failure) -> Bool {
    guard let party = party(process) else { return false }
    do throws(EngineError) {
      var waiting = try party.threadsToHold(.restarted, by: engine)
      // Threads that the library has no record of may be in a hook.
      if party.block.wants(CR_WANTS_ALL) { waiting = [] }
      try party.end(.restarted, nil, by: &engine)
      try party.expectRunners(by: engine)
      try engine.run(process, but: waiting)
    } catch {
      throw Failure(error.errno, "cannot \(error.step) of process \(process): \(error.errno)")
    }
    return true
  }

  /// Returns when all callbacks have; all those processes are held then.
  public mutating func awaitRestarted<E: Engine & ~Copyable>(
    by engine: inout E, report: inout Report
  ) throws(Failure) {
    if parties.isEmpty { return }
    report.step("waiting for the programs' callbacks")
    try awaitEnd(parties, by: &engine, &report)
    if hasAborted {
      // CR_ERSTRTABRT
      throw Failure(
        Errno(rawValue: 2362), "a callback failed after the restart; the job is ended")
    }
  }
}

extension Party {
  /// Whose callbacks are to be waited for after a restart.
  fileprivate func expectRunners(by engine: borrowing some Engine & ~Copyable) throws(EngineError) {
    let known = try block.threads(by: engine)
    var candidates: Set<Int32> = []
    for thread in engine.threads(of: process) {
      var runs = block.wants(CR_WANTS_ALL)
      if UInt32(bitPattern: thread.rawValue) == block[.server] {
        runs = block.wants(CR_WANTS_SERVER)
      } else if let record = known.first(where: { $0.id == thread }) {
        runs = record.isRunningCallbacks
      }
      if runs { candidates.insert(thread.rawValue) }
    }
    runners = candidates
    let count = min(Int(block[.runners]), candidates.count)
    expected = Set((0 ..< Int32(count)).map { -1 - $0 })
  }
}

extension ControlBlock {
  /// The helpers of requests stayed behind.
  mutating func clearHelpers(by engine: inout some Engine & ~Copyable) throws(EngineError) {
    let none = [UInt8](repeating: 0, count: 4 * Int(CR_CONTROL_HELPERS))
    try engine.write(none, to: address + UInt64(CR_AT_HELPERS), of: process)
  }

  /// The ids of a process that could not have its old ones.
  mutating func renumber(
    to process: ProcessID, _ old: [ThreadID], _ new: [ThreadID],
    by engine: inout some Engine & ~Copyable
  ) throws(EngineError) {
    func now(_ id: UInt32) -> UInt32? {
      guard let index = old.firstIndex(of: ThreadID(Int32(bitPattern: id))), index < new.count
      else { return nil }
      return UInt32(bitPattern: new[index].rawValue)
    }
    try set(.owner, to: UInt32(bitPattern: process.rawValue), by: &engine)
    if let server = now(self[.server]) { try set(.server, to: server, by: &engine) }
    for thread in try threads(by: engine) {
      guard let id = now(UInt32(bitPattern: thread.id.rawValue)) else { continue }
      try engine.write(
        withUnsafeBytes(of: id) { Array($0) }, to: thread.address + 8, of: process)
    }
  }
}
