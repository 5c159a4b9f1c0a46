// SPDX-License-Identifier: Apache-2.0
import CLinux
import Engine
import Linux
import Snapshot

/// Memory of held processes.
extension KernelEngine {
  public func read(_ range: MemoryRange, of process: ProcessID) throws(EngineError) -> [UInt8] {
    let held = try held(process)
    var bytes = [UInt8](repeating: 0, count: Int(range.count))
    var got = bytes.withUnsafeMutableBytes {
      (try? ProcessMemory.read(held.reachable, at: range.start, into: $0)) ?? 0
    }
    if got < bytes.count {
      // PROT_NONE and the like: the module does not ask for permission.
      let from = got
      got += try bytes.withUnsafeMutableBufferPointer { buffer throws(EngineError) in
        try transfer(
          UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(buffer)[from...]),
          range.start + UInt64(from), of: held, writes: false)
      }
    }
    if got < bytes.count { throw EngineError("read memory", process, .fault) }
    return bytes
  }

  public mutating func write(
    _ bytes: [UInt8], to address: UInt64, of process: ProcessID
  ) throws(EngineError) {
    try put(bytes, to: address, of: try held(process))
  }

  func put(_ bytes: [UInt8], to address: UInt64, of held: HeldProcess) throws(EngineError) {
    try bytes.withUnsafeBufferPointer { buffer throws(EngineError) in
      try fill(UnsafeRawBufferPointer(buffer), to: address, of: held)
    }
  }

  /// Whatever its protection.
  private func fill(
    _ bytes: UnsafeRawBufferPointer, to address: UInt64, of held: HeldProcess
  ) throws(EngineError) {
    var done = (try? ProcessMemory.write(held.reachable, at: address, from: bytes)) ?? 0
    if done < bytes.count {
      done += try transfer(
        UnsafeRawBufferPointer(rebasing: bytes[done...]), address + UInt64(done), of: held,
        writes: true)
    }
    if done < bytes.count { throw EngineError("write memory", held.id, .fault) }
  }

  /// By the module; the number of bytes, up to the first that is not mapped.
  private func transfer(
    _ bytes: UnsafeRawBufferPointer, _ address: UInt64, of held: HeldProcess, writes: Bool
  ) throws(EngineError) -> Int {
    var request = cr_memory()
    request.pid = held.reachable.rawValue
    request.set = writes ? 1 : 0
    request.address = address
    request.bytes = reference(bytes.baseAddress)
    request.size = UInt64(bytes.count)
    try ask(
      writes ? "write memory" : "read memory", held.id, cr_memory_request(), &request)
    return Int(request.done)
  }

  // MARK: In bulk

  private static var step: UInt64 { 64 << 20 }

  public mutating func save(
    _ pieces: [Extent], of process: ProcessID, to file: borrowing FileDescriptor,
    progress: (UInt64) throws(EngineError) -> Void
  ) throws(EngineError) {
    let held = try held(process)
    for batch in Batch.batches(of: pieces, limit: Self.step, parts: Int(CR_SAVE_MOST)) {
      let parts = batch.parts.map { cr_part(address: $0.start, size: $0.count) }
      try parts.withUnsafeBufferPointer { buffer throws(EngineError) in
        var request = cr_save()
        request.pid = held.reachable.rawValue
        request.file = file.number
        request.offset = batch.fileOffset
        request.parts = reference(buffer.baseAddress)
        request.count = UInt32(parts.count)
        try ask("save memory", held.id, cr_save_request(), &request)
      }
      try progress(batch.count)
    }
  }

  public mutating func load(
    _ pieces: [LoadPiece], of process: ProcessID, from file: borrowing FileDescriptor,
    progress: (UInt64) throws(EngineError) -> Void
  ) throws(EngineError) {
    let held = try held(process)
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 256 << 10, alignment: 4096)
    defer { buffer.deallocate() }
    for piece in pieces {
      let extent = piece.extent
      var done: UInt64 = 0
      while done < extent.count {
        let count = Int(min(extent.count - done, UInt64(buffer.count)))
        let part = UnsafeMutableRawBufferPointer(rebasing: buffer[..<count])
        try attempt("read the context file", process) { () throws(Errno) in
          var got = 0
          while got < count {
            let result = cr_pread(
              file.number, part.baseAddress! + got, count - got,
              Int64(extent.fileOffset + done) + Int64(got))
            // The file is shorter than it says.
            if result == 0 { throw .io }
            if result != -Int(EINTR) { got += try checked(result) }
          }
        }
        try fill(UnsafeRawBufferPointer(part), to: extent.position + done, of: held)
        done += UInt64(count)
      }
      try progress(extent.count)
    }
  }
}
