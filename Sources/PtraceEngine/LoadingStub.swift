// SPDX-License-Identifier: Apache-2.0
import Engine
import Linux
import Snapshot

extension PtraceEngine {
  public mutating func load(
    _ pieces: [LoadPiece], of process: ProcessID, from file: borrowing FileDescriptor,
    progress: (UInt64) throws(EngineError) -> Void
  ) throws(EngineError) {
    let held = try held(process)
    let copying = try Self.copying(of: held, file: file.number)
    for batch in Batch.batches(of: pieces.map { $0.extent }, limit: 4 << 20) {
      try attempt("load memory", held.id) { () throws(Errno) in
        try copying.inParallel([batch][...], threads: 1, saving: false)
      }
      try progress(batch.count)
    }
  }
}
