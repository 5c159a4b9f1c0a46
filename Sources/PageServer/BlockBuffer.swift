// SPDX-License-Identifier: Apache-2.0
import ContextFile
import Linux
import Request
import Snapshot

/// One verified block of a context file, in memory of ours: the bytes that were compared with their
/// checksum are the bytes that a process gets, whatever becomes of the file.
final class BlockBuffer {
  private let memory: LowMemory
  /// What is in it; nil for nothing.
  private(set) var part: ContextPart?
  private(set) var range = MemoryRange(start: 0, end: 0)

  init(size: UInt64) throws(Errno) { memory = try LowMemory(Int(size)) }

  func holds(_ offset: UInt64, of part: ContextPart) -> Bool {
    self.part === part && range.contains(offset)
  }

  /// Makes it hold the block with this byte of a file.
  func load(_ offset: UInt64, of part: ContextPart) throws(Failure) {
    if holds(offset, of: part) { return }
    self.part = nil
    range = part.block(at: offset)
    try part.read(range, into: memory.bytes)
    self.part = part
  }

  /// The bytes of a piece, from its beginning to the end of the block or of the piece.
  func bytes(of piece: Extent) -> UnsafeRawBufferPointer {
    let start = Int(piece.fileOffset - range.start)
    let count = Int(min(piece.count, range.end - piece.fileOffset))
    return UnsafeRawBufferPointer(rebasing: memory.bytes[start ..< start + count])
  }
}
