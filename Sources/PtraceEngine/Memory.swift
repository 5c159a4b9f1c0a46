// SPDX-License-Identifier: Apache-2.0
import CLinux
import Engine
import Linux

/// Small pieces of a held process's memory.
extension PtraceEngine {
  static func read(_ range: MemoryRange, of held: HeldProcess) throws(Errno) -> [UInt8] {
    let count = Int(range.count)
    var failure: Errno?
    let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
      let raw = UnsafeMutableRawBufferPointer(start: buffer.baseAddress, count: count)
      do throws(Errno) {
        var got = (try? ProcessMemory.read(held.reachable, at: range.start, into: raw)) ?? 0
        if got < count {
          // PROT_NONE and the like: /proc/PID/mem does not ask for permission.
          got += try readByFile(
            range.start + UInt64(got), into: UnsafeMutableRawBufferPointer(rebasing: raw[got...]),
            of: held)
        }
        if got < count { throw .fault }
        initialized = count
      } catch {
        failure = error
        initialized = 0
      }
    }
    if let failure { throw failure }
    return bytes
  }

  static func write(_ bytes: [UInt8], to address: UInt64, of held: HeldProcess) throws(Errno) {
    let process = held.reachable
    let done = bytes.withUnsafeBytes {
      (try? ProcessMemory.write(process, at: address, from: $0)) ?? 0
    }
    if done == bytes.count { return }
    // Read-only memory can be written by its file (FOLL_FORCE), as a debugger does.
    let file = try memoryFile(of: held)
    var position = done
    while position < bytes.count {
      let from = position
      let result = bytes.withUnsafeBytes {
        cr_pwrite(
          file, $0.baseAddress! + from, $0.count - from,
          Int64(bitPattern: address + UInt64(from)))
      }
      // The memory file says EIO for what is not mapped, and gives nothing when the process has ended.
      if result == -Int(EIO) { throw .fault }
      if result == 0 { throw .noProcess }
      position += try checked(result)
    }
  }

  /// Up to the first address that is not mapped.
  static func readByFile(
    _ address: UInt64, into buffer: UnsafeMutableRawBufferPointer, of held: HeldProcess
  ) throws(Errno) -> Int {
    let file = try memoryFile(of: held)
    var done = 0
    while done < buffer.count {
      let result = cr_pread(
        file, buffer.baseAddress! + done, buffer.count - done,
        Int64(bitPattern: address + UInt64(done)))
      if result == -Int(EIO) { break }
      if result == 0 { throw .noProcess }
      done += try checked(result)
    }
    return done
  }

  static func memoryFile(of held: HeldProcess) throws(Errno) -> Int32 {
    if held.memoryFile < 0 { held.memoryFile = try ProcessMemory.file(of: held.reachable).disown() }
    return held.memoryFile
  }
}
