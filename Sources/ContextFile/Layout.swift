// SPDX-License-Identifier: Apache-2.0
import Architecture
import Linux
import Request
import Snapshot

/// Where everything stands in a context file, known before a byte of it is written; or in the files
/// of a directory, one for each process.
///
///     var snapshot = …                                  // extents without file offsets
///     let layout = Layout(planning: &snapshot)          // … now they have them
///     try destination.reserve(layout)
///     let sealer = Sealer(layout, destination.part(0).file)
///     engine.save(…)                                    // every extent of the snapshot
///     try sealer.seal()                                 // … and everything else
///     try destination.commit()
public struct Layout: Sendable {
  /// One file.
  struct Part: Sendable {
    /// Whose images are in it.
    var images: Range<Int>
    /// Where the checksums begin, which is where everything else ends.
    var trailerOffset: UInt64
    /// In bytes.
    var totalSize: UInt64
    /// Places behind contents that do not end with a page.
    var gaps: [MemoryRange]
  }

  /// The only one, or one for each process.
  let parts: [Part]
  /// Of all files together, in bytes.
  public let totalSize: UInt64
  /// Of all extents together: what the engine (and whoever copies deleted files) has to write.
  public let contentSize: UInt64
  /// By which the files of a directory know each other.
  let mark: PartMark?
  let order: Machine.ByteOrder
  /// As it was planned: the heads are made of it when they are written.
  private let snapshot: Snapshot
  private let images: [Image]

  /// Gives every extent of `snapshot` its place in the file, in this order: the regions of the
  /// first process by address, of the second, …, shared memories, deleted open files. Each run
  /// begins at a multiple of the largest page size in the job. With a mark each process has a file of
  /// its own, and what belongs to none of them stands in that of the first.
  ///
  /// - Precondition: the snapshot has a process; regions and extents are in rising order.
  public init(planning snapshot: inout Snapshot, dividedAs mark: PartMark? = nil) {
    self.init(planning: &snapshot, isContext: true, mark)
  }

  /// Without `isContext`, an ELF core file and nothing more: none of our notes, no trailer.
  init(planning snapshot: inout Snapshot, isContext: Bool, _ mark: PartMark? = nil) {
    precondition(!snapshot.processes.isEmpty)
    let alignment = snapshot.processes.reduce(4096) { max($0, $1.memory.pageSize) }
    var images = snapshot.processes.indices.map { index in
      Image(of: snapshot, index, alignment: alignment, isContext: isContext, mark)
    }
    var parts: [Part] = []
    var places = Placing(alignment: alignment)
    for index in images.indices {
      images[index].offset = places.skip(images[index].headSize)
      for region in snapshot.processes[index].memory.regions.indices {
        places.place(&snapshot.processes[index].memory.regions[region].contents)
      }
      images[index].size = places.next - images[index].offset
      guard mark != nil else { continue }
      if index == 0 { places.placeObjects(of: &snapshot) }
      parts.append(places.finishPart(index ..< index + 1, isContext))
    }
    if mark == nil {
      places.placeObjects(of: &snapshot)
      parts.append(places.finishPart(images.indices, isContext))
    }
    contentSize = places.contentSize
    order = snapshot.processes[0].machine.byteOrder
    totalSize = parts.reduce(0) { $0 + $1.totalSize }
    self.parts = parts
    self.mark = mark
    self.images = images
    self.snapshot = snapshot
  }

  /// Pid of the process that a part is named after.
  func process(ofPart index: Int) -> ProcessID { snapshot.processes[index].id }

  /// Writes everything of a part that is not contents: headers, notes, and zeros up to the next page.
  ///
  /// Nothing else has to be in the file, and what an older file had there does not shine through.
  ///
  /// - Returns: the heads' checksums.
  @discardableResult
  func writeHeads(
    ofPart index: Int = 0, to file: borrowing FileDescriptor
  ) throws(Errno) -> [UInt64] {
    let table = images.map { image in
      ImageEntry(
        process: snapshot.processes[image.index].id, offset: image.offset, size: image.size)
    }
    var hashes: [UInt64] = []
    let part = parts[index]
    for image in images[part.images] {
      let head = image.head(snapshot, part, imageTable: table)
      try file.write(head, at: image.offset)
      hashes.append(hash(of: head[...]))
    }
    for gap in part.gaps {
      try file.write([UInt8](repeating: 0, count: Int(gap.count)), at: gap.start)
    }
    return hashes
  }
}

/// What all files of one context in a directory have in common, and no others: a random number.
public struct PartMark: Sendable, Equatable {
  var high: UInt64 = 0
  var low: UInt64 = 0

  init() {}

  /// One that nobody has had before.
  public static func random() -> PartMark {
    var generator = SystemRandomNumberGenerator()
    var mark = PartMark()
    (mark.high, mark.low) = (generator.next(), generator.next())
    return mark
  }

  mutating func walk<C: FieldCoder>(_ coder: inout C) {
    coder.field(&high)
    coder.field(&low)
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

  /// What belongs to no process alone.
  mutating func placeObjects(of snapshot: inout Snapshot) {
    for index in snapshot.sharedMemories.indices {
      place(&snapshot.sharedMemories[index].contents)
    }
    for index in snapshot.openFiles.indices {
      guard case .deleted(var file) = snapshot.openFiles[index].kind else { continue }
      place(&file.contents)
      snapshot.openFiles[index].kind = .deleted(file)
    }
  }

  /// The file is full; the next one begins.
  mutating func finishPart(_ images: Range<Int>, _ isContext: Bool) -> Layout.Part {
    let trailer = isContext ? Trailer.size(images: images.count, contents: next) : 0
    defer { (next, gaps) = (0, []) }
    return Layout.Part(
      images: images, trailerOffset: next, totalSize: next + trailer, gaps: gaps)
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
