// SPDX-License-Identifier: Apache-2.0
import Linux
import Snapshot

/// What of a process's memory is still in the context file alone.
struct MissingMemory {
  /// By rising address; no two overlap.
  private(set) var pieces: [Extent]

  init(_ pieces: [Extent]) { self.pieces = pieces.sorted { $0.position < $1.position } }

  var isEmpty: Bool { pieces.isEmpty }

  /// Index of the first piece that ends behind an address.
  private func index(behind address: UInt64) -> Int {
    var low = 0
    var high = pieces.count
    while low < high {
      let middle = (low + high) / 2
      if pieces[middle].addresses.end <= address { low = middle + 1 } else { high = middle }
    }
    return low
  }

  /// The rest of the piece that an address lies in; nil if what belongs there is zeros.
  func piece(at address: UInt64) -> Extent? {
    let index = index(behind: address)
    guard index < pieces.count, pieces[index].position <= address else { return nil }
    return pieces[index].part(MemoryRange(start: address, end: pieces[index].addresses.end))
  }

  /// The next address from this one on that belongs to a piece.
  func start(from address: UInt64) -> UInt64? {
    let index = index(behind: address)
    return index < pieces.count ? max(address, pieces[index].position) : nil
  }

  /// The piece that stands first in the file.
  var firstInFile: Extent? { pieces.min { $0.fileOffset < $1.fileOffset } }

  /// What is to be had of a part of the file.
  func pieces(inFile range: MemoryRange) -> [Extent] {
    pieces.compactMap { piece in
      let start = max(range.start, piece.fileOffset)
      let end = min(range.end, piece.fileOffset + piece.count)
      guard start < end else { return nil }
      return Extent(
        position: piece.position + (start - piece.fileOffset), count: end - start, fileOffset: start)
    }
  }

  /// Nothing is missing in these addresses any more; what was.
  @discardableResult
  mutating func remove(_ range: MemoryRange) -> [Extent] {
    let first = index(behind: range.start)
    var last = first
    var removed: [Extent] = []
    var rest: [Extent] = []
    while last < pieces.count, pieces[last].position < range.end {
      let piece = pieces[last]
      if piece.position < range.start {
        rest.append(piece.part(MemoryRange(start: piece.position, end: range.start)))
      }
      removed.append(
        piece.part(
          MemoryRange(
            start: max(piece.position, range.start), end: min(piece.addresses.end, range.end))))
      if range.end < piece.addresses.end {
        rest.append(piece.part(MemoryRange(start: range.end, end: piece.addresses.end)))
      }
      last += 1
    }
    if first < last { pieces.replaceSubrange(first ..< last, with: rest) }
    return removed
  }

  /// mremap(2): what was missing in these addresses is missing elsewhere now, and nothing else is there.
  mutating func move(_ range: MemoryRange, to address: UInt64) {
    var moved = remove(range)
    remove(MemoryRange(start: address, count: range.count))
    for index in moved.indices { moved[index].position = moved[index].position - range.start + address }
    let place = index(behind: address)
    pieces.insert(contentsOf: moved, at: place)
  }
}

extension Extent {
  var addresses: MemoryRange { MemoryRange(start: position, count: count) }

  /// The part at these of its addresses.
  func part(_ range: MemoryRange) -> Extent {
    Extent(
      position: range.start, count: range.count, fileOffset: fileOffset + (range.start - position))
  }
}
