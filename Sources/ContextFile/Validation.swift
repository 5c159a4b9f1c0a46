// SPDX-License-Identifier: Apache-2.0
import Linux
import Snapshot

/// Whether the numbers in a snapshot from a file fit together, so that nobody behind has to ask.
struct Validation {
  private let snapshot: Snapshot
  /// Where the contents end in the file of each process.
  private let contentEnds: [UInt64]

  init(_ snapshot: Snapshot, contentEnds: [UInt64]) {
    self.snapshot = snapshot
    self.contentEnds = contentEnds
  }

  /// What is wrong, in words; nil if nothing is.
  var flaw: ByteString? {
    var ids: Set<Int32> = []
    for (index, process) in snapshot.processes.enumerated() {
      if !ids.insert(process.id.rawValue).inserted {
        return "process \(process.id) is there twice"
      }
      if let flaw = flaw(in: process, index) { return "process \(process.id): \(flaw)" }
    }
    for (index, object) in snapshot.sharedMemories.enumerated() {
      if object.hugePageSize & (object.hugePageSize &- 1) != 0 || object.hugePageSize > 1 << 40 {
        return "the page size of shared memory \(index)"
      }
      if !isSound(object.contents, in: MemoryRange(start: 0, end: object.span), contentEnds[0]) {
        return "the contents of shared memory \(index)"
      }
    }
    for (index, file) in snapshot.openFiles.enumerated() {
      if case .epoll(let entries) = file.kind, entries.contains(where: { !isSound($0) }) {
        return "the entries of open file \(index)"
      }
      if case .socket(let socket) = file.kind,
        !isSocket(socket.peer) || socket.waiting.contains(where: { !isSocket($0) })
      {
        return "the other end of socket \(index)"
      }
      if case .socket(let socket) = file.kind,
        socket.messages.contains(where: { !isSound($0) }) || !isSound(socket.connection)
      {
        return "what is under way in socket \(index)"
      }
      if case .master(let terminal) = file.kind, !isSound(terminal.queues) {
        return "what waits in terminal \(index)"
      }
      guard case .deleted(let deleted) = file.kind else { continue }
      if !isSound(deleted.contents, in: MemoryRange(start: 0, end: deleted.size), contentEnds[0])
        || !isIndex(deleted.sameFileAs, below: index)
        || !isIndex(deleted.sharedMemory, below: snapshot.sharedMemories.count)
      {
        return "the contents of open file \(index)"
      }
    }
    return flawInSystemV
  }

  private var flawInSystemV: ByteString? {
    var used: Set<Int> = []
    for segment in snapshot.systemV.segments
    where !isIndex(segment.memory, below: snapshot.sharedMemories.count)
      || !used.insert(segment.memory).inserted
    {
      return "the memory of System V segment \(segment.identity.id)"
    }
    for set in snapshot.systemV.semaphoreSets
    where set.adjustments.contains(where: { Int($0.semaphore) >= set.semaphores.count }) {
      return "the adjustments of System V semaphores \(set.identity.id)"
    }
    return nil
  }

  private func isSound(_ queues: TerminalQueues) -> Bool {
    let whole = queues.lines.reduce(UInt64(0)) { $0 + UInt64($1.count) }
    return queues.input.count < 4096 && queues.lines.count < 4096 && queues.typed.count <= 65536
      && queues.output.count <= 65536 && whole <= UInt64(queues.input.count)
  }

  private func flaw(in process: Process, _ index: Int) -> ByteString? {
    if case .zombie = process.state {
    } else {
      if process.threads.first?.id != process.id.leader { return "no thread bears its number" }
      if process.leaderStatus != nil, process.threads.count < 2 { return "all of its threads have ended" }
    }
    let links = [
      process.sharesMemoryWith, process.sharesDescriptorsWith, process.sharesDirectoriesWith,
    ]
    if links.contains(where: { !isIndex($0, below: index) }) {
      return "it shares things with a process that is not there before it"
    }
    if let flaw = flawInSeccomp(process) { return flaw }
    let files = snapshot.openFiles.count
    for descriptor in process.descriptors
    where descriptor.number < 0 || descriptor.openFile < 0 || descriptor.openFile >= files {
      return "descriptor \(descriptor.number) leads nowhere"
    }
    return flaw(in: process.memory, contentEnds[index])
  }

  private func flawInSeccomp(_ process: Process) -> ByteString? {
    for filter in process.seccompFilters
    where filter.instructions.isEmpty || filter.instructions.count % 8 != 0
      || filter.instructions.count / 8 > SeccompFilter.maximumCount
    {
      return "a seccomp filter of \(filter.instructions.count) bytes"
    }
    for thread in process.threads
    where thread.seccompFilters.contains(where: { $0 >= UInt32(process.seccompFilters.count) }) {
      return "thread \(thread.id) has a seccomp filter that is not there"
    }
    return nil
  }

  private func flaw(in memory: AddressSpace, _ contentsEnd: UInt64) -> ByteString? {
    let page = memory.pageSize
    guard page >= 4096, page <= 1 << 24, page & (page - 1) == 0 else {
      return "a page size of \(page) bytes"
    }
    var end: UInt64 = 0
    for region in memory.regions {
      let range = region.range
      guard range.start >= end, range.start < range.end, range.start % page == 0,
        range.end % page == 0, !region.offset.addingReportingOverflow(range.count).overflow
      else { return "the region at \(hex: range.start) has no sensible bounds" }
      end = range.end
      guard isSound(region.contents, in: range, contentsEnd) else {
        return "the contents of the region at \(hex: range.start)"
      }
      if region.guards.contains(where: {
        $0.start < range.start || $0.end > range.end || $0.start >= $0.end || ($0.start | $0.end) % page != 0
      }) {
        return "the guard pages of the region at \(hex: range.start)"
      }
      if case .sharedMemory(let object) = region.backing,
        !isIndex(object, below: snapshot.sharedMemories.count)
      {
        return "the region at \(hex: range.start) shows a memory that is not there"
      }
    }
    return nil
  }

  private func isSound(_ entry: EpollEntry) -> Bool {
    entry.number >= 0 && isIndex(entry.openFile, below: snapshot.openFiles.count)
  }

  private func isSound(_ connection: ConnectionState?) -> Bool {
    guard let connection else { return true }
    return connection.window.count == 5 && connection.unsent <= connection.queue.count
      && connection.queue.count < 1 << 31
  }

  private func isSound(_ message: SocketMessage) -> Bool {
    // linux/net/scm.h, SCM_MAX_FD.
    message.descriptors.count <= 253
      && message.descriptors.allSatisfy { isIndex($0, below: snapshot.openFiles.count) }
  }

  private func isSocket(_ index: Int?) -> Bool {
    guard let index else { return true }
    guard isIndex(index, below: snapshot.openFiles.count),
      case .socket = snapshot.openFiles[index].kind
    else { return false }
    return true
  }

  private func isIndex(_ index: Int?, below count: Int) -> Bool {
    guard let index else { return true }
    return index >= 0 && index < count
  }

  /// In rising order, inside of what they are contents of, and inside of the file.
  private func isSound(
    _ extents: [Extent], in range: MemoryRange, _ contentsEnd: UInt64
  ) -> Bool {
    var next = range.start
    for extent in extents {
      guard extent.position >= next, extent.position <= range.end, extent.count > 0,
        extent.count <= range.end - extent.position, extent.fileOffset <= contentsEnd,
        extent.count <= contentsEnd - extent.fileOffset
      else { return false }
      next = extent.position + extent.count
    }
    return true
  }
}
