// SPDX-License-Identifier: Apache-2.0
import Architecture
import Engine
import Linux
import Request
import Snapshot

extension Snapshot {
  /// What a thread of a process has used that this processor lacks.
  ///
  /// - Parameter fresh: the regset of a new process.
  func lackOfRegisters(
    _ process: Process, fresh: (UInt32) throws(Failure) -> [UInt8]
  ) throws(Failure) -> Failure? {
    for thread in process.threads {
      for set in thread.registerSets where thread.registers.mayLack(set.noteType) {
        let present = try fresh(set.noteType)
        guard let lack = thread.registers.lacking(set.noteType, saved: set.bytes, present: present) else {
          continue
        }
        return Failure(
          .notSupported,
          "thread \(thread.id) of process \(process.id) (\(process.name)), saved on \(job.host), uses "
            + "\(lack): restart it on a processor like the one that it was saved on")
      }
    }
    return nil
  }
}

/// Registers beyond the general ones, of which a processor may have fewer than the one that they were saved on.
extension Rebuilder {
  /// Before anything is restored: a new process of the same kind has what this processor has.
  func checkRegisters<E: Engine & ~Copyable>(
    _ index: Int, by engine: inout E
  ) throws(Failure) {
    var present: [RegisterSet] = []
    let failure = try snapshot.lackOfRegisters(snapshot.processes[index]) { type throws(Failure) in
      try fresh(type, &present, index, by: &engine)
    }
    if let failure { throw failure }
  }

  /// In the form that the kernel takes here, and not at all where it has no such set.
  func restoreRegisterSets<E: Engine & ~Copyable>(
    of thread: Thread, to target: ThreadID, _ present: inout [RegisterSet], _ index: Int, by engine: inout E
  ) throws(Failure) {
    for set in thread.registerSets {
      var bytes = set.bytes
      if thread.registers.mayLack(set.noteType) {
        let fresh = try fresh(set.noteType, &present, index, by: &engine)
        guard let fitted = thread.registers.fitted(set.noteType, saved: set.bytes, present: fresh) else {
          continue
        }
        bytes = fitted
      }
      try engaging { () throws(EngineError) in
        try engine.setRegisterSet(set.noteType, to: bytes, of: target)
      }
    }
  }

  /// The leader's, asked once.
  private func fresh<E: Engine & ~Copyable>(
    _ noteType: UInt32, _ present: inout [RegisterSet], _ index: Int, by engine: inout E
  ) throws(Failure) -> [UInt8] {
    if let known = present.first(where: { $0.noteType == noteType }) { return known.bytes }
    let bytes = try engaging { () throws(EngineError) in
      try engine.registerSet(noteType, of: members[index].id.leader)
    }
    present.append(RegisterSet(noteType: noteType, bytes: bytes))
    return bytes
  }
}
