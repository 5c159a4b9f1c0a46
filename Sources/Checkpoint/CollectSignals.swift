// SPDX-License-Identifier: Apache-2.0
import Architecture
import Engine
import Linux
import Request
import Snapshot

extension Collector {
  /// Actions that are not the default, and signals pending for the whole process.
  mutating func collectSignals<E: Engine & ~Copyable>(
    _ process: inout Process, _ status: ProcessStatus, _ remote: RemoteProcess,
    by engine: inout E
  ) throws(Failure) {
    // Only these differ from the default, and SIGCHLD may in its flags alone (SA_NOCLDWAIT).
    let childSignal: UInt64 = 1 << 16
    let asked = status.caughtSignals | status.ignoredSignals | childSignal
    for signal in Int32(1) ... 64 where asked >> UInt64(signal - 1) & 1 != 0 {
      let action = try signalAction(signal, remote, by: &engine)
      if action.handler != 0 || action.flags != 0 { process.signalActions.append(action) }
    }
    if status.sharedPendingSignals != 0 {
      process.pendingSignals = try engaging { () throws(EngineError) in
        try engine.pendingSignals(of: remote.speaker, shared: true)
      }
    }
  }

  /// rt_sigaction(2): the kernel's struct is handler, flags, restorer, mask on our processors.
  private func signalAction<E: Engine & ~Copyable>(
    _ signal: Int32, _ remote: RemoteProcess, by engine: inout E
  ) throws(Failure) -> SignalAction {
    var words = try remote.structure(
      3 * remote.wordSize + 8, by: &engine, "read signal actions", .rtSigaction,
      [UInt64(signal), 0, remote.slot, 8])
    let handler = words.word()
    let flags = words.word()
    let restorer = words.word()
    return SignalAction(
      signal: signal, handler: handler, flags: flags, restorer: restorer, mask: words.signalSet())
  }
}
