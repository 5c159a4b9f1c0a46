// SPDX-License-Identifier: Apache-2.0
import Architecture
import Engine
import Linux
import Snapshot

extension PtraceEngine {
  static func closeRemoteFile(of held: HeldProcess) throws(EngineError) {
    guard let file = held.remoteFile, let caller = held.caller, caller.calling != nil else { return }
    held.remoteFile = nil
    try done("close file", .close, [file.number], in: caller, of: held)
  }

  public mutating func save(
    _ pieces: [Extent], of process: ProcessID, to file: borrowing FileDescriptor,
    progress: (UInt64) throws(EngineError) -> Void
  ) throws(EngineError) {
    let held = try held(process)
    for piece in pieces {
      var offset: UInt64 = 0
      while offset < piece.count {
        let step = min(1 << 20, piece.count - offset)
        let start = piece.position + offset
        let target = piece.fileOffset + offset
        let number = file.number
        try attempt("save memory", process) { () throws(Errno) in
          let bytes = try Self.read(MemoryRange(start: start, count: step), of: held)
          let ours = FileDescriptor(owning: number)
          var failure: Errno?
          do throws(Errno) { try ours.write(bytes, at: target) } catch { failure = error }
          _ = ours.disown()
          if let failure { throw failure }
        }
        offset += step
        try progress(step)
      }
    }
  }

  public mutating func load(
    _ pieces: [LoadPiece], of process: ProcessID, from file: borrowing FileDescriptor,
    progress: (UInt64) throws(EngineError) -> Void
  ) throws(EngineError) {
    throw EngineError("load memory", process, .notImplemented)
  }

  public mutating func spawn(_ request: SpawnRequest) throws(EngineError) -> ProcessID {
    throw EngineError("make process", ProcessID(0), .notImplemented)
  }

  public mutating func spawnThreads(
    _ ids: [ThreadID?], in process: ProcessID
  ) throws(EngineError) -> [ThreadID] {
    throw EngineError("make threads", process, .notImplemented)
  }

  public mutating func kill(_ process: ProcessID) {}
}
