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
      let data = cr_seek(number, Int64(offset), SEEK_DATA)
      if data == -Int64(ENXIO) { break }
      let start = try Self.place(data)
      let end = min(size, try Self.place(cr_seek(number, Int64(start), SEEK_HOLE)))
      if start >= end { break }
      ranges.append(MemoryRange(start: start, end: end))
      offset = end
    }
    return ranges
  }

  private static func place(_ result: Int64) throws(Errno) -> UInt64 {
    guard result >= 0 else { throw Errno(rawValue: Int32(-result)) }
    return UInt64(result)
  }

  /// Copies `count` bytes from one place to a place of another file; holes become zeros. Throws EIO
  /// when the source is shorter than asked.
  public func copy(
    from position: UInt64, count: UInt64, to file: borrowing FileDescriptor, at fileOffset: UInt64
  ) throws(Errno) {
    var done: UInt64 = 0
    while done < count {
      let wanted = Int(min(count - done, 1 << 20))
      let bytes = try read(wanted, at: position + done)
      guard bytes.count == wanted else { throw .io }
      try file.write(bytes, at: fileOffset + done)
      done += UInt64(wanted)
    }
  }
}

/// The page size of this kernel in bytes.
public let hostPageSize: UInt64 = {
  // AT_PAGESZ of our own auxiliary vector.
  UInt64(sysconf(Int32(_SC_PAGESIZE)))
}()
