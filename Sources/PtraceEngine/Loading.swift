// SPDX-License-Identifier: Apache-2.0
import Architecture
import CLinux
import Engine
import Linux
import Snapshot

/// Filling memory from a file.
///
/// Untouched anonymous memory takes whole pages by UFFDIO_COPY, which neither zeroes them first
/// nor faults; everything else, small amounts, and all of it where userfaultfd is not allowed,
/// is written by process_vm_writev straight from the page cache.
extension PtraceEngine {
  /// Making a userfaultfd costs some ten remote calls.
  private static var worthUserFault: UInt64 { 1 << 20 }
  private static var loadStep: UInt64 { 64 << 20 }

  public mutating func load(
    _ pieces: [LoadPiece], of process: ProcessID, from file: borrowing FileDescriptor,
    progress: (UInt64) throws(EngineError) -> Void
  ) throws(EngineError) {
    let held = try held(process)
    var plain: [Extent] = []
    var missing: [Extent] = []
    for piece in pieces {
      switch piece.kind {
      case .anonymous: missing.append(piece.extent)
      case .mapped: plain.append(piece.extent)
      }
    }
    let total = missing.reduce(0) { $0 + $1.count }
    if total >= Self.worthUserFault, let source = try Self.makeUserFault(in: held) {
      let regions = Self.regions(around: missing, of: process)
      for region in regions where (try? source.fault.register(region)) == nil {
        // Not one that can be filled so after all; UFFDIO_COPY will say so piece by piece.
        continue
      }
      defer { for region in regions { try? source.fault.unregister(region) } }
      try Self.fill(missing, of: held, from: file, by: source.fault, progress: progress)
      try Self.done(
        "close file", .close, [source.remote], in: source.caller, of: held)
    } else {
      plain += missing
    }
    try Self.fill(plain, of: held, from: file, progress: progress)
  }

  // MARK: By userfaultfd

  private struct FaultSource: ~Copyable {
    let fault: UserFault
    let remote: UInt64
    let caller: HeldThread
  }

  /// nil where the kernel or a policy does not allow it.
  private static func makeUserFault(in held: HeldProcess) throws(EngineError) -> FaultSource? {
    // UFFDIO_COPY wants our own bytes at addresses that the target could have, too.
    guard let caller = held.caller, caller.calling?.machine == .native else { return nil }
    // O_CLOEXEC | O_NONBLOCK, and UFFD_USER_MODE_ONLY, which needs no privilege.
    guard
      case .success(let number) = try call(
        .userfaultfd, [0x8_0000 | 0x800 | 1], in: caller, of: held)
    else { return nil }
    var fault: UserFault?
    do throws(Errno) {
      let copy = try ProcessHandle(held.id).descriptor(Int32(truncatingIfNeeded: number))
      fault = try UserFault(copy)
    } catch { fault = nil }
    if let fault = fault.take() {
      return FaultSource(fault: fault, remote: number, caller: caller)
    }
    try done("close file", .close, [number], in: caller, of: held)
    return nil
  }

  /// The whole mappings that the pieces lie in: a part of one would split it.
  private static func regions(around pieces: [Extent], of process: ProcessID) -> [MemoryRange] {
    guard let text = try? ProcessFiles(process).read("maps") else { return [] }
    let starts = pieces.map { $0.position }.sorted()
    var next = 0
    var found: [MemoryRange] = []
    for region in MappedRegion.parse(text) {
      while next < starts.count, starts[next] < region.range.start { next += 1 }
      if next < starts.count, starts[next] < region.range.end { found.append(region.range) }
    }
    return found
  }

  private static func fill(
    _ pieces: [Extent], of held: HeldProcess, from file: borrowing FileDescriptor,
    by fault: borrowing UserFault, progress: (UInt64) throws(EngineError) -> Void
  ) throws(EngineError) {
    let copying = try copying(of: held, file: file.number)
    for round in rounds(of: pieces, parts: 1) {
      let window = try window(of: file, for: round, held.id)
      let parts = round.batches
      let threads = round.count < 8 << 20 ? 1 : min(2, Workers.processorCount)
      try inParallel(parts.count, threads: threads, held.id) { index throws(Errno) in
        let batch = parts[index]
        let start = Int(batch.fileOffset - window.offset)
        let bytes = UnsafeRawBufferPointer(
          rebasing: window.bytes[start ..< start + Int(batch.count)])
        let (count, failure) = fault.copy(bytes, to: batch.parts[0].start)
        if failure == nil { return }
        // A page that is there already, or memory that userfaultfd does not serve.
        var rest = batch
        rest.drop(UInt64(count))
        try copying.fill(rest, from: UnsafeRawBufferPointer(rebasing: bytes[count...]))
      }
      try progress(round.count)
    }
  }

  // MARK: By process_vm_writev

  private static func fill(
    _ pieces: [Extent], of held: HeldProcess, from file: borrowing FileDescriptor,
    progress: (UInt64) throws(EngineError) -> Void
  ) throws(EngineError) {
    if pieces.isEmpty { return }
    let copying = try copying(of: held, file: file.number)
    for round in rounds(of: pieces, parts: 256) {
      // Below some size a mapping's faults cost more than a copy more.
      if round.count < 256 << 10 {
        try attempt("load memory", held.id) { () throws(Errno) in
          try copying.inParallel(round.batches[...], threads: 1, saving: false)
        }
      } else {
        let window = try window(of: file, for: round, held.id)
        let parts = round.batches
        let threads = round.count < 8 << 20 ? 1 : min(2, Workers.processorCount)
        try inParallel(parts.count, threads: threads, held.id) { index throws(Errno) in
          let batch = parts[index]
          let start = Int(batch.fileOffset - window.offset)
          try copying.fill(
            batch,
            from: UnsafeRawBufferPointer(
              rebasing: window.bytes[start ..< start + Int(batch.count)]))
        }
      }
      try progress(round.count)
    }
  }

  private static func window(
    of file: borrowing FileDescriptor, for round: Round, _ process: ProcessID
  ) throws(EngineError) -> FileWindow {
    do throws(Errno) {
      return try FileWindow(of: file, at: round.start, count: round.end - round.start)
    } catch { throw EngineError("map the context file", process, error) }
  }

  // MARK: Rounds

  /// What is done between two reports of progress.
  private struct Round {
    var batches: [Batch] = []
    var count: UInt64 = 0
    var start: UInt64 = 0
    var end: UInt64 = 0
  }

  private static func rounds(of pieces: [Extent], parts: Int) -> [Round] {
    var rounds: [Round] = []
    var round = Round()
    // Small enough to share between threads. UFFDIO_COPY takes one part at a time.
    for batch in Batch.batches(of: pieces, limit: 2 << 20, parts: parts) {
      let isFar = batch.fileOffset > round.end + 1 << 20
      if round.count > 0, round.count >= loadStep || isFar {
        rounds.append(round)
        round = Round()
      }
      if round.batches.isEmpty { round.start = batch.fileOffset }
      round.batches.append(batch)
      round.count += batch.count
      round.end = batch.fileOffset + batch.count
    }
    if round.count > 0 { rounds.append(round) }
    return rounds
  }

  /// Does `task` for every index, shared out in runs between threads.
  private static func inParallel(
    _ count: Int, threads: Int, _ process: ProcessID, _ task: (Int) throws(Errno) -> Void
  ) throws(EngineError) {
    var failures = [Errno?](repeating: nil, count: threads)
    let share = (count + threads - 1) / threads
    failures.withUnsafeMutableBufferPointer { failures in
      let failures = failures
      Workers.run(threads) { worker in
        do throws(Errno) {
          var index = worker * share
          while index < min((worker + 1) * share, count) {
            try task(index)
            index += 1
          }
        } catch { failures[worker] = error }
      }
    }
    for case let failure? in failures { throw EngineError("load memory", process, failure) }
  }
}
