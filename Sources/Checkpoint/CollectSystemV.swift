// SPDX-License-Identifier: Apache-2.0
import Architecture
import CLinux
import Engine
import Linux
import Request
import Snapshot

// System V objects belong to nobody. What counts as the job's own is what can be known of it:
// segments that its processes have attached or made; sets of semaphores on which its processes
// operated last, or wait; queues where they were the last to send or receive, or wait.

extension Collector {
  mutating func finishSystemV<E: Engine & ~Copyable>(by engine: inout E) throws(Failure) {
    let job = Set(snapshot.processes.map { $0.id.rawValue })
    try collectSegments(of: job)
    try collectSemaphores(of: job, by: &engine)
    try collectQueues(of: job)
  }

  /// `process 12 (cat)` of one that is there and not of the job.
  private func stranger(_ process: ProcessID, besides job: Set<Int32>) -> ByteString? {
    guard process.rawValue != 0, !job.contains(process.rawValue),
      let stat = ProcessStat(of: process)
    else { return nil }
    return "process \(process) (\(stat.name))"
  }

  // MARK: Segments

  private mutating func collectSegments(of job: Set<Int32>) throws(Failure) {
    let table = SystemVKind.segments.table
    var attached: Set<Int32> = []
    for (index, process) in sharedMemories.segments {
      let id = snapshot.sharedMemories[index].inode
      guard let entry = table.first(where: { UInt64($0.id) == id }) else {
        problems.add(
          "process \(process) has System V segment \(id) attached, which /proc/sysvipc/shm does not "
            + "list: it is in another IPC namespace (a container): run this tool inside it")
        continue
      }
      attached.insert(entry.id)
      add(entry, index)
      let ours = UInt64(sharedMemories.mappings[index].count)
      if entry.attachments > ours {
        warnings.append(
          "System V segment \(entry.id), which process \(process) has attached, is attached outside of "
            + "the job too: it is saved as it is now, and a restart wants it to be free")
      }
    }
    for entry in table where job.contains(entry.first.rawValue) && !attached.contains(entry.id) {
      try takeUnattached(entry)
    }
  }

  private mutating func add(_ entry: SystemVEntry, _ index: Int) {
    snapshot.sharedMemories[index].size = entry.size
    snapshot.sharedMemories[index].contents.limit(to: snapshot.sharedMemories[index].span)
    var segment = SystemV.Segment(
      SystemV.Identity(entry), memory: index, creator: entry.first)
    segment.isRemoved = entry.isRemoved
    segment.isLocked = entry.isLocked
    snapshot.systemV.segments.append(segment)
  }

  /// A segment that a process of the job has made and none has attached at the moment: we attach it.
  private mutating func takeUnattached(_ entry: SystemVEntry) throws(Failure) {
    do throws(Errno) {
      let index = snapshot.sharedMemories.count
      let segment = try AttachedSegment(entry.id, readOnly: true)
      var object = SharedMemory(kind: .anonymous, size: entry.size)
      object.inode = UInt64(entry.id)
      object.hugePageSize = try segment.region().hugePageSize
      let range = MemoryRange(start: segment.address, count: object.span.roundedUp(to: hostPageSize))
      if object.hugePageSize > 0 {
        // mincore(2) tells of the pages that we have touched, and of no others.
        object.contents = [Extent(position: 0, count: range.count)]
      } else {
        object.contents = try residentPages(range).map {
          Extent(position: $0.start - range.start, count: $0.count)
        }
      }
      snapshot.sharedMemories.append(object)
      // To look at a huge page that nobody has used yet makes one; to read its file does not.
      let file: ByteString = "/proc/self/map_files/\(hex: range.start)-\(hex: range.end)"
      if object.hugePageSize > 0, (try? FileDescriptor(opening: file, flags: O_RDONLY)) != nil {
        sharedMemories.addOwn(file: file)
      } else {
        sharedMemories.addOwn(range.start)
      }
      _ = segment.keep()
      add(entry, index)
    } catch {
      let creator: ByteString = "made by process \(entry.first)"
      problems.add(
        "System V segment \(entry.id), \(creator) and attached by none: cannot read it: \(error)")
    }
  }

  // MARK: Semaphores

  private mutating func collectSemaphores<E: Engine & ~Copyable>(
    of job: Set<Int32>, by engine: inout E
  ) throws(Failure) {
    let table = SystemVKind.semaphores.table
    if table.isEmpty { return }
    let waited = idsWaitedFor([.semop, .semtimedop])
    for entry in table {
      do throws(Errno) {
        guard let set = try semaphoreSet(entry, of: job, isWaitedFor: waited.contains(entry.id))
        else { continue }
        snapshot.systemV.semaphoreSets.append(set)
      } catch {
        // Without the right to look at it no process of this user operates on it.
        guard error != .accessDenied || waited.contains(entry.id) else { continue }
        if error == .invalid || error.rawValue == EIDRM { continue }
        problems.add("System V semaphores \(entry.id): cannot read them: \(error)")
      }
    }
    try collectAdjustments(by: &engine)
  }

  private mutating func semaphoreSet(
    _ entry: SystemVEntry, of job: Set<Int32>, isWaitedFor: Bool
  ) throws(Errno) -> SystemV.SemaphoreSet? {
    var last: [ProcessID] = []
    for number in 0 ..< Int(entry.size) {
      last.append(try SystemVCalls.lastProcess(of: entry.id, number))
    }
    guard isWaitedFor || last.contains(where: { job.contains($0.rawValue) }) else { return nil }
    for process in last {
      guard let stranger = stranger(process, besides: job) else { continue }
      warnings.append(
        "System V semaphores \(entry.id) are used by \(stranger) too, outside of the job: they are saved "
          + "as they are now")
      break
    }
    let values = try SystemVCalls.values(of: entry.id, count: last.count)
    var set = SystemV.SemaphoreSet(SystemV.Identity(entry))
    set.semaphores = zip(values, last).map { SystemV.Semaphore(value: $0, lastProcess: $1) }
    return set
  }

  /// First arguments of calls in which threads of the job wait.
  private func idsWaitedFor(_ names: [SystemCallName]) -> Set<Int32> {
    var ids: Set<Int32> = []
    for process in snapshot.processes {
      for thread in process.threads {
        if case .foreign = thread.registers { continue }
        guard let call = thread.registers.currentCall,
          names.contains(where: { thread.registers.number(of: $0) == call.number })
        else { continue }
        ids.insert(Int32(truncatingIfNeeded: call.arguments[0]))
      }
    }
    return ids
  }

  private mutating func collectAdjustments<E: Engine & ~Copyable>(
    by engine: inout E
  ) throws(Failure) {
    if snapshot.systemV.semaphoreSets.isEmpty { return }
    for process in snapshot.processes {
      if case .zombie = process.state { continue }
      // Nobody has a list who never asked for anything to be undone; nor do we, without threads.
      if (try? Kcmp.order(.undoLists, reach(process.id).leader, ownProcess.leader)) == .equal { continue }
      let scratch = try engaging { () throws(EngineError) in try engine.scratch(in: process.id) }
      let remote = RemoteProcess(
        id: process.id, speaker: reach(process.id).leader, machine: process.machine, scratch: scratch)
      for index in snapshot.systemV.semaphoreSets.indices {
        try collectAdjustments(of: process, index, remote, by: &engine)
      }
    }
  }

  private mutating func collectAdjustments<E: Engine & ~Copyable>(
    of process: Process, _ index: Int, _ remote: RemoteProcess, by engine: inout E
  ) throws(Failure) {
    let set = snapshot.systemV.semaphoreSets[index]
    for (number, semaphore) in set.semaphores.enumerated() {
      let probe = UndoProbe(set: set.identity.id, semaphore: UInt16(number), value: semaphore.value)
      switch try probe.adjustment(remote, by: &engine) {
      case .success(0): break
      case .success(let value):
        snapshot.systemV.semaphoreSets[index].adjustments.append(
          SystemV.Adjustment(process: process.id, semaphore: UInt32(number), value: value))
      // It may not change them, so there is nothing of it to be undone.
      case .failure(.accessDenied): return
      case .failure(let errno):
        problems.add(
          "process \(process.id) (\(process.name)): cannot find out what it would undo (SEM_UNDO) in "
            + "System V semaphores \(set.identity.id): \(errno)")
        return
      }
    }
  }

  // MARK: Messages

  private mutating func collectQueues(of job: Set<Int32>) throws(Failure) {
    let table = SystemVKind.messages.table
    if table.isEmpty { return }
    let waited = idsWaitedFor([.msgsnd, .msgrcv])
    for entry in table {
      guard
        job.contains(entry.first.rawValue) || job.contains(entry.last.rawValue)
          || waited.contains(entry.id)
      else { continue }
      if let stranger = stranger(entry.first, besides: job) ?? stranger(entry.last, besides: job) {
        warnings.append(
          "System V message queue \(entry.id) is used by \(stranger) too, outside of the job: it is "
            + "saved as it is now")
      }
      do throws(Errno) {
        snapshot.systemV.messageQueues.append(try queue(entry))
      } catch {
        let advice: ByteString = error == .notImplemented ? " (CONFIG_CHECKPOINT_RESTORE)" : ""
        problems.add(
          "System V message queue \(entry.id): cannot read its messages: \(error)" + advice)
      }
    }
  }

  private func queue(_ entry: SystemVEntry) throws(Errno) -> SystemV.MessageQueue {
    var queue = SystemV.MessageQueue(SystemV.Identity(entry))
    queue.lastSender = entry.first
    queue.lastReceiver = entry.last
    queue.capacity = try SystemVCalls.capacity(of: entry.id)
    while let message = try SystemVCalls.message(queue.messages.count, of: entry.id) {
      queue.messages.append(SystemV.Message(type: message.type, bytes: message.bytes))
    }
    return queue
  }
}

extension [Extent] {
  /// Nothing beyond `size`.
  mutating func limit(to size: UInt64) {
    self = compactMap { extent in
      guard extent.position < size else { return nil }
      var extent = extent
      extent.count = Swift.min(extent.count, size - extent.position)
      return extent
    }
  }
}

/// Which pages of a mapping of our own the object behind it has; those in swap do not count.
private func residentPages(_ range: MemoryRange) throws(Errno) -> [MemoryRange] {
  let pages = Int(range.count / hostPageSize)
  let (_, bytes) = try bytesFilled(count: max(pages, 1)) { buffer in
    cr_syscall(Int(SYS_mincore), Int(bitPattern: UInt(range.start)), Int(range.count), buffer, 0, 0, 0)
  }
  var found: [MemoryRange] = []
  for page in 0 ..< pages where bytes[page] & 1 != 0 {
    found.append(
      MemoryRange(start: range.start + UInt64(page) * hostPageSize, count: hostPageSize))
  }
  return union(found)
}
