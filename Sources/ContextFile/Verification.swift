// SPDX-License-Identifier: Apache-2.0
import Linux
import Request
import Snapshot

extension Reader {
  /// Compares every byte before the trailer with its checksum, by several threads.
  ///
  /// - Parameter waiting: contents of each process that will be verified when they are read
  ///   (`ContextPart.read`); blocks that hold nothing else are left out.
  /// - Throws: EIO and names the offset, and the process and addresses whose contents are there.
  public func verify(threads: Int = 2, besides waiting: [[Extent]] = []) throws(Failure) {
    for index in parts.all.indices {
      let some = parts.count == 1 ? waiting.flatMap { $0 } : waiting.isEmpty ? [] : waiting[index]
      try verify(index, threads: threads, skipping: blocks(filledBy: some, ofPart: index))
    }
  }

  /// Which blocks of a file hold these contents and nothing else.
  private func blocks(filledBy contents: [Extent], ofPart index: Int) -> [Bool] {
    let trailer = parts.all[index].trailer
    if contents.isEmpty || trailer.blockSize == 0 { return [] }
    var rest = trailer.blocks.indices.map {
      min(trailer.blockSize, trailer.offset - UInt64($0) * trailer.blockSize)
    }
    for extent in contents {
      var start = extent.fileOffset
      let end = min(start + extent.count, trailer.offset)
      while start < end {
        let block = start / trailer.blockSize
        let step = min(end, (block + 1) * trailer.blockSize) - start
        rest[Int(block)] -= min(rest[Int(block)], step)
        start += step
      }
    }
    return rest.map { $0 == 0 }
  }

  private func verify(_ index: Int, threads: Int, skipping skipped: [Bool]) throws(Failure) {
    let part = parts.all[index]
    let (name, trailer) = (part.name, part.trailer)
    let hashing: BlockHashing
    do throws(Errno) {
      hashing = try BlockHashing(
        part.file.number, end: trailer.offset, blockSize: Int(trailer.blockSize), skipping: skipped)
    } catch {
      throw Failure(error, "cannot verify \(name): \(error)")
    }
    let helperCount = hashing.count < 8 ? 0 : threads - 1
    var helpers = Helpers(helperCount, for: hashing, cpus: [])
    hashing.allow(hashing.count)
    hashing.finish()
    hashing.work()
    helpers.join()
    if let error = hashing.error {
      throw Failure(error, "cannot read \(name) while verifying it: \(error)")
    }
    for (block, found) in hashing.result.enumerated()
    where (skipped.isEmpty || !skipped[block]) && found != trailer.blocks[block] {
      throw damage(inBlock: UInt64(block), ofPart: index)
    }
  }

  private func damage(inBlock block: UInt64, ofPart index: Int) -> Failure {
    let (name, trailer) = (parts.all[index].name, parts.all[index].trailer)
    let range = MemoryRange(
      start: block * trailer.blockSize,
      end: min(trailer.offset, (block + 1) * trailer.blockSize))
    return Failure(
      .io,
      """
      \(name) is damaged: bytes \(range.start) to \(range.end) are not as they were written; \
      they hold \(contents(of: range, ofPart: index))
      """)
  }

  /// What stands in a range of a file, in words.
  private func contents(of range: MemoryRange, ofPart part: Int) -> ByteString {
    let isWhole = parts.count == 1
    var words: ByteString = ""
    func add(_ more: ByteString) {
      if !words.isEmpty { words += ", " }
      words += more
    }
    for (index, process) in snapshot.processes.enumerated() where isWhole || index == part {
      let pieces = process.memory.regions.flatMap { $0.contents }
      if let hit = hit(pieces, range) {
        add("memory of process \(process.id) at \(hex: hit.start)-\(hex: hit.end)")
      }
    }
    // What belongs to no process alone is in the first file.
    let common = part == 0 ? snapshot : Snapshot(job: snapshot.job)
    for (index, object) in common.sharedMemories.enumerated() {
      if let hit = hit(object.contents, range) {
        add("shared memory \(index) at \(hex: hit.start)-\(hex: hit.end)")
      }
    }
    for file in common.openFiles {
      if case .deleted(let deleted) = file.kind, let hit = hit(deleted.contents, range) {
        add("the deleted file \(deleted.path) at \(hex: hit.start)-\(hex: hit.end)")
      }
    }
    for (index, image) in images.enumerated()
    where (isWhole || index == part) && image.offset < range.end && range.start < image.offset + image.size {
      if words.isEmpty { add("records of process \(image.process)") }
    }
    return words.isEmpty ? "nothing" : words
  }

  /// The addresses from the first to the last piece that the range of the file touches.
  private func hit(_ pieces: [Extent], _ range: MemoryRange) -> MemoryRange? {
    var found: MemoryRange?
    for piece in pieces {
      let place = MemoryRange(start: piece.fileOffset, count: piece.count)
      guard place.overlaps(range) else { continue }
      let start = piece.position + (max(place.start, range.start) - place.start)
      let end = piece.position + (min(place.end, range.end) - place.start)
      found = MemoryRange(start: min(found?.start ?? start, start), end: max(found?.end ?? end, end))
    }
    return found
  }
}
