// SPDX-License-Identifier: Apache-2.0
import Architecture
import CElf
import Linux
import Snapshot

/// The program headers of an image: what debuggers see of a process's memory.
///
/// They only tell tools; what a restart makes of the memory is in the note `memory`.
struct Segments {
  let snapshot: Snapshot
  /// Index of the process.
  let index: Int
  /// The contents of shared memories are in the same file.
  let showsShared: Bool
  /// Where its image begins: offsets in program headers count from there.
  let imageOffset: UInt64
  /// Where segments without contents stand, counted from there.
  let emptyPlace: UInt64

  private var machine: Machine { snapshot.processes[index].machine }

  /// PT_LOADs in the order of addresses. Their number does not depend on any file offset.
  func loads() -> [cr_elf_segment] {
    var segments: [cr_elf_segment] = []
    let memory = snapshot.processes[index].memory
    for region in memory.regions { add(region, memory.pageSize, to: &segments) }
    placeEmptyOnes(&segments)
    return segments
  }

  /// gdb looks where a segment begins for the header of a mapped program. Segments without contents
  /// must not make it find an image's own header there: all threads would appear once more.
  private func placeEmptyOnes(_ segments: inout [cr_elf_segment]) {
    for index in segments.indices where segments[index].file_size == 0 {
      segments[index].offset = emptyPlace
    }
  }

  private func add(_ region: Region, _ page: UInt64, to segments: inout [cr_elf_segment]) {
    var next = region.range.start
    for piece in contents(of: region) {
      if piece.position > next {
        addRest(next, piece.position, region, page, to: &segments)
      }
      segments.append(segment(region, page, piece))
      next = piece.position + piece.count
    }
    if next < region.range.end { addRest(next, region.range.end, region, page, to: &segments) }
  }

  /// The runs of a region that stand in the file, by address.
  private func contents(of region: Region) -> [Extent] {
    guard case .sharedMemory(let object) = region.backing, region.contents.isEmpty else {
      return region.contents
    }
    guard showsShared else { return [] }
    return snapshot.sharedMemories[object].contents.compactMap { piece in
      let start = max(piece.position, region.offset)
      let end = min(piece.position + piece.count, region.offset + region.range.count)
      guard start < end else { return nil }
      return Extent(
        position: region.range.start + (start - region.offset), count: end - start,
        fileOffset: piece.fileOffset &+ (start - piece.position))
    }
  }

  private func segment(_ region: Region, _ page: UInt64, _ piece: Extent) -> cr_elf_segment {
    var segment = cr_elf_segment()
    segment.type = 1  // PT_LOAD
    segment.flags = elfFlags(region.protection)
    segment.address = piece.position
    segment.memory_size = piece.count
    segment.alignment = page
    let offset = piece.fileOffset &- imageOffset
    // Contents beyond the reach of a 32-bit header (shared memories behind gigabytes of others) are
    // in the file all the same, only debuggers do not see them.
    if machine.wordSize == .bits64 || offset &+ piece.count <= UInt64(UInt32.max) {
      segment.offset = offset
      segment.file_size = piece.count
    }
    return segment
  }

  /// Memory without contents: zeros, or as in the mapped file, which NT_FILE names.
  private func addRest(
    _ start: UInt64, _ end: UInt64, _ region: Region, _ page: UInt64,
    to segments: inout [cr_elf_segment]
  ) {
    switch region.backing {
    case .special:
      // [vvar], [vsyscall]: belong to the kernel that runs now.
      return
    case .anonymous:
      // As .bss: the rest of a segment is zero.
      if let last = segments.last, last.address + last.memory_size == start,
        start > region.range.start
      {
        segments[segments.count - 1].memory_size += end - start
        return
      }
    case .file, .sharedMemory:
      break
    }
    segments.append(
      segment(region, page, Extent(position: start, count: end - start, fileOffset: 0)))
    segments[segments.count - 1].file_size = 0
  }

  /// PROT_READ 1, PROT_WRITE 2, PROT_EXEC 4 → PF_R 4, PF_W 2, PF_X 1.
  private func elfFlags(_ protection: UInt32) -> UInt32 {
    (protection & 1) << 2 | protection & 2 | (protection & 4) >> 2
  }
}
