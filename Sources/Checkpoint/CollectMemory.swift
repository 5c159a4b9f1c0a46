// SPDX-License-Identifier: Apache-2.0
import Architecture
import Engine
import Linux
import Request
import Snapshot

extension Collector {
  /// The address space: regions, which of their pages have contents, and the kernel's notes.
  mutating func collectMemory<E: Engine & ~Copyable>(
    _ member: Frozen.Member, _ files: borrowing ProcessFiles, _ process: Process,
    _ outside: OutsideView, _ remote: RemoteProcess, by engine: inout E
  ) throws(Failure) -> AddressSpace {
    // What tells of memory is 0 for a main thread that has ended.
    let reach = reach(member.id)
    let stat = reach == member.id ? member.stat : ProcessStat(of: reach) ?? member.stat
    var memory = AddressSpace()
    memory.pageSize = hostPageSize
    memory.auxiliaryVector = try files.text("auxv", of: member.id)
    memory.layout.code = stat.code
    memory.layout.data = stat.data
    memory.layout.stackStart = stat.stackStart
    memory.layout.arguments = stat.arguments
    memory.layout.environment = stat.environment
    // brk(0) fails by design and answers with the present break.
    let end = try remote.call(.brk, [0], "read the program break", by: &engine)
    memory.layout.heap = MemoryRange(start: stat.heapStart, end: max(end, stat.heapStart))
    if process.sharesMemoryWith != nil { return memory }
    try checkLoaded(process, outside.regions)

    var pagemap = try reading("page map", of: member.id) { () throws(Errno) in
      try Pagemap(files, pageSize: hostPageSize)
    }
    let ours = engine.ownMemory(in: member.id)
    for region in outside.regions {
      // A program that locks its future mappings (mlockall) has locked the engine's memory too.
      if region.hasFlag("lo"), ours.contains(where: { $0.overlaps(region.range) }) {
        memory.lockFuture = region.hasFlag("lf") ? 2 | 4 : 2
      }
      for part in region.without(ours) {
        if let collected = collectRegion(part, process) { memory.regions.append(collected) }
      }
    }
    try fillContents(&memory, member.id, &pagemap)
    memory.limitExtents()
    return memory
  }

  /// nil for a region that cannot be saved; the reason is then among the problems.
  mutating func collectRegion(
    _ mapped: MappedRegion, _ process: Process
  ) -> Region? {
    if let reason = mapped.unsupportedReason {
      problems.add(
        "process \(process.id) (\(process.name)): memory at \(hex: mapped.range.start) "
          + "(\(mapped.name.isEmpty ? "anonymous" : mapped.name)) is \(reason): not supported yet")
      return nil
    }
    guard let backing = backing(of: mapped, process) else { return nil }
    var region = Region(
      range: mapped.range, protection: mapped.protection, isShared: mapped.isShared,
      backing: backing)
    region.growsDown = mapped.hasFlag("gd")
    region.offset = mapped.offset
    region.flags = mapped.flags
    region.protectionKey = mapped.protectionKey
    if !mapped.hasFile { region.name = mapped.name }
    if mapped.isPrivateHuge { region.hugePageSize = mapped.hugePageSize }
    return region
  }

  private mutating func backing(of mapped: MappedRegion, _ process: Process) -> Region.Backing? {
    if mapped.isSpecial { return .special(mapped.name) }
    if !mapped.hasFile || mapped.isPrivateHuge { return .anonymous }
    if mapped.isUnlinked {
      return .sharedMemory(sharedMemories.index(of: mapped, in: process.id, &snapshot))
    }
    if mapped.isShared, FileUsers.isNamedMemory(mapped.name) {
      if let other = identities.otherUsers[mapped.name] {
        warnings.append(
          "\(mapped.name), shared memory of process \(process.id) (\(process.name)), is mapped by process "
            + "\(other) outside of the job too: it is not saved, and a restart takes it as it is then")
      } else {
        let index = sharedMemories.index(of: mapped, in: process.id, named: true, &snapshot)
        snapshot.sharedMemories[index].kind = .namedMemory
        return .sharedMemory(index)
      }
    }
    if isToBeSaved(mapped, process) {
      let index = sharedMemories.index(of: mapped, in: process.id, named: true, &snapshot)
      return .sharedMemory(index)
    }
    if let identity = identities.identity(of: mapped.name, inode: mapped.inode) {
      return .file(identity)
    }
    problems.add(
      "process \(process.id) (\(process.name)): the file \(mapped.name), which is mapped at "
        + "\(hex: mapped.range.start), is not there any more")
    return nil
  }

  /// Whether the request asks for the contents of a file that is mapped by its name.
  private mutating func isToBeSaved(_ mapped: MappedRegion, _ process: Process) -> Bool {
    if mapped.isShared {
      guard savedFiles.contains(.shared), (try? FileStatus.of(mapped.name))?.kind == .regular else {
        return false
      }
      if mapped.hasFlag("mw"), mapped.hasFlag("wr") {
        warnings.append(
          "process \(process.id) (\(process.name)): what it writes to \(mapped.name) through memory "
            + "after a restart stays in memory (--save-shared)")
      }
      return true
    }
    return savedFiles.contains(.privately)
      || savedFiles.contains(.executable) && mapped.name == process.executable.path
  }

  /// Pages of their own. Neighbours of one kind are asked about together.
  private func fillContents(
    _ memory: inout AddressSpace, _ process: ProcessID, _ pagemap: inout Pagemap
  ) throws(Failure) {
    var index = 0
    while index < memory.regions.count {
      guard let wanted = memory.regions[index].wantedPages else {
        index += 1
        continue
      }
      var last = index
      while last + 1 < memory.regions.count, memory.regions[last + 1].wantedPages == wanted {
        last += 1
      }
      let ranges = memory.regions[index ... last].map { $0.range }
      do throws(Errno) {
        for run in try pagemap.runs(of: wanted, in: ranges) {
          while memory.regions[index].range.end <= run.start { index += 1 }
          var at = index
          while at <= last, memory.regions[at].range.start < run.end {
            let start = max(run.start, memory.regions[at].range.start)
            let end = min(run.end, memory.regions[at].range.end)
            if start < end {
              memory.regions[at].contents.append(Extent(position: start, count: end - start))
            }
            at += 1
          }
        }
      } catch {
        throw Failure("read the page map", process, error)
      }
      index = last + 1
    }
    memory.place(guards: pagemap.guards)
  }
}

extension Region {
  /// Which pages belong to the region itself; nil where none do: what a shared mapping shows
  /// belongs to its object, or is in its file.
  fileprivate var wantedPages: Pagemap.Wanted? {
    switch backing {
    case .special: nil
    case .anonymous: .anonymous
    case .file, .sharedMemory: isShared ? nil : .modifiedFile
    }
  }
}

extension MappedRegion {
  /// Made by the kernel in every process, and made by it again in a new one.
  var isSpecial: Bool {
    inode == 0 && !isAnonymousName && name.hasPrefix("[") && name.hasSuffix("]")
  }

  private var isAnonymousName: Bool {
    name == "[heap]" || name == "[stack]" || name.hasPrefix("[anon:")
  }

  /// No path leads to it: shared anonymous memory, memfd, SysV segment, a deleted file.
  var isUnlinked: Bool {
    hasFile && (name.hasSuffix(" (deleted)") || name.hasPrefix("[anon_shmem:"))
  }

  /// Its file is its own: what is in it are pages of the process.
  var isPrivateHuge: Bool { hasFlag("ht") && !isShared && name == "/anon_hugepage (deleted)" }

  /// Why such memory cannot be saved, in words that follow "is"; nil if it can.
  var unsupportedReason: StaticString? {
    if isSpecial { return nil }
    if hasFlag("um") || hasFlag("uw") || hasFlag("ui") { return "watched by a userfaultfd" }
    if hasFlag("ss") { return "a shadow stack" }
    if name == "/secretmem (deleted)" { return "hidden by memfd_secret" }
    if name.hasPrefix("/[aio]") { return "a queue of asynchronous I/O" }
    if name.hasPrefix("anon_inode:") { return "a kernel object" }
    if hasFlag("io") || hasFlag("pf") { return "a device" }
    return nil
  }

  /// What is left of it when the holes are taken out.
  func without(_ holes: [MemoryRange]) -> [MappedRegion] {
    var parts = [self]
    for hole in holes { parts = parts.flatMap { $0.without(hole) } }
    return parts
  }

  /// Itself, one part, two or none.
  private func without(_ hole: MemoryRange) -> [MappedRegion] {
    guard range.overlaps(hole) else { return [self] }
    var parts: [MappedRegion] = []
    if range.start < hole.start {
      var part = self
      part.range.end = hole.start
      parts.append(part)
    }
    if hole.end < range.end {
      var part = self
      part.range.start = hole.end
      if hasFile { part.offset += hole.end - range.start }
      parts.append(part)
    }
    return parts
  }
}

extension AddressSpace {
  /// Beyond this many runs, small gaps in anonymous memory are saved as the zeros they are: a
  /// longer list costs more than the pages.
  private static var wantedExtents: Int { 8192 }

  /// Gives each region its part.
  fileprivate mutating func place(guards: [MemoryRange]) {
    var index = 0
    for run in guards {
      while index < regions.count, regions[index].range.end <= run.start { index += 1 }
      var at = index
      while at < regions.count, regions[at].range.start < run.end {
        let start = max(run.start, regions[at].range.start)
        let end = min(run.end, regions[at].range.end)
        if start < end { regions[at].guards.append(MemoryRange(start: start, end: end)) }
        at += 1
      }
    }
  }

  mutating func limitExtents() {
    var gap = pageSize
    while regions.reduce(0, { $0 + $1.contents.count }) > Self.wantedExtents, gap <= 64 * pageSize {
      for index in regions.indices {
        // Guard pages in a gap cannot be read.
        guard case .anonymous = regions[index].backing, regions[index].guards.isEmpty else { continue }
        regions[index].contents = joined(regions[index].contents, acrossGapsUpTo: gap)
      }
      gap *= 4
    }
  }
}

/// Extents whose gaps are at most `gap` bytes become one.
func joined(_ extents: [Extent], acrossGapsUpTo gap: UInt64) -> [Extent] {
  var result: [Extent] = []
  for extent in extents {
    if let last = result.last, extent.position - (last.position + last.count) <= gap {
      result[result.count - 1].count = extent.position + extent.count - last.position
    } else {
      result.append(extent)
    }
  }
  return result
}
