// SPDX-License-Identifier: Apache-2.0
import CHash
import Linux
import Request

extension ContextPart {
  /// What messages call it.
  public var displayName: ByteString { name }

  /// Bytes that one checksum is for; 0 if there are none.
  public var blockSize: UInt64 { trailer.blocks.isEmpty ? 0 : trailer.blockSize }

  /// The block that holds a byte of the file.
  public func block(at offset: UInt64) -> MemoryRange {
    let start = offset / trailer.blockSize * trailer.blockSize
    return MemoryRange(start: start, end: min(trailer.offset, start + trailer.blockSize))
  }

  /// Reads a block and compares it with its checksum.
  ///
  /// Throws EIO where it is not as it was written, and the error of reading.
  public func read(_ block: MemoryRange, into buffer: UnsafeMutableRawBufferPointer) throws(Failure) {
    let room = UnsafeMutableRawBufferPointer(rebasing: buffer[..<Int(block.count)])
    do throws(Errno) {
      guard try file.read(into: room, at: block.start) == room.count else { throw .io }
    } catch {
      throw Failure(
        error, "cannot read \(name) at bytes \(block.start) to \(block.end): \(error)")
    }
    if cr_hash(room.baseAddress, room.count) == trailer.blocks[Int(block.start / trailer.blockSize)] {
      return
    }
    throw Failure(
      .io, "\(name) is damaged: bytes \(block.start) to \(block.end) are not as they were written")
  }
}
