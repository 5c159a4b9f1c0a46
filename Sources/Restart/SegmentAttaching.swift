// SPDX-License-Identifier: Apache-2.0
import Architecture
import CLinux
import Engine
import Linux
import Request
import Snapshot

/// One shmat(2): all regions that show a segment from the same address on.
struct Attachment {
  /// Index in `Snapshot.sharedMemories`.
  var memory: Int
  /// Where its first byte is, or would be.
  var base: UInt64
  var regions: [Region]

  static func all(
    in regions: [Region], _ segments: [Int: SystemVObjects.MadeSegment]
  ) -> [Attachment] {
    var all: [Attachment] = []
    for region in regions {
      guard case .sharedMemory(let memory) = region.backing, segments[memory] != nil else { continue }
      let base = region.range.start &- region.offset
      if let place = all.firstIndex(where: { $0.memory == memory && $0.base == base }) {
        all[place].regions.append(region)
      } else {
        all.append(Attachment(memory: memory, base: base, regions: [region]))
      }
    }
    return all
  }

  private var isExecutable: Bool { regions.contains { $0.protection & 4 != 0 } }
  private var isReadOnly: Bool { !regions.contains { $0.mayBecomeWritable } }

  var flags: UInt64 {
    (isReadOnly ? UInt64(SHM_RDONLY) : 0) | (isExecutable ? UInt64(SHM_EXEC) : 0)
  }

  /// What it can be accessed for right after the call.
  var protection: UInt32 { (isReadOnly ? 1 : 3) | (isExecutable ? 4 : 0) }
}

extension Rebuilder {
  /// Attaches what the process had attached, and takes away what it had unmapped of that. Before
  /// anything else is mapped, which may be in the gaps.
  func attachSegments<E: Engine & ~Copyable>(
    _ index: Int, by engine: inout E
  ) throws(Failure) {
    if files.systemV.segments.isEmpty { return }
    let remote = remote(index)
    let regions = snapshot.processes[index].memory.regions
    for attachment in Attachment.all(in: regions, files.systemV.segments) {
      guard let segment = files.systemV.segments[attachment.memory] else { continue }
      let outcome = try remote.outcome(
        .shmat, [UInt64(UInt32(bitPattern: segment.id)), attachment.base, attachment.flags],
        by: &engine)
      if case .failure(let errno) = outcome {
        throw Failure(
          errno,
          "cannot attach System V segment \(segment.id) at \(hex: attachment.base) in process "
            + "\(remote.id) (\(remote.name)): \(errno)")
      }
      var next = attachment.base
      for region in attachment.regions {
        if region.range.start > next {
          try remote.call(
            "detach memory", .munmap, [next, region.range.start - next], by: &engine)
        }
        next = region.range.end
        if region.protection != attachment.protection {
          try remote.call(
            "protect memory", .mprotect,
            [region.range.start, region.range.count, UInt64(region.protection)], by: &engine)
        }
      }
      let end = attachment.base + segment.size
      if next < end { try remote.call("detach memory", .munmap, [next, end - next], by: &engine) }
    }
  }
}
