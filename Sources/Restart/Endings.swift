// SPDX-License-Identifier: Apache-2.0
import Architecture
import CLinux
import Engine
import Linux
import Request
import Snapshot

// Zombies, and processes in a job-control stop, have told their parents already. So they reach
// their state first, and what the parents are told now is forgotten before their own pending
// signals are restored.

extension Rebuilder {
  /// Lets those end that are to be found dead by their parents.
  mutating func endZombies<E: Engine & ~Copyable>(by engine: inout E) throws(Failure) {
    for index in members.indices where members[index].id.rawValue != 0 && !members[index].hasEnded {
      let process = snapshot.processes[index]
      guard case .zombie(let status) = process.state, let parent = parent(of: index) else {
        continue
      }
      try accept(process.exitSignal, in: parent, by: &engine)
      try end(index, WaitStatus(rawValue: status), by: &engine)
      members[index].hasEnded = true
      try awaitState("Z", of: index)
      try forget(process.exitSignal, in: parent, by: &engine)
    }
  }

  /// exit(2) of a main thread that had ended; whatever concerns the process as a whole was done by it before.
  mutating func endLeader<E: Engine & ~Copyable>(_ index: Int, by engine: inout E) throws(Failure) {
    guard let status = snapshot.processes[index].leaderStatus else { return }
    let code = UInt64(status >> 8 & 0xff)
    try one("end the main thread", .exit, [code], members[index].id.leader, remote(index), by: &engine)
  }

  private func end<E: Engine & ~Copyable>(
    _ index: Int, _ status: WaitStatus, by engine: inout E
  ) throws(Failure) {
    let id = members[index].id
    switch status.event {
    case .killed(let signal) where signal != SIGKILL:
      try die(id, of: signal, by: &engine)
    case .killed, .stopped, .continued:
      engine.kill(id)
    case .exited(let code):
      let outcome = try engaging { () throws(EngineError) in
        try engine.call(.exitGroup, Remote.six([UInt64(code)]), in: id.leader)
      }
      if case .failure(let errno) = outcome { throw Failure("end", id, name(index), errno) }
    }
  }

  /// A death by a signal, without a core file.
  private func die<E: Engine & ~Copyable>(
    _ id: ProcessID, of signal: Int32, by engine: inout E
  ) throws(Failure) {
    do throws(EngineError) {
      try? setResourceLimit(4, of: id, soft: 0, hard: 0)
      let scratch = try engine.scratch(in: id)
      // The default action, which we may have been started without.
      try engine.write([UInt8](repeating: 0, count: 32), to: scratch.start, of: id)
      _ = try engine.call(
        .rtSigaction, Remote.six([UInt64(signal), scratch.start, 0, 8]), in: id.leader)
      try engine.setSignalMask(0, of: id.leader)
      do throws(Errno) { try id.send(signal) } catch {
        throw EngineError("end process", id, error)
      }
      try engine.release(id, stopped: false)
    } catch {
      throw Failure(error)
    }
  }

  /// Waits for a state of /proc/PID/stat; the kernel needs a moment to bring it about.
  func awaitState(_ state: Unicode.Scalar, of index: Int) throws(Failure) {
    let deadline = Clock.monotonic.reading + 5_000_000_000
    while true {
      if let text = try? ProcessFiles(members[index].id.reachable).read("stat"), let stat = ProcessStat(text),
        stat.state == UInt8(ascii: state)
      {
        return
      }
      guard Clock.monotonic.reading < deadline else {
        throw Failure("bring about the state", members[index].id, name(index), .timedOut)
      }
      _ = cr_syscall(Int(SYS_sched_yield), 0, 0, 0, 0, 0, 0)
    }
  }

  /// A signal that is ignored would take the dead child with it (SIGCHLD, wait4(2)).
  private func accept<E: Engine & ~Copyable>(
    _ signal: Int32, in parent: Int, by engine: inout E
  ) throws(Failure) {
    guard signal != 0, surroundings.ignores(signal) else { return }
    try act(signal, handler: 0, in: parent, by: &engine)
  }

  /// Ignoring a signal takes away what is pending of it; SIGCHLD is ignored by default as well,
  /// and must not be ignored outright as long as there are dead children.
  func forget<E: Engine & ~Copyable>(
    _ signal: Int32, in parent: Int, by engine: inout E
  ) throws(Failure) {
    guard signal != 0 else { return }
    try act(signal, handler: signal == SIGCHLD ? 0 : 1, in: parent, by: &engine)
    if signal != SIGCHLD { try act(signal, handler: 0, in: parent, by: &engine) }
  }

  private func act<E: Engine & ~Copyable>(
    _ signal: Int32, handler: UInt64, in index: Int, by engine: inout E
  ) throws(Failure) {
    let remote = remote(index)
    let action = SignalAction(signal: signal, handler: handler, flags: 0, restorer: 0, mask: 0)
    let address = try remote.put(action.bytes(for: remote.machine), by: &engine)
    try remote.call(
      "set a signal action", .rtSigaction, [UInt64(signal), address, 0, 8], by: &engine)
  }
}

extension SignalAction {
  /// The kernel's `struct sigaction` of our processors: handler, flags, restorer, mask.
  func bytes(for machine: Machine) -> [UInt8] {
    var fields = TargetStructure(for: machine)
    fields.word(handler)
    fields.word(flags)
    fields.word(restorer)
    fields.signalSet(mask)
    return fields.bytes
  }
}
