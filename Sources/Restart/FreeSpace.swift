// SPDX-License-Identifier: Apache-2.0
import Linux
import Snapshot

/// Addresses that a restored program does not use.
///
/// The engine's own memory has to stand somewhere while everything else of the fresh process is
/// replaced; a place that is free both before and after needs no moving.
struct FreeSpace {
  private let occupied: [MemoryRange]
  private let limit: UInt64

  /// Lower addresses may be refused (vm.mmap_min_addr), and are where null pointers point.
  private static var lowest: UInt64 { 0x11_0000 }
  /// Space left free around it, so that the kernel never joins our memory with the program's, and
  /// below a stack, which grows.
  private static var margin: UInt64 { 0x1_0000 }
  private static var stackMargin: UInt64 { 0x4000_0000 }

  init(besides regions: [Region]) {
    // Below the highest mapping of the program's own is certainly a program's address.
    limit = regions.reduce(0) { highest, region in
      if case .special = region.backing { return highest }
      return max(highest, region.range.end)
    }
    let limit = limit
    occupied = regions.filter { $0.range.start < limit }.map { region in
      var range = region.range
      let below = region.growsDown ? Self.stackMargin : Self.margin
      range.start = range.start > below ? range.start - below : 0
      range.end += Self.margin
      return range
    }.sorted { $0.start < $1.start }
  }

  /// Places for `count` bytes: the lowest of each gap that is large enough, then others in the larger
  /// gaps. A program of 32 bits has few gaps, and at each end of one the fresh process may have
  /// something, or a copy of what its parent had.
  func places(for count: UInt64, pageSize: UInt64) -> [UInt64] {
    var found: [UInt64] = []
    var others: [UInt64] = []
    func note(from start: UInt64, to end: UInt64) {
      guard end > start, end - start >= count else { return }
      found.append(start)
      for eighth in UInt64(1) ..< 8 {
        let place = (start + (end - start) / 8 * eighth) / pageSize * pageSize
        if place > start + count, place + count <= end { others.append(place) }
      }
    }
    var start = Self.lowest
    for range in occupied {
      note(from: start, to: range.start)
      start = max(start, (range.end + pageSize - 1) / pageSize * pageSize)
    }
    note(from: start, to: limit)
    return found + others
  }
}
