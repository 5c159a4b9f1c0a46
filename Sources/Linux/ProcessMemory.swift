// SPDX-License-Identifier: Apache-2.0
import CLinux

/// Another process's memory, by process_vm_readv(2) and, where that is refused, /proc/PID/mem.
public enum ProcessMemory {
  /// Copies out as much as is mapped and readable; the count, or EFAULT if nothing was.
  public static func read(
    _ process: ProcessID, at address: UInt64, into buffer: UnsafeMutableRawBufferPointer
  ) throws(Errno) -> Int {
    var done = 0
    while done < buffer.count {
      let result = cr_read_memory(
        process.rawValue, buffer.baseAddress! + done, address + UInt64(done), buffer.count - done)
      if result <= 0 {
        if done > 0 { return done }
        try checked(result)
        throw .fault
      }
      done += result
    }
    return done
  }

  /// Copies in as much as is mapped and writable.
  public static func write(
    _ process: ProcessID, at address: UInt64, from buffer: UnsafeRawBufferPointer
  ) throws(Errno) -> Int {
    var done = 0
    while done < buffer.count {
      let result = cr_write_memory(
        process.rawValue, buffer.baseAddress! + done, address + UInt64(done), buffer.count - done)
      if result <= 0 {
        if done > 0 { return done }
        try checked(result)
        throw .fault
      }
      done += result
    }
    return done
  }

  /// /proc/PID/mem, which reaches pages whatever their protection is (FOLL_FORCE).
  public static func file(of process: ProcessID) throws(Errno) -> FileDescriptor {
    try FileDescriptor(opening: "/proc/\(process)/mem", flags: O_RDWR)
  }
}
