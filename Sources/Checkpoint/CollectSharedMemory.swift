// SPDX-License-Identifier: Apache-2.0
import Architecture
import CLinux
import Engine
import Linux
import Request
import Snapshot

extension Collector {
  /// Size and data of the objects that `collectMemory` and `collectDescriptors` came across.
  mutating func finishSharedMemories<E: Engine & ~Copyable>(
    by engine: inout E
  ) throws(Failure) {
    for index in snapshot.sharedMemories.indices {
      let mappings = sharedMemories.mappings[index]
      if try finishFromFile(index, mappings) { continue }
      try finishFromMappings(index, mappings, by: &engine)
    }
  }

  /// Asks the file itself; false if we may not open it.
  private mutating func finishFromFile(
    _ index: Int, _ mappings: [SharedMemoryTable.Mapping]
  ) throws(Failure) -> Bool {
    guard let mapping = mappings.first else { return false }
    var paths: [ByteString] = [
      "/proc/\(reach(mapping.process))/map_files/\(hex: mapping.range.start)-\(hex: mapping.range.end)"
    ]
    if [.savedFile, .namedMemory].contains(snapshot.sharedMemories[index].kind) {
      paths.append(snapshot.sharedMemories[index].path)
    } else {
      // Its owner may open it by this name though no other is left.
      paths.append("/proc/\(reach(mapping.process))/exe")
    }
    let key = FileKey(
      device: snapshot.sharedMemories[index].device, inode: snapshot.sharedMemories[index].inode)
    let isSegment = sharedMemories.segments.contains { $0.index == index }
    if !isSegment, let open = openFiles.anyDescriptor(of: key) {
      paths.append("/proc/\(open.process)/fd/\(open.descriptor)")
    }
    for path in paths {
      guard let file = try? FileDescriptor(opening: path, flags: O_RDONLY),
        let status = try? file.status(), status.inode == key.inode
      else { continue }
      let ranges = try reading("shared memory", of: mapping.process) { () throws(Errno) in
        try file.dataRanges(size: status.size)
      }
      snapshot.sharedMemories[index].size = status.size
      snapshot.sharedMemories[index].mode = status.mode & 0o7777
      snapshot.sharedMemories[index].user = status.user
      snapshot.sharedMemories[index].group = status.group
      if let seals = try? file.seals() { snapshot.sharedMemories[index].seals = seals }
      snapshot.sharedMemories[index].contents = mapped(ranges, index, mappings).map {
        Extent(position: $0.start, count: $0.count)
      }
      sharedMemories.setPath(path, of: index)
      return true
    }
    return false
  }

  /// Of a file that has its name only what the job sees of it; nobody else can see the others.
  private func mapped(
    _ ranges: [MemoryRange], _ index: Int, _ mappings: [SharedMemoryTable.Mapping]
  ) -> [MemoryRange] {
    guard snapshot.sharedMemories[index].kind == .savedFile else { return ranges }
    let seen = union(
      mappings.map { MemoryRange(start: $0.offset, count: $0.range.count) })
    return ranges.flatMap { range in
      seen.compactMap { part in
        let start = max(range.start, part.start)
        let end = min(range.end, part.end)
        return start < end ? MemoryRange(start: start, end: end) : nil
      }
    }
  }

  /// Without the right to open it (only CAP_CHECKPOINT_RESTORE has it), the processes that have it
  /// mapped tell which of its pages exist: mincore(2) looks into the object, not into their own
  /// page tables. It does not see what is in swap; then everything that is mapped is saved.
  private mutating func finishFromMappings<E: Engine & ~Copyable>(
    _ index: Int, _ mappings: [SharedMemoryTable.Mapping], by engine: inout E
  ) throws(Failure) {
    var ranges: [MemoryRange] = []
    var size: UInt64 = 0
    for mapping in mappings {
      guard mapping.isShared else {
        try takePrivately(mapping, by: &engine)
        continue
      }
      size = max(size, mapping.offset + mapping.range.count)
      // Of huge pages it tells only which the process itself has touched.
      let runs =
        mapping.swapped > 0 || snapshot.sharedMemories[index].hugePageSize > 0
        ? [mapping.range] : try residentRuns(mapping.range, mapping.process, by: &engine)
      ranges += runs.map {
        MemoryRange(start: $0.start - mapping.range.start + mapping.offset, count: $0.count)
      }
    }
    snapshot.sharedMemories[index].size = size
    snapshot.sharedMemories[index].contents = union(ranges).map {
      Extent(position: $0.start, count: $0.count)
    }
  }

  /// A private mapping of a deleted file that we may not open becomes memory of the process alone,
  /// with all that it shows; up to the end of the file, beyond which nothing can be read.
  private mutating func takePrivately<E: Engine & ~Copyable>(
    _ mapping: SharedMemoryTable.Mapping, by engine: inout E
  ) throws(Failure) {
    guard let owner = snapshot.processes.firstIndex(where: { $0.id == mapping.process }),
      let place = snapshot.processes[owner].memory.regions.firstIndex(where: {
        $0.range == mapping.range
      })
    else { return }
    var (readable, beyond) = (UInt64(0), mapping.range.count / hostPageSize)
    while readable < beyond {
      let middle = (readable + beyond) / 2
      let page = MemoryRange(
        start: mapping.range.start + middle * hostPageSize, count: hostPageSize)
      if (try? engine.read(page, of: mapping.process)) != nil {
        readable = middle + 1
      } else {
        beyond = middle
      }
    }
    snapshot.processes[owner].memory.regions[place].backing = .anonymous
    snapshot.processes[owner].memory.regions[place].offset = 0
    snapshot.processes[owner].memory.regions[place].contents =
      readable == 0 ? [] : [Extent(position: mapping.range.start, count: readable * hostPageSize)]
  }

  private func residentRuns<E: Engine & ~Copyable>(
    _ range: MemoryRange, _ process: ProcessID, by engine: inout E
  ) throws(Failure) -> [MemoryRange] {
    let scratch = try engaging { () throws(EngineError) in try engine.scratch(in: process) }
    var runs: [MemoryRange] = []
    var start = range.start
    while start < range.end {
      let pages = min(scratch.count, (range.end - start) / hostPageSize)
      let outcome = try engaging { () throws(EngineError) in
        try engine.call(
          .mincore, [start, pages * hostPageSize, scratch.start, 0, 0, 0], in: reach(process).leader)
      }
      if case .failure(let errno) = outcome {
        throw Failure("ask which shared pages exist", process, errno)
      }
      let bytes = try engaging { () throws(EngineError) in
        try engine.read(MemoryRange(start: scratch.start, count: pages), of: process)
      }
      for (page, byte) in bytes.enumerated() where byte & 1 != 0 {
        runs.append(MemoryRange(start: start + UInt64(page) * hostPageSize, count: hostPageSize))
      }
      start += pages * hostPageSize
    }
    return union(runs)
  }

  /// A deleted file that is both open and mapped is saved once, as shared memory.
  mutating func joinDeletedFiles() {
    for index in snapshot.openFiles.indices {
      guard case .deleted(var file) = snapshot.openFiles[index].kind, file.sameFileAs == nil,
        let memory = sharedMemories.index(of: FileKey(device: file.device, inode: file.inode))
      else { continue }
      file.sharedMemory = memory
      file.contents = []
      snapshot.openFiles[index].kind = .deleted(file)
    }
  }
}

/// Sorted, without overlaps, touching ones joined.
func union(_ ranges: [MemoryRange]) -> [MemoryRange] {
  var result: [MemoryRange] = []
  for range in ranges.sorted(by: { $0.start < $1.start }) {
    if let last = result.last, range.start <= last.end {
      result[result.count - 1].end = max(last.end, range.end)
    } else {
      result.append(range)
    }
  }
  return result
}
