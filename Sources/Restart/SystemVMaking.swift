// SPDX-License-Identifier: Apache-2.0
import Architecture
import CLinux
import Engine
import Linux
import Request
import Snapshot

// System V objects are made by processes of the job, so that the kernel's notes of who made or used
// them lead to the same processes as before. At first they belong to the restarting user alone; they
// get their owners and permissions when everybody has attached what is to be attached.

extension Rebuilder {
  mutating func makeSystemV<E: Engine & ~Copyable>(
    from contents: ContentCopier, by engine: inout E, _ report: inout Report
  ) throws(Failure) {
    let systemV = snapshot.systemV
    if systemV.isEmpty { return }
    var check = SystemVCheck(restoresIDs: request.restoreSystemV)
    for segment in systemV.segments {
      try makeSegment(segment, contents, &check, by: &engine, &report)
    }
    for set in systemV.semaphoreSets {
      let id = try obtain(
        .semaphores, set.identity,
        check.fate(
          .semaphores, set.identity, size: UInt64(set.semaphores.count)),
        by: &engine, maker(ProcessID(0)), .semget, [UInt64(set.semaphores.count)])
      try fill(set, id, by: &engine)
    }
    for queue in systemV.messageQueues {
      let id = try obtain(
        .messages, queue.identity, check.fate(.messages, queue.identity, size: nil),
        by: &engine, maker(ProcessID(0)), .msgget, [])
      try fill(queue, id, by: &engine, &report)
    }
    if let failure = check.problems.failure { throw failure }
    for warning in check.warnings { report.warn(warning) }
  }

  /// The process that was `saved`, if it is there, or else the first.
  func maker(_ saved: ProcessID) -> Remote {
    remote(living.first { snapshot.processes[$0].id == saved } ?? living[0])
  }

  private func actor(_ saved: ProcessID) -> Remote? {
    living.first { snapshot.processes[$0].id == saved }.map { remote($0) }
  }

  // MARK: Ids

  /// The id of an object that is there now and belongs to us; `arguments` stand between key and
  /// flags.
  func obtain<E: Engine & ~Copyable>(
    _ kind: SystemVKind, _ identity: SystemV.Identity, _ fate: SystemVCheck.Fate,
    by engine: inout E, _ maker: Remote, _ call: SystemCallName, _ arguments: [UInt64],
    flags: UInt64 = 0
  ) throws(Failure) -> Int32 {
    let title = SystemVCheck.title(kind, identity)
    var key = identity.key
    switch fate {
    case .takeOver:
      do throws(Errno) {
        try kind.setOwner(
          of: identity.id, user: identity.user, group: identity.group, mode: identity.mode | 0o600,
          capacity: kind == .messages ? try SystemVCalls.capacity(of: identity.id) : 0)
      } catch {
        throw Failure(error, "cannot take over \(title), which is there from before: \(error)")
      }
      return identity.id
    case .makeAnywhere(let free): key = free
    case .make: break
    }
    let all = [UInt64(UInt32(bitPattern: key))] + arguments + [0o3600 | flags]
    // Another process may get the id, or the place of it in the kernel's table, before us.
    for _ in 0 ..< 8 {
      if case .make = fate { try? kind.setNextID(identity.id) }
      let result: UInt64
      switch try maker.outcome(call, all, by: &engine) {
      case .success(let id): result = id
      case .failure(let errno): throw Failure(errno, "cannot make \(title): \(errno)")
      }
      let id = Int32(truncatingIfNeeded: result)
      if case .make = fate, id != identity.id {
        try? kind.remove(id)
        continue
      }
      files.systemV.note(kind, id)
      return id
    }
    throw Failure(.busy, "the id of \(title) is not to be had; see ipcs(1), or use --no-restore-ipc")
  }

  func setOwner(
    _ kind: SystemVKind, _ identity: SystemV.Identity, _ id: Int32, capacity: UInt64 = 0
  ) throws(Failure) {
    do throws(Errno) {
      try kind.setOwner(
        of: id, user: identity.user, group: identity.group, mode: identity.mode, capacity: capacity)
    } catch {
      throw Failure(
        error,
        "cannot give \(SystemVCheck.title(kind, identity)) to user \(identity.user): \(error)")
    }
  }

  // MARK: Semaphores

  private func fill<E: Engine & ~Copyable>(
    _ set: SystemV.SemaphoreSet, _ id: Int32, by engine: inout E
  ) throws(Failure) {
    do throws(Errno) {
      try SystemVCalls.setValues(of: id, to: set.semaphores.map { $0.value })
    } catch {
      throw Failure(error, "cannot set \(SystemVCheck.title(.semaphores, set.identity)): \(error)")
    }
    for index in living {
      let process = snapshot.processes[index].id
      // To and fro: the semaphore stays as it is, and what is to be undone remains.
      var operations: [SemaphoreOperation] = []
      for adjustment in set.adjustments where adjustment.process == process {
        operations += SemaphoreOperation.leaving(
          adjustment.value, of: adjustment.semaphore,
          value: set.semaphores[Int(adjustment.semaphore)].value)
      }
      for (number, semaphore) in set.semaphores.enumerated()
      where semaphore.lastProcess == process {
        operations += SemaphoreOperation.toAndFro(UInt32(number), value: semaphore.value)
      }
      try operate(operations, id, set, remote(index), by: &engine)
    }
    try setOwner(.semaphores, set.identity, id)
  }

  private func operate<E: Engine & ~Copyable>(
    _ operations: [SemaphoreOperation], _ id: Int32, _ set: SystemV.SemaphoreSet,
    _ remote: Remote, by engine: inout E
  ) throws(Failure) {
    var rest = operations[...]
    while !rest.isEmpty {
      // Far below semopm (500), and even, so that pairs stay together.
      var fields = TargetStructure(for: remote.machine)
      for operation in rest.prefix(100) {
        fields.int16(UInt16(operation.semaphore))
        fields.int16(UInt16(bitPattern: operation.change))
        fields.int16(operation.isUndone ? 0x1800 : 0x800)  // SEM_UNDO, IPC_NOWAIT
      }
      let address = try remote.put(fields.bytes, by: &engine)
      let outcome = try remote.outcome(
        .semop, [UInt64(UInt32(bitPattern: id)), address, UInt64(min(100, rest.count))],
        by: &engine)
      if case .failure(let errno) = outcome {
        throw Failure(
          errno,
          "cannot restore what process \(remote.id) (\(remote.name)) did to "
            + "\(SystemVCheck.title(.semaphores, set.identity)): \(errno)")
      }
      rest = rest.dropFirst(100)
    }
  }

  // MARK: Messages

  private func fill<E: Engine & ~Copyable>(
    _ queue: SystemV.MessageQueue, _ id: Int32, by engine: inout E, _ report: inout Report
  ) throws(Failure) {
    let title = SystemVCheck.title(.messages, queue.identity)
    do throws(Errno) {
      try SystemVCalls.empty(id)
      try noteUsers(of: queue, id, by: &engine)
      let capacity = try setCapacity(queue, id)
      if capacity != queue.capacity {
        report.warn(
          "\(title) may hold \(capacity) bytes now and could hold \(queue.capacity) (kernel.msgmnb)")
      }
      for (place, message) in queue.messages.enumerated() {
        let isLast = place + 1 == queue.messages.count
        if isLast, let sender = actor(queue.lastSender),
          try send(message, to: id, sender, by: &engine)
        {
          continue
        }
        try SystemVCalls.send(message.bytes, type: message.type, to: id)
      }
    } catch {
      throw Failure(error, "cannot fill \(title): \(error) (see kernel.msgmnb and kernel.msgmax)")
    }
    do throws(Errno) {
      let capacity = try SystemVCalls.capacity(of: id)
      try SystemVKind.messages.setOwner(
        of: id, user: queue.identity.user, group: queue.identity.group, mode: queue.identity.mode,
        capacity: capacity)
    } catch {
      throw Failure(error, "cannot give \(title) to user \(queue.identity.user): \(error)")
    }
  }

  /// The capacity that it has then.
  private func setCapacity(
    _ queue: SystemV.MessageQueue, _ id: Int32
  ) throws(Errno) -> UInt64 {
    let present = try SystemVCalls.capacity(of: id)
    if present == queue.capacity { return present }
    do throws(Errno) {
      try SystemVKind.messages.setOwner(
        of: id, user: queue.identity.user, group: queue.identity.group,
        mode: queue.identity.mode | 0o600, capacity: queue.capacity)
    } catch {
      guard error == .notPermitted else { throw error }
      return present
    }
    return queue.capacity
  }

  /// Lets those send and receive something that were the last to do so.
  private func noteUsers<E: Engine & ~Copyable>(
    of queue: SystemV.MessageQueue, _ id: Int32, by engine: inout E
  ) throws(Errno) {
    let (sender, receiver) = (actor(queue.lastSender), actor(queue.lastReceiver))
    if sender == nil, receiver == nil { return }
    let nothing = SystemV.Message(type: 1, bytes: [])
    var isSent = false
    if let sender { isSent = try send(nothing, to: id, sender, by: &engine) }
    if !isSent { try SystemVCalls.send([], type: 1, to: id) }
    if let receiver {
      _ = try? receiver.outcome(
        .msgrcv, [UInt64(UInt32(bitPattern: id)), receiver.scratch.start, 0, 0, 0o4000], by: &engine)
    }
    try SystemVCalls.empty(id)
  }

  /// False if it is too long for that, or cannot be done there.
  private func send<E: Engine & ~Copyable>(
    _ message: SystemV.Message, to id: Int32, _ sender: Remote, by engine: inout E
  ) throws(Errno) -> Bool {
    guard message.bytes.count + 8 <= Int(sender.scratch.count) else { return false }
    var fields = TargetStructure(for: sender.machine)
    fields.word(UInt64(bitPattern: message.type))
    do throws(Failure) {
      let address = try sender.put(fields.bytes + message.bytes, by: &engine)
      let outcome = try sender.outcome(
        .msgsnd,
        [UInt64(UInt32(bitPattern: id)), address, UInt64(message.bytes.count), 0o4000],  // IPC_NOWAIT
        by: &engine)
      if case .success = outcome { return true }
      return false
    } catch {
      throw error.errno
    }
  }
}

/// One step of semop(2).
struct SemaphoreOperation {
  var semaphore: UInt32
  var change: Int16
  var isUndone = false

  /// No change, but the kernel notes who made it.
  static func toAndFro(_ semaphore: UInt32, value: UInt16) -> [SemaphoreOperation] {
    let first: Int16 = value < 32767 ? 1 : -1
    return [
      SemaphoreOperation(semaphore: semaphore, change: first),
      SemaphoreOperation(semaphore: semaphore, change: -first),
    ]
  }

  /// No change, but `adjustment` is added to the semaphore when the process ends.
  static func leaving(
    _ adjustment: Int32, of semaphore: UInt32, value: UInt16
  ) -> [SemaphoreOperation] {
    // What is undone is the opposite of what was done; −32768 takes two steps.
    if adjustment == -32768 {
      return leaving(-16384, of: semaphore, value: value)
        + leaving(-16384, of: semaphore, value: value)
    }
    let done = SemaphoreOperation(
      semaphore: semaphore, change: Int16(-adjustment), isUndone: true)
    let back = SemaphoreOperation(semaphore: semaphore, change: Int16(adjustment))
    let isUp = done.change > 0
    // Upwards first, where there is room.
    let fits = Int(value) + Int(abs(adjustment)) <= 32767
    return isUp == fits ? [done, back] : [back, done]
  }
}
