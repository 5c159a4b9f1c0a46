// SPDX-License-Identifier: Apache-2.0
import Architecture
import CLinux
import Engine
import Linux
import Request
import Snapshot

extension Rebuilder {
  /// Signal actions of a process; signals that it had at their default, and that we were started
  /// to ignore, are set as well.
  func restoreSignalActions<E: Engine & ~Copyable>(
    _ index: Int, by engine: inout E
  ) throws(Failure) {
    let process = snapshot.processes[index]
    let remote = remote(index)
    var actions = process.signalActions.filter { $0.signal != SIGKILL && $0.signal != SIGSTOP }
    for signal in Int32(1) ... 64
    where surroundings.ignores(signal) && !actions.contains(where: { $0.signal == signal }) {
      actions.append(SignalAction(signal: signal, handler: 0, flags: 0, restorer: 0, mask: 0))
    }
    // SIGTRAP last: the engine's own single steps reset an action that ignores it.
    actions.sort { ($0.signal == SIGTRAP ? 99 : $0.signal) < ($1.signal == SIGTRAP ? 99 : $1.signal) }
    if actions.isEmpty { return }
    let structures = actions.map { $0.bytes(for: remote.machine) }
    _ = try remote.put(structures.flatMap { $0 }, by: &engine)
    var address = remote.scratch.start
    for (action, structure) in zip(actions, structures) {
      try remote.call(
        "set a signal action", .rtSigaction, [UInt64(action.signal), address, 0, 8], by: &engine)
      address += UInt64(structure.count)
    }
  }

  /// Queues what was pending, for the process and for each thread. All signals are blocked in held
  /// threads, so nothing is delivered before the release.
  ///
  /// A process may send itself anything with any siginfo; nobody else may (rt_sigqueueinfo(2)).
  func restorePendingSignals<E: Engine & ~Copyable>(
    _ index: Int, by engine: inout E
  ) throws(Failure) {
    let process = snapshot.processes[index]
    let remote = remote(index)
    let id = UInt64(UInt32(bitPattern: remote.id.rawValue))
    for info in process.pendingSignals {
      let signal = UInt64(TargetFields(info, remote.machine).int32(at: 0))
      let address = try remote.put(info, by: &engine)
      try remote.call(
        "queue a signal", .rtSigqueueinfo, [id, signal, address], by: &engine)
    }
    for (place, thread) in process.threads.enumerated() {
      let target = members[index].threads[place]
      for info in thread.pendingSignals {
        let signal = UInt64(TargetFields(info, remote.machine).int32(at: 0))
        let address = try remote.put(info, by: &engine)
        let arguments = [id, UInt64(UInt32(bitPattern: target.rawValue)), signal, address]
        let outcome = try engaging { () throws(EngineError) in
          try engine.call(.rtTgsigqueueinfo, Remote.six(arguments), in: target)
        }
        if case .failure(let errno) = outcome {
          throw Failure("queue a signal", remote.id, remote.name, errno)
        }
      }
    }
  }

  /// setitimer(2) with the time that was left; from here on it counts.
  func startIntervalTimers<E: Engine & ~Copyable>(
    _ index: Int, by engine: inout E
  ) throws(Failure) {
    let remote = remote(index)
    for (number, timer) in snapshot.processes[index].intervalTimers.enumerated() {
      if timer.remaining == 0 && timer.interval == 0 { continue }
      var fields = TargetStructure(for: remote.machine)
      // One that has just rung is set again by the kernel when its signal is taken
      // (kernel/signal.c, dequeue_signal); 0 would switch it off.
      for time in [timer.interval, max(timer.remaining, 1)] {
        fields.word(time / 1_000_000)
        fields.word(time % 1_000_000)
      }
      let address = try remote.put(fields.bytes, by: &engine)
      try remote.call(
        "start an interval timer", .setitimer, [UInt64(number), address, 0], by: &engine)
    }
  }
}

/// Reads the fields of a structure that a target or its kernel wrote.
struct TargetFields {
  private let bytes: [UInt8]
  private let machine: Machine

  init(_ bytes: [UInt8], _ machine: Machine) {
    self.bytes = bytes
    self.machine = machine
  }

  func int32(at offset: Int) -> UInt32 { UInt32(truncatingIfNeeded: integer(at: offset, 4)) }
  func int64(at offset: Int) -> UInt64 { integer(at: offset, 8) }
  func word(at offset: Int) -> UInt64 { integer(at: offset, machine.wordSize.bytes) }

  private func integer(at offset: Int, _ size: Int) -> UInt64 {
    var value: UInt64 = 0
    for index in 0 ..< size where offset + index < bytes.count {
      let shift = machine.byteOrder == .little ? index : size - 1 - index
      value |= UInt64(bytes[offset + index]) << UInt64(8 * shift)
    }
    return value
  }
}
