// SPDX-License-Identifier: Apache-2.0
import Architecture
import CLinux
import ContextFile
import Engine
import Linux
import Request
import Snapshot

// The memory of one process, in three steps that stand apart: first everything is mapped (which
// needs the files at the numbers at which we opened them), then the descriptors get their own
// numbers, then the contents are loaded and the protections made final.

extension Rebuilder {
  /// Takes away what the exec has mapped and maps what the snapshot has.
  mutating func mapMemory<E: Engine & ~Copyable>(
    _ index: Int, by engine: inout E
  ) throws(Failure) {
    let memory = snapshot.processes[index].memory
    let remote = remote(index)
    let fresh = try freshRegions(remote)
    try clear(fresh, remote, by: &engine)
    try moveSpecials(fresh, memory, remote, by: &engine)
    if snapshot.processes[index].hugePagesDisabled {
      try remote.call(
        "switch huge pages off", .prctl, [UInt64(PR_SET_THP_DISABLE), 1], by: &engine)
    }
    try attachSegments(index, by: &engine)
    for region in memory.regions {
      if case .sharedMemory(let object) = region.backing, files.systemV.segments[object] != nil {
        continue
      }
      guard let mapping = Mapping(region, files.source(of: region)) else { continue }
      let outcome = try remote.outcome(.mmap, mapping.arguments, by: &engine)
      if case .failure(let errno) = outcome {
        throw Failure(
          errno,
          "cannot map \(region.range.count) bytes at \(hex: region.range.start) "
            + "(\(region.describedBacking)) of process \(remote.id) (\(remote.name)): \(errno)")
      }
    }
  }

  private func freshRegions(_ remote: Remote) throws(Failure) -> [MappedRegion] {
    do throws(Errno) {
      return MappedRegion.parse(try ProcessFiles(remote.id).read("maps"))
    } catch {
      throw Failure("read the mappings", remote.id, remote.name, error)
    }
  }

  /// Unmaps everything but the kernel's own mappings and our scratch memory.
  private func clear<E: Engine & ~Copyable>(
    _ fresh: [MappedRegion], _ remote: Remote, by engine: inout E
  ) throws(Failure) {
    let scratch = MemoryRange(start: remote.scratch.start, count: engine.scratchSpan)
    var start: UInt64?
    var end: UInt64 = 0
    for region in fresh {
      if region.range.overlaps(scratch) || region.isKernelMade {
        if let first = start { try unmap(first, end, remote, by: &engine) }
        start = nil
        continue
      }
      start = start ?? region.range.start
      end = region.range.end
    }
    if let first = start { try unmap(first, end, remote, by: &engine) }
  }

  private func unmap<E: Engine & ~Copyable>(
    _ start: UInt64, _ end: UInt64, _ remote: Remote, by engine: inout E
  ) throws(Failure) {
    try remote.call("clear the memory", .munmap, [start, end - start], by: &engine)
  }

  // MARK: After the descriptors

  /// Fills the memory, then gives it its protection, advice, locks and names.
  mutating func fillMemory<E: Engine & ~Copyable>(
    _ index: Int, from part: ContextPart, by engine: inout E, _ report: inout Report
  ) throws(Failure) {
    let remote = remote(index)
    let regions = snapshot.processes[index].memory.regions
    // Before the pages are there, so that they come as huge pages at once.
    for region in regions where region.hasFlag("hg") {
      try advise(region, UInt64(MADV_HUGEPAGE), remote, by: &engine)
    }
    let now = pageServer == nil ? regions : regions.filter { !$0.canWait }
    try load(now, of: remote, from: part, by: &engine, &report)
    if pageServer != nil {
      let left = try leaveToServer(regions.filter { $0.canWait }, of: index, part, by: &engine)
      try load(left, of: remote, from: part, by: &engine, &report)
    }
    for region in regions {
      try finish(region, remote, by: &engine, &report)
    }
    try describeMemory(index, remote, by: &engine)
    try registerBarriers(snapshot.processes[index].membarrierCommands, remote, by: &engine)
    let lockFuture = snapshot.processes[index].memory.lockFuture
    if lockFuture != 0 {
      try remote.call("lock future memory", .mlockall, [UInt64(lockFuture)], by: &engine)
    }
  }

  /// membarrier(2): MEMBARRIER_CMD_REGISTER_*, one bit each.
  private func registerBarriers<E: Engine & ~Copyable>(
    _ commands: UInt32, _ remote: Remote, by engine: inout E
  ) throws(Failure) {
    for bit in UInt32(0) ..< 32 where commands >> bit & 1 != 0 {
      try remote.call(
        "register for memory barriers", .membarrier, [UInt64(1) << UInt64(bit)], by: &engine)
    }
  }

  private func load<E: Engine & ~Copyable>(
    _ regions: [Region], of remote: Remote, from part: ContextPart,
    by engine: inout E, _ report: inout Report
  ) throws(Failure) {
    let pieces = regions.flatMap { region in
      region.contents.map { LoadPiece(kind: region.loadKind, extent: $0) }
    }
    if pieces.isEmpty { return }
    do throws(EngineError) {
      try engine.load(pieces, of: remote.id, from: part.file) { bytes throws(EngineError) in
        if !report.advance(bytes) { throw EngineError("load memory", remote.id, .interrupted) }
      }
    } catch {
      throw Failure(error)
    }
  }

  private func finish<E: Engine & ~Copyable>(
    _ region: Region, _ remote: Remote, by engine: inout E, _ report: inout Report
  ) throws(Failure) {
    guard Mapping(region, DescriptorNumber(0)) != nil else { return }
    let range = [region.range.start, region.range.count]
    let protection = UInt64(region.protection)
    // An execute-only mapping has a key that the kernel gives it by itself (x86, mprotect).
    if region.protectionKey != 0, region.protection != 4 {
      try protect(region, remote, by: &engine)
    } else if region.fillProtection != region.protection {
      try remote.call("protect memory", .mprotect, range + [protection], by: &engine)
    }
    for guarded in region.guards {
      // MADV_GUARD_INSTALL
      try remote.call("guard memory", .madvise, [guarded.start, guarded.count, 102], by: &engine)
    }
    for (flag, advice) in Region.advices where region.hasFlag(flag) {
      try advise(region, advice, remote, by: &engine)
    }
    if region.name.hasPrefix("[anon:"), region.name.hasSuffix("]") {
      let name = try remote.putPath(region.name.dropFirst(6).dropLast(1), by: &engine)
      // Only a kernel with CONFIG_ANON_VMA_NAME has names; nothing depends on them.
      _ = try remote.outcome(.prctl, [0x5356_4d41, 0] + range + [name], by: &engine)
    }
    if region.hasFlag("lo") {
      // MLOCK_ONFAULT
      let outcome = try remote.outcome(
        .mlock2, range + [region.hasFlag("lf") ? 1 : 0], by: &engine)
      if case .failure(let errno) = outcome {
        report.warn(
          "memory at \(hex: region.range.start) of process \(remote.id) (\(remote.name)) cannot "
            + "be locked: \(errno) (see ulimit -l)")
      }
    }
    if region.hasFlag("sl") { try seal(region, remote, by: &engine, &report) }
  }

  /// mseal(2), Linux 6.10; from here on nothing of it can be changed.
  private func seal<E: Engine & ~Copyable>(
    _ region: Region, _ remote: Remote, by engine: inout E, _ report: inout Report
  ) throws(Failure) {
    let outcome = try remote.outcome(.mseal, [region.range.start, region.range.count], by: &engine)
    guard case .failure(let errno) = outcome else { return }
    report.warn(
      "memory at \(hex: region.range.start) of process \(remote.id) (\(remote.name)) cannot be sealed "
        + "(mseal) here: \(errno)")
  }

  /// pkey_alloc(2) hands keys out from the lowest on, so they are taken until it is there.
  private func protect<E: Engine & ~Copyable>(
    _ region: Region, _ remote: Remote, by engine: inout E
  ) throws(Failure) {
    let wanted = UInt64(region.protectionKey)
    let arguments = [region.range.start, region.range.count, UInt64(region.protection), wanted]
    while true {
      let outcome = try remote.outcome(.pkeyMprotect, arguments, by: &engine)
      guard case .failure(let errno) = outcome else { return }
      guard errno == .invalid else {
        throw Failure("set a protection key", remote.id, remote.name, errno)
      }
      // EINVAL: not handed out yet.
      let key = try remote.call("make a protection key", .pkeyAlloc, [0, 0], by: &engine)
      guard key <= wanted else {
        throw Failure("set a protection key", remote.id, remote.name, errno)
      }
    }
  }

  private func advise<E: Engine & ~Copyable>(
    _ region: Region, _ advice: UInt64, _ remote: Remote, by engine: inout E
  ) throws(Failure) {
    // A kernel without huge pages or without KSM says EINVAL; nothing depends on these two.
    let outcome = try remote.outcome(
      .madvise, [region.range.start, region.range.count, advice], by: &engine)
    if case .failure(let errno) = outcome, errno != .invalid {
      throw Failure("advise on memory", remote.id, remote.name, errno)
    }
  }

  /// PR_SET_MM_MAP: program break, stack, arguments, auxiliary vector (prctl(2)).
  private func describeMemory<E: Engine & ~Copyable>(
    _ index: Int, _ remote: Remote, by engine: inout E
  ) throws(Failure) {
    let memory = snapshot.processes[index].memory
    let vector = try remote.put(memory.auxiliaryVector, at: 512, by: &engine)
    // struct prctl_mm_map has the form of the kernel's word size, and only i386's own
    // is told from the wider one by its size.
    var failure: Errno?
    let isOwnFirst = remote.machine.wordSize == .bits32 && remote.machine.alignsLongLong
    for isWide in isOwnFirst ? [false, true] : [true, false] {
      let outcome = try describe(
        memory.layout, memory.auxiliaryVector, at: vector, isWide: isWide, remote, by: &engine)
      guard case .failure(let errno) = outcome else { return }
      failure = failure ?? errno
      if remote.machine.wordSize == .bits64 { break }
    }
    if let failure {
      throw Failure("set the program break and the arguments", remote.id, remote.name, failure)
    }
  }

  private func describe<E: Engine & ~Copyable>(
    _ layout: MemoryLayout, _ auxiliaryVector: [UInt8], at vector: UInt64, isWide: Bool,
    _ remote: Remote, by engine: inout E
  ) throws(Failure) -> Result<UInt64, Errno> {
    var map = TargetStructure(for: remote.machine)
    for address in [
      layout.code.start, layout.code.end, layout.data.start, layout.data.end, layout.heap.start,
      layout.heap.end, layout.stackStart, layout.arguments.start, layout.arguments.end,
      layout.environment.start, layout.environment.end,
    ] { map.int64(address) }
    if isWide { map.int64(vector) } else { map.word(vector) }
    map.int32(UInt32(auxiliaryVector.count))
    // exe_fd: none, the exec has set it.
    map.int32(.max)
    if remote.machine.alignsLongLong, map.bytes.count % 8 != 0 { map.int32(0) }
    let address = try remote.put(map.bytes, by: &engine)
    return try remote.outcome(
      .prctl,
      [UInt64(PR_SET_MM), UInt64(PR_SET_MM_MAP), address, UInt64(map.bytes.count)], by: &engine)
  }
}

extension MappedRegion {
  /// [vdso], [vvar], [vsyscall] and the like; [sigpage] of ARM.
  var isKernelMade: Bool {
    inode == 0 && (name.hasPrefix("[v") && name.hasSuffix("]") || name == "[sigpage]")
  }
}
