// SPDX-License-Identifier: Apache-2.0
import CLinux
import ContextFile
import Engine
import Linux
import Request
import Snapshot

/// Bytes that go to the engine in one call: enough to be fast, few enough to be called off soon.
private let batchSize: UInt64 = 128 << 20

/// Writes all contents to their places in the file, or in the files of a directory.
///
/// `written` is told up to which offset of which part everything is there. Throws ETIMEDOUT after the
/// deadline, EINTR when the report calls it off, the error of writing itself (ENOSPC, EIO …).
func write<E: Engine & ~Copyable>(
  _ pieces: [ContentPiece], by engine: inout E, to destination: borrowing Destination,
  until deadline: Deadline, report: inout Report, written: (_ part: Int, _ end: UInt64) -> Void
) throws(Failure) {
  var index = 0
  var batch: [ContentPiece] = []
  var size: UInt64 = 0
  while index < pieces.count {
    let piece = pieces[index]
    if let first = batch.first, size >= batchSize || !first.goes(with: piece) {
      let part = destination.part(first.part)
      try write(batch: batch, by: &engine, to: part.file, deadline, &report)
      let last = batch[batch.count - 1].extent
      written(first.part, last.fileOffset + last.count)
      batch = []
      size = 0
    }
    batch.append(piece)
    size += piece.extent.count
    index += 1
  }
  if let first = batch.first {
    let part = destination.part(first.part)
    try write(batch: batch, by: &engine, to: part.file, deadline, &report)
  }
}

private func write<E: Engine & ~Copyable>(
  batch: [ContentPiece], by engine: inout E, to file: borrowing FileDescriptor,
  _ deadline: Deadline, _ report: inout Report
) throws(Failure) {
  switch batch[0].source {
  case .memory(let process):
    let before = report.done
    do throws(EngineError) {
      try engine.save(batch.map { $0.extent }, of: process, to: file) {
        (bytes: UInt64) throws(EngineError) in
        guard report.advance(bytes) else {
          throw EngineError("write memory", process, .interrupted)
        }
        if deadline.hasPassed { throw EngineError("write memory", process, .timedOut) }
      }
    } catch {
      throw notWritten(error.errno, "memory of process \(process)")
    }
    // An engine may tell of its steps as coarsely as it likes.
    let rest = batch.reduce(0) { $0 + $1.extent.count } - (report.done - before)
    try advance(rest, deadline, &report)
  case .file(let path):
    for piece in batch {
      do throws(Errno) {
        let source = try FileDescriptor(opening: path, flags: O_RDONLY)
        try source.copy(
          from: piece.extent.position, count: piece.extent.count, to: file,
          at: piece.extent.fileOffset)
      } catch {
        throw notWritten(error, "what \(path) leads to")
      }
      try advance(piece.extent.count, deadline, &report)
    }
  }
}

private func advance(
  _ bytes: UInt64, _ deadline: Deadline, _ report: inout Report
) throws(Failure) {
  guard report.advance(bytes) else { throw notWritten(.interrupted, "memory") }
  try deadline.check()
}

private func notWritten(_ errno: Errno, _ what: ByteString) -> Failure {
  switch errno {
  case .interrupted: Failure(errno, "called off; all processes run on")
  case .timedOut: Failure(errno, Deadline.passedMessage)
  default: Failure(errno, "cannot write \(what) to the context file: \(errno)")
  }
}

extension ContentPiece {
  /// In one call, to one file.
  fileprivate func goes(with other: ContentPiece) -> Bool {
    part == other.part && source.isSame(as: other.source)
  }
}

extension ContentPiece.Source {
  fileprivate func isSame(as other: ContentPiece.Source) -> Bool {
    switch (self, other) {
    case (.memory(let one), .memory(let another)): one == another
    case (.file(let one), .file(let another)): one == another
    default: false
    }
  }
}
