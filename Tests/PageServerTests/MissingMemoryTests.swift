// SPDX-License-Identifier: Apache-2.0
import Linux
import Snapshot
import Testing

@testable import PageServer

@Suite struct MissingMemoryTests {
  private let page: UInt64 = 4096

  private func extent(_ position: UInt64, _ count: UInt64, _ fileOffset: UInt64) -> Extent {
    Extent(position: position * page, count: count * page, fileOffset: fileOffset * page)
  }

  private func range(_ start: UInt64, _ end: UInt64) -> MemoryRange {
    MemoryRange(start: start * page, end: end * page)
  }

  private var two: MissingMemory { MissingMemory([extent(20, 5, 100), extent(10, 4, 200)]) }

  @Test func `an address finds the rest of its piece`() {
    #expect(two.piece(at: 12 * page) == extent(12, 2, 202))
    #expect(two.piece(at: 24 * page) == extent(24, 1, 104))
    for outside in [UInt64(9), 14, 19, 25] { #expect(two.piece(at: outside * page) == nil) }
    #expect(two.start(from: 14 * page) == 20 * page)
    #expect(two.start(from: 22 * page) == 22 * page)
    #expect(two.start(from: 25 * page) == nil)
  }

  @Test func `what is taken out of the middle leaves both ends`() {
    var memory = two
    #expect(memory.remove(range(21, 23)) == [extent(21, 2, 101)])
    #expect(memory.pieces == [extent(10, 4, 200), extent(20, 1, 100), extent(23, 2, 103)])
  }

  @Test func `what is taken out across pieces cuts both`() {
    var memory = two
    #expect(memory.remove(range(12, 22)) == [extent(12, 2, 202), extent(20, 2, 100)])
    #expect(memory.pieces == [extent(10, 2, 200), extent(22, 3, 102)])
    memory.remove(range(0, 100))
    #expect(memory.isEmpty)
    memory.remove(range(0, 100))
    #expect(memory.isEmpty)
  }

  @Test func `nothing to be taken out changes nothing`() {
    var memory = two
    #expect(memory.remove(range(14, 20)).isEmpty)
    #expect(memory.remove(range(0, 10)).isEmpty)
    #expect(memory.remove(range(25, 99)).isEmpty)
    #expect(memory.pieces == two.pieces)
  }

  @Test func `what moves keeps its place in the file`() {
    var memory = two
    memory.move(range(11, 13), to: 50 * page)
    #expect(
      memory.pieces == [
        extent(10, 1, 200), extent(13, 1, 203), extent(20, 5, 100), extent(50, 2, 201),
      ])
  }

  @Test func `what moves replaces what was there`() {
    var memory = two
    memory.move(range(9, 15), to: 20 * page)
    // 9 and 14 were zeros, and so are 20 and 25 now.
    #expect(memory.pieces == [extent(21, 4, 200)])
  }

  @Test func `a part of the file is found wherever it belongs`() {
    #expect(two.firstInFile == extent(20, 5, 100))
    #expect(two.pieces(inFile: range(103, 202)) == [extent(10, 2, 200), extent(23, 2, 103)])
    #expect(two.pieces(inFile: range(105, 200)).isEmpty)
  }

  /// Against a page table that is a dictionary.
  @Test func `many random changes`() {
    var random = SystemRandomNumberGenerator()
    var memory = MissingMemory((0 ..< 20).map { extent($0 * 16, 10, $0 * 10) })
    var table: [UInt64: UInt64] = [:]
    for piece in UInt64(0) ..< 20 {
      for index in UInt64(0) ..< 10 { table[piece * 16 + index] = piece * 10 + index }
    }
    for _ in 0 ..< 2000 {
      let start = UInt64.random(in: 0 ..< 320, using: &random)
      let end = start + UInt64.random(in: 1 ..< 40, using: &random)
      if Bool.random(using: &random) {
        let place = UInt64.random(in: 0 ..< 320, using: &random)
        // The kernel refuses overlapping moves.
        if place < end, start < place + (end - start) { continue }
        memory.move(range(start, end), to: place * page)
        let moved = (start ..< end).map { table.removeValue(forKey: $0) }
        for (index, value) in moved.enumerated() { table[place + UInt64(index)] = value }
      } else if Int.random(in: 0 ..< 8, using: &random) == 0 {
        memory.remove(range(start, start + 1))
        table[start] = nil
      }
      for address in UInt64(0) ..< 360 {
        let found = memory.piece(at: address * page).map { $0.fileOffset / page }
        #expect(found == table[address])
      }
    }
  }
}
