// SPDX-License-Identifier: Apache-2.0
import Architecture
import Linux
import Request
import Snapshot

/// Where everything stands in a context file, known before a byte of it is written.
///
///     var snapshot = …                                  // extents without file offsets
///     let layout = Layout(planning: &snapshot)          // … now they have them
///     try destination.reserve(layout)
///     let sealer = Sealer(layout, destination.file)
///     engine.save(…)                                    // every extent of the snapshot
///     try sealer.seal()                                 // … and everything else
///     try destination.commit()
public struct Layout: Sendable {
  /// Of the whole file, in bytes.
  public let totalSize: UInt64
  /// Of all extents together: what the engine (and whoever copies deleted files) has to write.
  public let contentSize: UInt64
  /// Where the checksums begin, which is where everything else ends.
  let trailerOffset: UInt64
  let order: Machine.ByteOrder
  /// As it was planned: the heads are made of it when they are written.
  private let snapshot: Snapshot
  private let images: [Image]
  /// Places behind contents that do not end with a page.
  private let gaps: [MemoryRange]

  /// Gives every extent of `snapshot` its place in the file, in this order: the regions of the
  /// first process by address, of the second, …, shared memories, deleted open files. Each run
  /// begins at a multiple of the largest page size in the job.
  ///
  /// - Precondition: the snapshot has a process; regions and extents are in rising order.
  public init(planning snapshot: inout Snapshot) {
    self.init(planning: &snapshot, isContext: true)
  }

  /// Without `isContext`, an ELF core file and nothing more: none of our notes, no trailer.
  init(planning snapshot: inout Snapshot, isContext: Bool) {
    precondition(!snapshot.processes.isEmpty)
    let alignment = snapshot.processes.reduce(4096) { max($0, $1.memory.pageSize) }
    var images = snapshot.processes.indices.map { index in
      Image(of: snapshot, index, alignment: alignment, isContext: isContext)
    }
    var places = Placing(alignment: alignment)
    for index in images.indices {
      images[index].offset = places.skip(images[index].headSize)
      for region in snapshot.processes[index].memory.regions.indices {
        places.place(&snapshot.processes[index].memory.regions[region].contents)
      }
      images[index].size = places.next - images[index].offset
    }
    for index in snapshot.sharedMemories.indices {
      places.place(&snapshot.sharedMemories[index].contents)
    }
    for index in snapshot.openFiles.indices {
      guard case .deleted(var file) = snapshot.openFiles[index].kind else { continue }
      places.place(&file.contents)
      snapshot.openFiles[index].kind = .deleted(file)
    }
    trailerOffset = places.next
    contentSize = places.contentSize
    gaps = places.gaps
    order = snapshot.processes[0].machine.byteOrder
    totalSize =
      trailerOffset
      + (isContext ? Trailer.size(images: images.count, contents: trailerOffset) : 0)
    self.images = images
    self.snapshot = snapshot
  }

  /// Writes everything that is not contents: headers, notes, and zeros up to the next page.
  ///
  /// Nothing else has to be in the file, and what an older file had there does not shine through.
  ///
  /// - Returns: the heads' checksums.
  @discardableResult
  func writeHeads(to file: borrowing FileDescriptor) throws(Errno) -> [UInt64] {
    let table = images.map { image in
      ImageEntry(
        process: snapshot.processes[image.index].id, offset: image.offset, size: image.size)
    }
    var hashes: [UInt64] = []
    for image in images {
      let head = image.head(snapshot, self, imageTable: table)
      try file.write(head, at: image.offset)
      hashes.append(hash(of: head[...]))
    }
    for gap in gaps {
      try file.write([UInt8](repeating: 0, count: Int(gap.count)), at: gap.start)
    }
    return hashes
  }
}

/// Hands out places in the file, one behind the other.
private struct Placing {
  let alignment: UInt64
  var next: UInt64 = 0
  var contentSize: UInt64 = 0
  var gaps: [MemoryRange] = []

  init(alignment: UInt64) { self.alignment = alignment }

  mutating func skip(_ size: UInt64) -> UInt64 {
    defer { next += size }
    return next
  }

  mutating func place(_ extents: inout [Extent]) {
    for index in extents.indices {
      extents[index].fileOffset = next
      let end = next + extents[index].count
      contentSize += extents[index].count
      next = aligned(end, to: alignment)
      if next > end { gaps.append(MemoryRange(start: end, end: next)) }
    }
  }
}
