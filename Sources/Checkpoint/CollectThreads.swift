// SPDX-License-Identifier: Apache-2.0
import Architecture
import Engine
import Linux
import Request
import Snapshot

extension Collector {
  /// All threads of a held process, the leader first.
  mutating func collectThreads<E: Engine & ~Copyable>(
    _ member: Frozen.Member, _ remote: RemoteProcess, by engine: inout E
  ) throws(Failure) -> [Thread] {
    let id = member.id
    let answers = try ThreadAnswers.ask(engine.threads(of: id), remote, by: &engine)
    if answers.contains(where: { $0.clearChildTID == nil }) {
      warnings.append(
        "process \(id) (\(member.stat.name)): the kernel was built without CHECKPOINT_RESTORE and "
          + "does not tell where it announces the end of a thread: pthread_join may hang")
    }
    var threads: [Thread] = []
    for answer in answers {
      var thread = try collectThread(answer, id, by: &engine)
      // Only a thread that could change them differs from the leader in its secure bits.
      if let leader = threads.first, leader.credentials.equalButSecureBits(thread.credentials) {
        thread.credentials.secureBits = leader.credentials.secureBits
      } else {
        thread.credentials.secureBits = try secureBits(of: answer.thread, remote, by: &engine)
      }
      if let leader = threads.first { checkUnshared(thread.id, leader.id, member) }
      threads.append(thread)
    }
    return threads
  }

  private mutating func collectThread<E: Engine & ~Copyable>(
    _ answer: ThreadAnswers, _ process: ProcessID, by engine: inout E
  ) throws(Failure) -> Thread {
    let id = answer.thread
    let status = ProcessStatus(
      try reading("thread state", of: process) { () throws(Errno) in
        try FileDescriptor(
          opening: "/proc/\(process)/task/\(id)/status", flags: 0
        ).readToEnd()
      })
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
    thread.timerSlack = answer.timerSlack
    thread.name = status.name
    thread.noNewPrivileges = status.noNewPrivileges
    thread.seccompMode = status.seccompMode
    thread.credentials = Credentials(status)
    if status.seccompMode != 0 {
      problems.add(
        "process \(process) (\(status.name)), thread \(id): runs under a seccomp "
          + (status.seccompMode == 2 ? "filter" : "restriction") + ": not supported yet")
    }
    try reading("thread attributes", of: process) { () throws(Errno) in
      try thread.describeFromOutside()
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

  /// A thread may leave its process's descriptor table or directories (unshare(2)).
  private mutating func checkUnshared(
    _ thread: ThreadID, _ leader: ThreadID, _ member: Frozen.Member
  ) {
    for thing in [Kcmp.Thing.files, .directories] {
      guard let order = try? Kcmp.order(thing, leader, thread), order != .equal else { continue }
      problems.add(
        "process \(member.id) (\(member.stat.name)): thread \(thread) has its own "
          + (thing == .files ? "descriptor table" : "working directory and umask")
          + ": not supported yet")
    }
  }
}

extension Thread {
  /// What the kernel tells anybody who may trace the thread.
  fileprivate mutating func describeFromOutside() throws(Errno) {
    let attributes = try SchedulingAttributes(of: id)
    scheduling.policy = attributes.policy
    scheduling.flags = attributes.flags
    scheduling.nice = attributes.nice
    scheduling.priority = attributes.priority
    scheduling.runtime = attributes.runtime
    scheduling.deadline = attributes.deadline
    scheduling.period = attributes.period
    scheduling.ioPriority = try ioPriority(of: id)
    let list = try Linux.robustList(of: id)
    robustList = list.head
    robustListLength = list.length
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
