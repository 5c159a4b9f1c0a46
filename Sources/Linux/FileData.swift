// SPDX-License-Identifier: Apache-2.0
import CLinux

extension FileDescriptor {
  /// The parts of a file that are not holes (lseek(2), SEEK_DATA), up to `size` bytes.
  ///
  /// Moves the position of the open file description: use one of our own. A file system that does
  /// not know of holes answers with the whole file.
  public func dataRanges(size: UInt64) throws(Errno) -> [MemoryRange] {
    var ranges: [MemoryRange] = []
    var offset: UInt64 = 0
    while offset < size {
      let data = cr_syscall(Int(SYS_lseek), Int(number), Int(offset), Int(SEEK_DATA), 0, 0, 0)
      if data == -Int(ENXIO) { break }
      let start = UInt64(try checked(data))
      let hole = cr_syscall(Int(SYS_lseek), Int(number), Int(start), Int(SEEK_HOLE), 0, 0, 0)
      let end = min(size, UInt64(try checked(hole)))
      if start >= end { break }
      ranges.append(MemoryRange(start: start, end: end))
      offset = end
    }
    return ranges
  }

  /// Copies `count` bytes from one place to a place of another file; the source's holes read as
  /// zeros, a source that is shorter than asked throws EIO.
  public func copy(
    from position: UInt64, count: UInt64, to file: borrowing FileDescriptor, at fileOffset: UInt64
  ) throws(Errno) {
    let size = Int(min(count, 1 << 20))
    var buffer = [UInt8](repeating: 0, count: size)
    var done: UInt64 = 0
    let source = Int(number)
    let target = Int(file.number)
    while done < count {
      let want = min(size, Int(count - done))
      let got = buffer.withUnsafeMutableBytes {
        cr_syscall(
          Int(SYS_pread64), source, Int(bitPattern: $0.baseAddress!), want,
          Int(position + done), 0, 0)
      }
      guard try checked(got) > 0 else { throw .io }
      var written = 0
      while written < got {
        let put = buffer.withUnsafeBytes {
          cr_syscall(
            Int(SYS_pwrite64), target, Int(bitPattern: $0.baseAddress! + written), got - written,
            Int(fileOffset + done) + written, 0, 0)
        }
        written += try checked(put)
      }
      done += UInt64(got)
    }
  }
}

/// The page size of this kernel in bytes.
public let hostPageSize: UInt64 = {
  // AT_PAGESZ of our own auxiliary vector.
  UInt64(sysconf(Int32(_SC_PAGESIZE)))
}()
