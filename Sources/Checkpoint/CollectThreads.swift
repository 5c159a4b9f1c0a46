// SPDX-License-Identifier: Apache-2.0
import Architecture
import Engine
import Linux
import Request
import Snapshot

extension Collector {
  /// All threads of a held process, the leader first.
  mutating func collectThreads<E: Engine & ~Copyable>(
    _ member: Frozen.Member, _ answers: [ThreadAnswers], _ outside: OutsideView,
    _ remote: RemoteProcess, by engine: inout E
  ) throws(Failure) -> (threads: [Thread], filters: [SeccompFilter]) {
    let id = member.id
    if answers.contains(where: { $0.clearChildTID == nil }) {
      warnings.append(
        "process \(id) (\(member.stat.name)): the kernel was built without CHECKPOINT_RESTORE and "
          + "does not tell where it announces the end of a thread: pthread_join may hang")
    }
    var threads: [Thread] = []
    threads.reserveCapacity(answers.count)
    let slacks = try timerSlacks(answers, outside.threads, by: &engine)
    var filters = SeccompTable()
    for (index, answer) in answers.enumerated() {
      let view = outside.threads[index]
      var thread = try collectThread(answer, view, id, by: &engine)
      try collectSeccomp(&thread, id, member.stat.name, &filters, by: &engine)
      thread.timerSlack = slacks[index]
      // Only a thread that could change them differs from the leader in its secure bits.
      if let leader = threads.first, leader.credentials.equalButSecureBits(thread.credentials) {
        thread.credentials.secureBits = leader.credentials.secureBits
      } else {
        thread.credentials.secureBits = try secureBits(of: answer.thread, remote, by: &engine)
      }
      checkUnshared(thread.id, view, member)
      threads.append(thread)
    }
    return (threads, filters.filters)
  }

  /// A main thread that has ended while others run on: it bears the process's number, and is all that its parent
  /// and others see of it.
  func addEndedLeader(to process: inout Process, _ member: Frozen.Member) throws(Failure) {
    let id = process.id
    guard let other = process.threads.first else { return }
    let view = try reading("thread state", of: id) { () throws(Errno) in
      try OutsideView.ThreadView(of: id.leader, id, by: id.leader)
    }
    var leader = Thread(
      id: id.leader,
      registers: Registers(
        stored: [UInt8](repeating: 0, count: other.registers.generalRegisters.count),
        machine: process.machine))
    leader.name = view.status.name
    leader.credentials = Credentials(view.status)
    // It cannot be asked for these any more.
    leader.credentials.secureBits = other.credentials.secureBits
    leader.noNewPrivileges = view.status.noNewPrivileges
    leader.describe(view)
    leader.robustList = 0
    process.threads.insert(leader, at: 0)
    process.leaderStatus = member.stat.exitStatus
  }

  private mutating func collectThread<E: Engine & ~Copyable>(
    _ answer: ThreadAnswers, _ view: OutsideView.ThreadView, _ process: ProcessID,
    by engine: inout E
  ) throws(Failure) -> Thread {
    let id = answer.thread
    let status = view.status
    var thread: Thread
    do throws(EngineError) {
      let registers = try engine.registers(of: id)
      thread = Thread(id: id, registers: registers)
      for noteType in registers.extraRegisterSets {
        let bytes = try engine.registerSet(noteType, of: id)
        if !bytes.isEmpty {
          thread.registerSets.append(RegisterSet(noteType: noteType, bytes: bytes))
        }
      }
      thread.signalMask = try engine.signalMask(of: id)
      if status.pendingSignals != 0 {
        thread.pendingSignals = try engine.pendingSignals(of: id, shared: false)
      }
      let sequence = try engine.restartableSequence(of: id)
      thread.rseqArea = sequence.area
      thread.rseqLength = sequence.length
      thread.rseqSignature = sequence.signature
      thread.scheduling.affinity = try engine.cpuAffinity(of: id)
    } catch {
      throw Failure(error)
    }
    thread.alternateStack = answer.alternateStack
    thread.clearChildTID = answer.clearChildTID ?? 0
    thread.parentDeathSignal = answer.parentDeathSignal
    thread.name = status.name
    thread.noNewPrivileges = status.noNewPrivileges
    thread.seccompMode = status.seccompMode
    thread.credentials = Credentials(status)
    thread.describe(view)
    if let list = answer.robustList {
      thread.robustList = list.head
      thread.robustListLength = list.length
    }
    waits.nameContinuedCall(of: id, &thread.registers)
    thread.timeLeft = timeLeft(of: thread, in: process, by: &engine)
    if let reason = thread.registers.unsupportedReason {
      problems.add(
        "process \(process) (\(status.name)): its thread \(id) \(reason): not supported yet")
    }
    return thread
  }

  /// prctl(2) itself returns them.
  private func secureBits<E: Engine & ~Copyable>(
    of thread: ThreadID, _ remote: RemoteProcess, by engine: inout E
  ) throws(Failure) -> UInt32 {
    let outcome = try engaging { () throws(EngineError) in
      try engine.call(.prctl, [RemoteProcess.getSecureBits, 0, 0, 0, 0, 0], in: thread)
    }
    guard case .success(let bits) = outcome else { return 0 }
    return UInt32(truncatingIfNeeded: bits)
  }

  /// From the threads themselves where /proc does not tell us.
  private func timerSlacks<E: Engine & ~Copyable>(
    _ answers: [ThreadAnswers], _ views: [OutsideView.ThreadView], by engine: inout E
  ) throws(Failure) -> [UInt64] {
    let told = views.compactMap { $0.timerSlack }
    if told.count == answers.count { return told }
    let calls = answers.map {
      ThreadCall(
        thread: $0.thread, name: .prctl, arguments: [RemoteProcess.getTimerSlack, 0, 0, 0, 0, 0])
    }
    return try engaging { () throws(EngineError) in try engine.callEach(calls) }.map {
      if case .success(let value) = $0 { value } else { 50_000 }
    }
  }

  mutating func checkUnshared(
    _ thread: ThreadID, _ view: OutsideView.ThreadView, _ member: Frozen.Member
  ) {
    for (isOwn, thing) in [
      (view.hasOwnFiles, "descriptor table" as ByteString),
      (view.hasOwnDirectories, "working directory and umask"),
    ] where isOwn {
      problems.add(
        "process \(member.id) (\(member.stat.name)): thread \(thread) has its own \(thing): "
          + "not supported yet")
    }
  }
}

extension Thread {
  fileprivate mutating func describe(_ view: OutsideView.ThreadView) {
    let attributes = view.scheduling
    scheduling.policy = attributes.policy
    scheduling.flags = attributes.flags
    scheduling.nice = attributes.nice
    scheduling.priority = attributes.priority
    scheduling.runtime = attributes.runtime
    scheduling.deadline = attributes.deadline
    scheduling.period = attributes.period
    scheduling.ioPriority = view.ioPriority
    robustList = view.robustList.head
    robustListLength = view.robustList.length
  }
}

extension Credentials {
  init(_ status: ProcessStatus) {
    self.init()
    userIDs = status.userIDs
    groupIDs = status.groupIDs
    groups = status.groups
    inheritable = status.inheritable
    permitted = status.permitted
    effective = status.effective
    bounding = status.bounding
    ambient = status.ambient
  }

  func equalButSecureBits(_ other: Credentials) -> Bool {
    var copy = other
    copy.secureBits = secureBits
    return self == copy
  }
}
