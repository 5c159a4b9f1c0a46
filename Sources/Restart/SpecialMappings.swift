// SPDX-License-Identifier: Apache-2.0
import Architecture
import CLinux
import Engine
import Linux
import Request
import Snapshot

/// Mappings that the kernel makes in every process, [vdso] and [vvar]: moved to where they were,
/// since the C library keeps addresses inside them.
struct SpecialMove {
  var name: ByteString
  var from: MemoryRange
  var to: MemoryRange

  /// What has to be moved, in rising order; nil if this kernel's mappings are not the same ones.
  static func plan(_ fresh: [(name: ByteString, range: MemoryRange)], _ saved: [Region])
    -> [SpecialMove]?
  {
    var moves: [SpecialMove] = []
    for region in saved {
      guard case .special(let name) = region.backing, !name.namesImmovable else { continue }
      guard let now = fresh.first(where: { $0.name == name }), now.range.count == region.range.count
      else { return nil }
      moves.append(SpecialMove(name: name, from: now.range, to: region.range))
    }
    return moves
  }

  /// Whether moving one after the other would overwrite one that is still to be moved.
  static func collide(_ moves: [SpecialMove]) -> Bool {
    moves.contains { move in moves.contains { move.to.overlaps($0.from) } }
  }

  /// One block that can be moved as a whole; nil if they do not stand close, or not alike.
  static func joined(_ moves: [SpecialMove]) -> SpecialMove? {
    guard var whole = moves.first, moves.count > 1 else { return nil }
    for move in moves.dropFirst() {
      guard move.from.start == whole.from.end, move.to.start == whole.to.end else { return nil }
      whole.from.end = move.from.end
      whole.to.end = move.to.end
    }
    return whole
  }
}

extension Rebuilder {
  func moveSpecials<E: Engine & ~Copyable>(
    _ fresh: [MappedRegion], _ memory: AddressSpace, _ remote: Remote, by engine: inout E
  ) throws(Failure) {
    let specials = fresh.filter { $0.isKernelMade && !$0.isImmovable }
      .map { (name: $0.name, range: $0.range) }
    guard let all = SpecialMove.plan(specials, memory.regions) else {
      throw Failure(
        .notSupported,
        "process \(remote.id) (\(remote.name)) was saved under kernel "
          + "\(snapshot.job.kernelRelease), whose vdso differs from this kernel's: restart it there")
    }
    for special in specials where !all.contains(where: { $0.name == special.name }) {
      try remote.call(
        "remove the vdso", .munmap, [special.range.start, special.range.count], by: &engine)
    }
    var moves = all.filter { $0.from != $0.to }
    if moves.isEmpty { return }
    if SpecialMove.collide(moves) {
      // By a third place: behind our scratch memory, where nobody has anything.
      var place = remote.scratch.start + engine.scratchSpan + memory.pageSize
      var detour = moves
      for index in moves.indices {
        detour[index].to = MemoryRange(start: place, count: moves[index].from.count)
        moves[index].from = detour[index].to
        place = detour[index].to.end
      }
      try move(detour, remote, by: &engine)
    }
    try move(moves, remote, by: &engine)
  }

  private func move<E: Engine & ~Copyable>(
    _ moves: [SpecialMove], _ remote: Remote, by engine: inout E
  ) throws(Failure) {
    // Linux 6.17 moves several mappings by one call.
    if let whole = SpecialMove.joined(moves),
      case .success = try remote.outcome(.mremap, whole.arguments, by: &engine)
    {
      return
    }
    for move in moves {
      try remote.call("move the vdso", .mremap, move.arguments, by: &engine)
    }
  }
}

extension SpecialMove {
  fileprivate var arguments: [UInt64] {
    [from.start, from.count, from.count, UInt64(MREMAP_MAYMOVE | MREMAP_FIXED), to.start]
  }
}
