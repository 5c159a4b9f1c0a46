// SPDX-License-Identifier: Apache-2.0
import CLinux
import Linux
import Request

/// Computes the checksums of a context file that is being written, and ends it with its trailer.
///
/// Big files are hashed by a further thread that follows the writer; so make this before the
/// writing begins, and before the calling thread binds itself to one CPU: the helper may run
/// wherever the maker may.
public final class Sealer {
  private let layout: Layout
  private let file: FileDescriptor
  private let hashing: BlockHashing
  private var helpers: Helpers?
  private let cpus: [UInt8]
  private var allowedBlocks = 0

  /// Below this a thread costs more than it saves.
  private static let smallest: UInt64 = 8 << 20

  /// - Parameter file: open for reading and writing.
  public init(_ layout: Layout, _ file: borrowing FileDescriptor) throws(Failure) {
    self.layout = layout
    cpus = layout.trailerOffset < Self.smallest ? [] : Helpers.usableCPUs()
    do throws(Errno) {
      self.file = try file.duplicate()
      hashing = try BlockHashing(self.file.number, end: layout.trailerOffset)
    } catch {
      throw Failure(error, "cannot prepare the checksums: \(error)")
    }
  }

  /// Everything in the file below this offset has been written and will not change.
  ///
  /// Optional, in any steps; heads have to be written before the first call.
  public func written(below offset: UInt64) {
    guard layout.trailerOffset >= Self.smallest else { return }
    let blocks =
      offset >= layout.trailerOffset ? hashing.count : Int(offset / UInt64(Format.blockSize))
    guard blocks > allowedBlocks else { return }
    if helpers == nil { helpers = Helpers(1, for: hashing, cpus: cpus) }
    hashing.allow(blocks - allowedBlocks)
    allowedBlocks = blocks
  }

  /// All contents are written: hashes what is left and writes the trailer. With it the file is
  /// complete, though not yet safe from a power failure (`Destination.commit`).
  public func seal() throws(Failure) {
    written(below: layout.trailerOffset)
    hashing.allow(hashing.count - allowedBlocks)
    hashing.finish()
    hashing.work()
    helpers?.join()
    helpers = nil
    do throws(Errno) {
      if let error = hashing.error { throw error }
      let trailer = Trailer(
        heads: layout.heads.map { hash(of: $0.bytes[...]) }, blocks: hashing.result)
      let bytes = trailer.bytes(
        layout.order, totalSize: layout.totalSize, offset: layout.trailerOffset)
      try file.write(bytes, at: layout.trailerOffset)
      try file.setSize(layout.totalSize)
    } catch {
      throw Failure(error, "cannot finish the context file: \(error)")
    }
  }
}
