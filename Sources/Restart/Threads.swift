// SPDX-License-Identifier: Apache-2.0
import Architecture
import CLinux
import Engine
import Linux
import Request
import Snapshot

extension Rebuilder {
  /// Adds the other threads. The name of the leader is set before, since threads inherit it.
  mutating func makeThreads<E: Engine & ~Copyable>(
    _ index: Int, by engine: inout E
  ) throws(Failure) {
    let process = snapshot.processes[index]
    let remote = remote(index)
    guard let leader = process.threads.first else { return }
    if leader.name != ByteString(process.executable.path.fileName.bytes.prefix(15)) {
      try setName(leader.name, of: remote.id.leader, remote, by: &engine)
    }
    let others = process.threads.dropFirst()
    if others.isEmpty { return }
    let wanted = others.map { request.restoreProcessIDs ? Optional($0.id) : nil }
    do throws(EngineError) {
      members[index].threads = [remote.id.leader] + (try engine.spawnThreads(wanted, in: remote.id))
    } catch {
      if error.errno == .exists {
        throw Failure(
          .busy,
          "a thread id of process \(process.id) (\(process.name)) is in use: try again, or use "
            + "--no-restore-pid")
      }
      throw Failure(error)
    }
    for (place, thread) in process.threads.enumerated() where thread.name != leader.name {
      try setName(thread.name, of: members[index].threads[place], remote, by: &engine)
    }
  }

  private func setName<E: Engine & ~Copyable>(
    _ name: ByteString, of thread: ThreadID, _ remote: Remote, by engine: inout E
  ) throws(Failure) {
    let address = try remote.putPath(name, by: &engine)
    try one(
      "set the name", .prctl, [UInt64(PR_SET_NAME), address], thread, remote, by: &engine)
  }

  func one<E: Engine & ~Copyable>(
    _ step: StaticString, _ call: SystemCallName, _ arguments: [UInt64], _ thread: ThreadID,
    _ remote: Remote, by engine: inout E
  ) throws(Failure) {
    let outcome = try engaging { () throws(EngineError) in
      try engine.call(call, Remote.six(arguments), in: thread)
    }
    if case .failure(let errno) = outcome {
      throw Failure(step, remote.id, remote.name, errno)
    }
  }

  /// What each thread tells the kernel about itself: places in its memory.
  func restoreThreads<E: Engine & ~Copyable>(
    _ index: Int, by engine: inout E
  ) throws(Failure) {
    let threads = snapshot.processes[index].threads
    try restoreAlternateStacks(index, by: &engine)
    try each(index, "set the robust list", .setRobustList, by: &engine) { place in
      let thread = threads[place]
      return thread.robustList == 0 ? nil : [thread.robustList, thread.robustListLength]
    }
    try each(index, "set the place that tells its end", .setTidAddress, by: &engine) { place in
      threads[place].clearChildTID == 0 ? nil : [threads[place].clearChildTID]
    }
    try each(index, "register restartable sequences", .rseq, by: &engine) { place in
      let thread = threads[place]
      if thread.rseqArea == 0 { return nil }
      return [thread.rseqArea, UInt64(thread.rseqLength), 0, UInt64(thread.rseqSignature)]
    }
    if !request.restoreProcessIDs { try renewThreadIDs(index, by: &engine) }
  }

  /// The same call, with its own arguments, in every thread for which there are some.
  func each<E: Engine & ~Copyable>(
    _ index: Int, _ step: StaticString, _ call: SystemCallName, by engine: inout E,
    _ arguments: (Int) -> [UInt64]?
  ) throws(Failure) {
    var calls: [ThreadCall] = []
    for (place, thread) in members[index].threads.enumerated() {
      guard let some = arguments(place) else { continue }
      calls.append(ThreadCall(thread: thread, name: call, arguments: Remote.six(some)))
    }
    if calls.isEmpty { return }
    let results = try engaging { () throws(EngineError) in try engine.callEach(calls) }
    for (result, made) in zip(results, calls) {
      if case .failure(let errno) = result {
        throw Failure(
          errno,
          "cannot \(step) of thread \(made.thread) of process \(members[index].id) "
            + "(\(name(index))): \(errno)")
      }
    }
  }

  private func restoreAlternateStacks<E: Engine & ~Copyable>(
    _ index: Int, by engine: inout E
  ) throws(Failure) {
    let threads = snapshot.processes[index].threads
    let remote = remote(index)
    // SS_DISABLE is what a new thread has.
    let places = threads.indices.filter { threads[$0].alternateStack.flags & 2 == 0 }
    let slot = 32
    let atOnce = Int(remote.scratch.count) / slot
    var rest = places[...]
    while !rest.isEmpty {
      let some = Array(rest.prefix(atOnce))
      var bytes: [UInt8] = []
      var addresses: [Int: UInt64] = [:]
      for place in some {
        let stack = threads[place].alternateStack
        addresses[place] = remote.scratch.start + UInt64(bytes.count)
        var fields = TargetStructure(for: remote.machine)
        fields.word(stack.address)
        // SS_ONSTACK is no setting: the thread is there, and its registers say so.
        fields.int32(stack.flags & ~1)
        fields.align()
        fields.word(stack.size)
        bytes += fields.bytes + [UInt8](repeating: 0, count: slot - fields.bytes.count)
      }
      _ = try remote.put(bytes, by: &engine)
      try each(index, "set the alternate signal stack", .sigaltstack, by: &engine) { place in
        addresses[place].map { [$0, 0] }
      }
      rest = rest.dropFirst(atOnce)
    }
  }

  /// With other ids than before: glibc keeps a thread's id where the kernel is to tell its end, and
  /// error-checking mutexes, raise(3) and pthread_join(3) look there.
  private func renewThreadIDs<E: Engine & ~Copyable>(
    _ index: Int, by engine: inout E
  ) throws(Failure) {
    let machine = snapshot.processes[index].machine
    for (place, thread) in snapshot.processes[index].threads.enumerated() {
      let present = members[index].threads[place]
      guard thread.clearChildTID != 0, present != thread.id else { continue }
      try engaging { () throws(EngineError) in
        let range = MemoryRange(start: thread.clearChildTID, count: 4)
        let bytes = try engine.read(range, of: members[index].id)
        guard TargetFields(bytes, machine).int32(at: 0) == UInt32(bitPattern: thread.id.rawValue)
        else { return }
        var fields = TargetStructure(for: machine)
        fields.int32(UInt32(bitPattern: present.rawValue))
        try engine.write(fields.bytes, to: thread.clearChildTID, of: members[index].id)
      }
    }
  }

  // MARK: Registers

  /// Registers, mask and everything else that makes a thread go on where it was.
  func restoreRegisters<E: Engine & ~Copyable>(
    _ index: Int, by engine: inout E
  ) throws(Failure) {
    let process = snapshot.processes[index]
    let restarts = CallRestart(process)
    var present: [RegisterSet] = []
    for (place, thread) in process.threads.enumerated() where place > 0 || process.leaderStatus == nil {
      let target = members[index].threads[place]
      try restoreRegisterSets(of: thread, to: target, &present, index, by: &engine)
      do throws(EngineError) {
        var registers = thread.registers
        if registers.wantsInstruction {
          let instruction = MemoryRange(
            start: registers.programCounter, count: UInt64(registers.systemCallInstruction.count))
          registers.stand(at: (try? engine.read(instruction, of: members[index].id)) ?? [])
        }
        let interrupted = registers.interruptedCall
        switch interrupted {
        case nil: break
        case .withRestartBlock
        where try beginAgain(&registers, thread, isLeader: place == 0, in: target, index, by: &engine):
          break
        case .again, .withRestartBlock:
          restarts.restart(&registers, interrupted!, of: thread, isLeader: place == 0) { address in
            let range = MemoryRange(start: address, count: 16)
            guard let bytes = try? engine.read(range, of: members[index].id) else { return nil }
            return bytes
          }
        }
        try engine.setRegisters(registers, of: target)
        try engine.setSignalMask(thread.signalMask, of: target)
      } catch {
        throw Failure(error)
      }
    }
  }
}

extension Rebuilder {
  /// A call of whose time something is left is begun with that, and is the kernel's from then on.
  private func beginAgain<E: Engine & ~Copyable>(
    _ registers: inout Registers, _ thread: Thread, isLeader: Bool, in target: ThreadID, _ index: Int,
    by engine: inout E
  ) throws(EngineError) -> Bool {
    let process = snapshot.processes[index]
    guard let left = thread.timeLeft, !CallRestart(process).isHandlerPending(thread, isLeader)
    else { return false }
    let place = remote(index).scratch.start
    guard let (call, time) = registers.limitedCall(to: left, at: place) else { return false }
    if time.isEmpty {
      // All of it is in registers that no C library looks at again: so a later checkpoint finds the same call.
      registers.repeatInterruptedCall(with: call.arguments)
      return true
    }
    guard registers.resumesByRestartBlock else { return false }
    try engine.write(time, to: place, of: members[index].id)
    switch try engine.begin(call, in: target) {
    case .interrupted: return true
    case .returned(let value):
      registers.setResult(value)
      return true
    case .notBegun: return false
    }
  }
}

extension ByteString {
  /// The last component of a path.
  var fileName: ByteString {
    guard let slash = bytes.lastIndex(of: UInt8(ascii: "/")) else { return self }
    return ByteString(bytes[(slash + 1)...])
  }
}
