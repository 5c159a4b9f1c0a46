// SPDX-License-Identifier: Apache-2.0
import CLinux
import Engine
import Linux

/// Moving memory through a buffer of ours: process_vm_readv and pwrite, or the other way round.
/// Asks nothing of the target, so it serves whenever the target cannot help, and small jobs.
struct Copying {
  let process: ProcessID
  /// /proc/PID/mem, for memory that process_vm_readv may not read.
  let memoryFile: Int32
  let file: Int32

  /// Fits the second-level cache, so that the second copy finds the first one there.
  static let bufferSize: UInt64 = 256 << 10

  /// From the process to the file.
  func save(_ batch: Batch, through buffer: UnsafeMutableRawBufferPointer) throws(Errno) {
    var rest = batch
    while rest.count > 0 {
      let step = take(&rest, upTo: UInt64(buffer.count))
      let bytes = UnsafeMutableRawBufferPointer(rebasing: buffer[..<Int(step.count)])
      try read(step, into: bytes)
      try write(UnsafeRawBufferPointer(bytes), at: step.fileOffset)
    }
  }

  /// From the file to the process.
  func load(_ batch: Batch, through buffer: UnsafeMutableRawBufferPointer) throws(Errno) {
    var rest = batch
    while rest.count > 0 {
      let step = take(&rest, upTo: UInt64(buffer.count))
      let bytes = UnsafeMutableRawBufferPointer(rebasing: buffer[..<Int(step.count)])
      var done = 0
      while done < bytes.count {
        let result = cr_pread(
          file, bytes.baseAddress! + done, bytes.count - done,
          Int64(step.fileOffset) + Int64(done))
        // The file is shorter than it says.
        if result == 0 { throw .io }
        if result != -Int(EINTR) { done += try checked(result) }
      }
      try fill(step, from: UnsafeRawBufferPointer(bytes))
    }
  }

  /// Writes bytes into the parts of a batch.
  func fill(_ batch: Batch, from bytes: UnsafeRawBufferPointer) throws(Errno) {
    var rest = batch
    var done = 0
    while rest.count > 0 {
      let got = transfer(
        Int(SYS_process_vm_writev), rest,
        UnsafeMutableRawBufferPointer(mutating: UnsafeRawBufferPointer(rebasing: bytes[done...])))
      if got <= 0 {
        // Read-only for the process itself: the memory file does not ask.
        let part = rest.parts[0]
        let result = cr_pwrite(
          memoryFile, bytes.baseAddress! + done, Int(part.count), Int64(bitPattern: part.start))
        if result <= 0 { throw .fault }
        done += result
        rest.drop(UInt64(result))
      } else {
        done += got
        rest.drop(UInt64(got))
      }
    }
  }

  private func read(_ batch: Batch, into bytes: UnsafeMutableRawBufferPointer) throws(Errno) {
    var rest = batch
    var done = 0
    while rest.count > 0 {
      var got = transfer(
        Int(SYS_process_vm_readv), rest, UnsafeMutableRawBufferPointer(rebasing: bytes[done...]))
      if got <= 0 {
        let part = rest.parts[0]
        got = cr_pread(
          memoryFile, bytes.baseAddress! + done, Int(part.count), Int64(bitPattern: part.start))
        if got <= 0 { throw got == -Int(ESRCH) ? .noProcess : .fault }
      }
      done += got
      rest.drop(UInt64(got))
    }
  }

  private func transfer(
    _ call: Int, _ batch: Batch, _ bytes: UnsafeMutableRawBufferPointer
  ) -> Int {
    var ours = iovec(iov_base: bytes.baseAddress, iov_len: Int(batch.count))
    let theirs = batch.parts.map {
      iovec(iov_base: UnsafeMutableRawPointer(bitPattern: UInt($0.start)), iov_len: Int($0.count))
    }
    return theirs.withUnsafeBufferPointer { theirs in
      withUnsafeMutablePointer(to: &ours) { ours in
        cr_syscall(
          call, Int(process.rawValue), Int(bitPattern: ours), 1,
          Int(bitPattern: theirs.baseAddress), theirs.count, 0)
      }
    }
  }

  private func write(_ bytes: UnsafeRawBufferPointer, at offset: UInt64) throws(Errno) {
    var done = 0
    while done < bytes.count {
      let result = cr_pwrite(
        file, bytes.baseAddress! + done, bytes.count - done, Int64(offset) + Int64(done))
      if result != -Int(EINTR) { done += try checked(result) }
    }
  }

  /// The beginning of a batch, taken off it.
  private func take(_ batch: inout Batch, upTo limit: UInt64) -> Batch {
    if batch.count <= limit {
      let all = batch
      batch.count = 0
      return all
    }
    var taken = Batch(fileOffset: batch.fileOffset)
    for part in batch.parts where taken.count < limit {
      let step = min(part.count, limit - taken.count)
      taken.parts.append(MemoryRange(start: part.start, count: step))
      taken.count += step
    }
    batch.drop(taken.count)
    return taken
  }
}

extension Copying {
  /// All batches by `count` threads; the first error that any of them met.
  func inParallel(
    _ batches: ArraySlice<Batch>, threads count: Int, saving: Bool
  ) throws(Errno) {
    let share = (batches.count + count - 1) / count
    var failures = [Errno?](repeating: nil, count: count)
    failures.withUnsafeMutableBufferPointer { failures in
      let failures = failures
      Workers.run(count) { worker in
        let buffer = UnsafeMutableRawBufferPointer.allocate(
          byteCount: Int(Self.bufferSize), alignment: 4096)
        defer { buffer.deallocate() }
        let start = batches.startIndex + worker * share
        let end = min(start + share, batches.endIndex)
        do throws(Errno) {
          var index = start
          while index < end {
            if saving {
              try save(batches[index], through: buffer)
            } else {
              try load(batches[index], through: buffer)
            }
            index += 1
          }
        } catch { failures[worker] = error }
      }
    }
    for case let failure? in failures { throw failure }
  }
}
