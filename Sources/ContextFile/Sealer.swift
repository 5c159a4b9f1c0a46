// SPDX-License-Identifier: Apache-2.0
import CLinux
import Linux
import Request

/// Writes what is not contents into one file of a context, and ends it with its checksums and trailer.
///
/// Big files are hashed by a further thread that follows the writer; so make this before the
/// contents are written. Their heads are written at once. The heads of small files are written
/// last: the processes need not stand still for them.
public final class Sealer {
  private let layout: Layout
  private let index: Int
  private var part: Layout.Part { layout.parts[index] }
  private let file: FileDescriptor
  private let hashing: BlockHashing
  private var helpers: Helpers?
  private let cpus: [UInt8]
  private var allowedBlocks = 0
  /// nil: not written yet.
  private var headHashes: [UInt64]?

  /// Below this a thread costs more than it saves.
  private static let smallest: UInt64 = 8 << 20

  private var isBig: Bool { part.trailerOffset >= Self.smallest }

  /// - Parameters:
  ///   - file: open for reading and writing.
  ///   - isSynchronous: it is going to be waited for until it is on the disk.
  public init(
    _ layout: Layout, part index: Int = 0, _ file: borrowing FileDescriptor,
    isSynchronous: Bool = false
  ) throws(Failure) {
    self.layout = layout
    self.index = index
    let end = layout.parts[index].trailerOffset
    cpus = end < Self.smallest ? [] : Helpers.usableCPUs()
    do throws(Errno) {
      self.file = try file.duplicate()
      hashing = try BlockHashing(self.file.number, end: end, startsWriteback: isSynchronous)
    } catch {
      throw Failure(error, "cannot prepare the checksums: \(error)")
    }
    if isBig { _ = try heads() }
  }

  /// Written, with their checksums.
  private func heads() throws(Failure) -> [UInt64] {
    if let headHashes { return headHashes }
    do throws(Errno) {
      let hashes = try layout.writeHeads(ofPart: index, to: file)
      headHashes = hashes
      return hashes
    } catch {
      throw Failure(error, "cannot write the context file: \(error)")
    }
  }

  /// Everything in the file below this offset has been written and will not change.
  ///
  /// Optional, in any steps.
  public func written(below offset: UInt64) {
    guard isBig else { return }
    let blocks =
      offset >= part.trailerOffset ? hashing.count : Int(offset / UInt64(Format.blockSize))
    guard blocks > allowedBlocks else { return }
    if helpers == nil { helpers = Helpers(1, for: hashing, cpus: cpus) }
    hashing.allow(blocks - allowedBlocks)
    allowedBlocks = blocks
  }

  /// All contents are written: writes and hashes what is left, and the trailer. With it the file is
  /// complete, though not yet safe from a power failure (`Destination.commit`).
  public func seal() throws(Failure) {
    let heads = try heads()
    written(below: part.trailerOffset)
    hashing.allow(hashing.count - allowedBlocks)
    hashing.finish()
    hashing.work()
    helpers?.join()
    helpers = nil
    do throws(Errno) {
      if let error = hashing.error { throw error }
      let trailer = Trailer(heads: heads, blocks: hashing.result)
      let bytes = trailer.bytes(
        layout.order, totalSize: part.totalSize, offset: part.trailerOffset)
      try file.write(bytes, at: part.trailerOffset)
      try file.setSize(part.totalSize)
    } catch {
      throw Failure(error, "cannot finish the context file: \(error)")
    }
  }
}
