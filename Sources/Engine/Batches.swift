// SPDX-License-Identifier: Apache-2.0
import Linux
import Snapshot

/// Parts of a process's memory that stand one behind the other in a file: one system call's worth.
package struct Batch {
  package var fileOffset: UInt64
  /// Bytes of all parts together.
  package var count: UInt64 = 0
  package var parts: [MemoryRange] = []

  package init(fileOffset: UInt64, count: UInt64 = 0, parts: [MemoryRange] = []) {
    self.fileOffset = fileOffset
    self.count = count
    self.parts = parts
  }

  /// IOV_MAX.
  package static let maximumParts = 1024

  /// Cuts pieces into batches of at most `limit` bytes, in the order of the file.
  package static func batches(
    of pieces: [Extent], limit: UInt64, parts maximum: Int = maximumParts
  ) -> [Batch] {
    var batches: [Batch] = []
    var current = Batch(fileOffset: 0)
    for piece in inFileOrder(pieces) {
      var done: UInt64 = 0
      while done < piece.count {
        let follows = piece.fileOffset + done == current.fileOffset + current.count
        if !follows || current.count >= limit || current.parts.count >= maximum {
          if current.count > 0 { batches.append(current) }
          current = Batch(fileOffset: piece.fileOffset + done)
        }
        let step = min(piece.count - done, limit - current.count)
        current.parts.append(MemoryRange(start: piece.position + done, count: step))
        current.count += step
        done += step
      }
    }
    if current.count > 0 { batches.append(current) }
    return batches
  }

  private static func inFileOrder(_ pieces: [Extent]) -> [Extent] {
    for index in pieces.indices.dropFirst() where pieces[index - 1].fileOffset > pieces[index].fileOffset {
      return pieces.sorted { $0.fileOffset < $1.fileOffset }
    }
    return pieces
  }

  /// Without its first bytes, which are done.
  package mutating func drop(_ bytes: UInt64) {
    fileOffset += bytes
    count -= bytes
    var rest = bytes
    var index = 0
    while rest > 0, index < parts.count {
      if parts[index].count > rest {
        parts[index].start += rest
        break
      }
      rest -= parts[index].count
      index += 1
    }
    parts.removeFirst(index)
  }

  /// Only its first part.
  package var head: Batch {
    Batch(fileOffset: fileOffset, count: parts[0].count, parts: [parts[0]])
  }
}
