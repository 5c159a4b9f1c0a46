// SPDX-License-Identifier: Apache-2.0
import CLinux
import Engine
import Linux
import Request

/// Callbacks that an earlier request has left under way: it has failed, or its engine was killed.
extension Rendezvous {
  /// Waits for their end. Everybody runs meanwhile, for they may wait for each other, as the ranks of a job do
  /// that connect anew.
  mutating func awaitFormerCallbacks<E: Engine & ~Copyable>(
    of newcomers: [Party], by engine: inout E, _ report: inout Report
  ) throws(Failure) {
    // Longer than callbacks take; but one of them may wait for this very request.
    let end = min(deadline.nanoseconds, Clock.monotonic.reading + 10_000_000_000)
    while let busy = newcomers.first(where: {
      $0.block[.runners] != 0 && party($0.process) != nil
    }) {
      if Clock.monotonic.reading >= end {
        throw Failure(
          Errno(rawValue: EBUSY),
          "process \(busy.process) is still busy with the callbacks of another checkpoint")
      }
      guard report.advance(0) else {
        throw Failure(.interrupted, "called off while waiting for callbacks")
      }
      try runForAMoment(by: &engine)
      try told { () throws(EngineError) in
        for newcomer in newcomers where party(newcomer.process) != nil {
          try newcomer.block.refresh(by: engine)
        }
      }
    }
  }

  /// Until somebody calls, who gets no answer: that is how the library learns that his request is over.
  private mutating func runForAMoment<E: Engine & ~Copyable>(by engine: inout E) throws(Failure) {
    hasLetRun = true
    for process in processes {
      let standing = party(process)?.standing ?? []
      try told { () throws(EngineError) in try engine.run(process, but: standing) }
    }
    let callers = callers
    let event = try toldValue { () throws(EngineError) in
      try engine.awaitCall(of: callers, milliseconds: 20)
    }
    if case .ended(let thread, let process, let isLast) = event {
      party(process)?.forget(thread)
      if isLast { noteEnd(of: process) }
    }
    try holdAll(by: &engine)
  }

  /// An engine that was killed may have left callbacks that are just returning; the last of them
  /// puts the program's own action of the signal back, which must not happen to our handler. And the
  /// thread of the thread-context callbacks may be being replaced.
  mutating func settle<E: Engine & ~Copyable>(
    _ newcomers: [Party], by engine: inout E
  ) throws(Failure) {
    for party in newcomers {
      for _ in 0 ..< 100 {
        let returns = party.block[.displacedSize] != 0 && party.block[.arriving] != 0
        let server = ThreadID(Int32(bitPattern: party.block[.server]))
        let isReplaced =
          party.block.wants(CR_WANTS_SERVER)
          && !engine.threads(of: party.process).contains(server)
        if !returns && !isReplaced { break }
        hasLetRun = true
        try told { () throws(EngineError) in
          try engine.run(party.process, but: [])
          _ = try engine.awaitCall(of: [party.caller], milliseconds: 1)
          try engine.hold(party.process, until: deadline)
          try party.block.refresh(by: engine)
        }
      }
    }
  }
}
