// SPDX-License-Identifier: Apache-2.0
import Architecture
import CLinux
import Engine
import Linux
import Request
import Snapshot

extension Rebuilder {
  /// A segment with its contents, which we have attached ourselves until `finishSegments`.
  func makeSegment<E: Engine & ~Copyable>(
    _ segment: SystemV.Segment, _ contents: ContentCopier, _ check: inout SystemVCheck,
    by engine: inout E, _ report: inout Report
  ) throws(Failure) {
    let memory = snapshot.sharedMemories[segment.memory]
    let title = SystemVCheck.title(.segments, segment.identity)
    let fate = check.fate(
      .segments, segment.identity, size: memory.size, isRemoved: segment.isRemoved)
    let id = try obtain(segment, fate, by: &engine, &report)
    do throws(Errno) {
      let attached = try AttachedSegment(id, readOnly: false)
      let range = MemoryRange(
        start: attached.address, count: memory.span.roundedUp(to: hostPageSize))
      // One that was there from before may have ordinary pages, and then it is shorter.
      if memory.hugePageSize > 0, try attached.region().range.count < range.count { throw .exists }
      files.systemV.segments[segment.memory] = SystemVObjects.MadeSegment(
        id: id, address: attached.keep(), size: range.count)
      if case .takeOver = fate {
        let (start, count) = (Int(bitPattern: UInt(range.start)), Int(range.count))
        try checked(cr_syscall(Int(SYS_madvise), start, count, Int(MADV_REMOVE), 0, 0, 0))
      }
      try contents.copy(
        memory.contents,
        to: UnsafeMutableRawBufferPointer(
          start: UnsafeMutableRawPointer(bitPattern: UInt(range.start)), count: Int(range.count)))
    } catch {
      throw Failure(error, "cannot fill \(title): \(error)")
    }
  }

  /// Huge pages are promised now or never. Where the kernel has none to give, or not to this user,
  /// ordinary ones show the program the same bytes.
  private func obtain<E: Engine & ~Copyable>(
    _ segment: SystemV.Segment, _ fate: SystemVCheck.Fate, by engine: inout E, _ report: inout Report
  ) throws(Failure) -> Int32 {
    let memory = snapshot.sharedMemories[segment.memory]
    let maker = maker(segment.creator)
    if memory.hugePageSize > 0 {
      let pages = UInt64(SHM_HUGETLB) | UInt64(memory.hugePageSize.trailingZeroBitCount) << 26
      do throws(Failure) {
        return try obtain(
          .segments, segment.identity, fate, by: &engine, maker, .shmget, [memory.size], flags: pages)
      } catch {
        guard [.noMemory, .notPermitted, .invalid].contains(error.errno) else { throw error }
        report.warn(
          "\(SystemVCheck.title(.segments, segment.identity)) was in huge pages, which cannot be had here "
            + "(\(error.errno); see vm.nr_hugepages): it is in ordinary ones now")
      }
    }
    return try obtain(
      .segments, segment.identity, fate, by: &engine, maker, .shmget, [memory.span],
      flags: isReserved(segment.memory) ? 0 : UInt64(SHM_NORESERVE))
  }

  private func isReserved(_ memory: Int) -> Bool {
    for process in snapshot.processes {
      for region in process.memory.regions {
        if case .sharedMemory(memory) = region.backing, region.hasFlag("nr") { return false }
      }
    }
    return true
  }

  /// Owners, permissions, and what was marked for removal, when all have attached them.
  mutating func finishSegments(_ report: inout Report) throws(Failure) {
    for segment in snapshot.systemV.segments {
      guard let made = files.systemV.segments[segment.memory] else { continue }
      try setOwner(.segments, segment.identity, made.id)
      if segment.isLocked {
        do throws(Errno) { try SystemVCalls.lockSegment(made.id) } catch {
          report.warn(
            "\(SystemVCheck.title(.segments, segment.identity)) cannot be locked in memory: \(error) "
              + "(see ulimit -l)")
        }
      }
      if segment.isRemoved { try? SystemVKind.segments.remove(made.id) }
    }
    files.systemV.detach()
  }
}
