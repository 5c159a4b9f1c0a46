// SPDX-License-Identifier: Apache-2.0
import Architecture
import Linux
import Snapshot

@testable import ContextFile

/// What came after version 1.0 of the format, and every kind of open file.
extension Sample {
  mutating func complete() -> Snapshot {
    var complete = small()
    addLaterFields(to: &complete.processes[0])
    addOpenFiles(to: &complete)
    complete.sharedMemories[0].hugePageSize = 2 << 20
    complete.sharedMemories[1].seals = 8
    (complete.sharedMemories[1].user, complete.sharedMemories[1].group) = (1000, 1001)
    complete.systemV = Self.systemV()
    return complete
  }

  private func addLaterFields(to process: inout Process) {
    var timer = PosixTimer(id: 17, clock: -21042)
    (timer.notify, timer.signal, timer.value) = (4, 36, 0x1267)
    timer.thread = ThreadID(4712)
    (timer.remaining, timer.interval) = (5_000_000_001, 3)
    process.posixTimers = [timer, PosixTimer(id: 20, clock: 1)]
    process.lostDirectoryMode = 0o40755
    process.threads[1].timeLeft = 1_500_000_000
    process.fileLocks.append(FileLock(kind: .lease, descriptor: 6, isExclusive: false))
    let heap = process.memory.regions[1].range
    process.memory.regions[1].guards = [MemoryRange(start: heap.start, count: 4096)]
    process.memory.regions[2].hugePageSize = 2 << 20
  }

  /// Before those of 1.0, whose references to each other move by as many.
  private func addOpenFiles(to snapshot: inout Snapshot) {
    let kinds = ObjectTests.kinds + [.messageQueue(Self.queue())]
    let older = snapshot.openFiles.map { file in
      if case .directory = file.kind {
        var lost = file
        lost.lostDirectoryMode = 0o40700
        return lost
      }
      guard case .deleted(var deleted) = file.kind else { return file }
      var moved = file
      deleted.sameFileAs = deleted.sameFileAs.map { $0 + kinds.count }
      moved.kind = .deleted(deleted)
      return moved
    }
    snapshot.openFiles = kinds.map { OpenFile(kind: $0, flags: 2, position: 0) } + older
    snapshot.processes[0].descriptors = snapshot.openFiles.indices.map {
      Descriptor(number: Int32($0), closeOnExec: false, openFile: $0)
    }
  }

  private static func queue() -> MessageQueueFile {
    var queue = MessageQueueFile(name: "jobs", inode: 91)
    queue.isUnlinked = true
    (queue.mode, queue.user, queue.group) = (0o620, 1000, 1001)
    queue.state = QueueState(capacity: 10, messageSize: 8192)
    (queue.notified, queue.notification, queue.signal) = (ProcessID(4711), 0, 10)
    queue.messages = [
      MessageQueueFile.Message(priority: 32767, bytes: [1, 2]),
      MessageQueueFile.Message(priority: 0, bytes: []),
    ]
    return queue
  }

  private static func systemV() -> SystemV {
    func identity(_ id: Int32) -> SystemV.Identity {
      var identity = SystemV.Identity(id: id, key: 0x1234_5678)
      (identity.user, identity.group, identity.creatingUser, identity.mode) = (1, 2, 3, 0o640)
      return identity
    }
    var segment = SystemV.Segment(identity(0), memory: 0, creator: ProcessID(4711))
    (segment.isRemoved, segment.isLocked) = (true, true)
    var set = SystemV.SemaphoreSet(identity(5))
    set.semaphores = [SystemV.Semaphore(value: 32767, lastProcess: ProcessID(4800))]
    set.adjustments = [SystemV.Adjustment(process: ProcessID(4711), semaphore: 0, value: -3)]
    var queue = SystemV.MessageQueue(identity(6))
    (queue.capacity, queue.lastSender, queue.lastReceiver) = (16384, ProcessID(4711), ProcessID(1))
    queue.messages = [SystemV.Message(type: .max, bytes: [7]), SystemV.Message(type: 1, bytes: [])]
    var systemV = SystemV()
    systemV.segments = [segment]
    systemV.semaphoreSets = [set]
    systemV.messageQueues = [queue]
    return systemV
  }
}
