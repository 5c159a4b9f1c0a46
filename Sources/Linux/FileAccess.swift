// SPDX-License-Identifier: Apache-2.0
import CLinux

/// What fstat(2) says of a file.
public struct FileStatus: Sendable {
  public var device: UInt64
  public var inode: UInt64
  /// Bytes.
  public var size: UInt64
  /// Type and permissions, st_mode.
  public var mode: UInt32
  public var links: UInt32
  public var user: UInt32
  public var group: UInt32
  /// st_rdev of a device node.
  public var specialDevice: UInt64
  /// st_blksize: the size of a page on hugetlbfs.
  public var blockSize: UInt64
  public var modifiedSeconds: Int64
  public var modifiedNanoseconds: Int64

  init(_ status: cr_file_status) {
    device = status.device
    inode = status.inode
    size = status.size
    mode = status.mode
    links = status.links
    user = status.user
    group = status.group
    specialDevice = status.special_device
    blockSize = status.block_size
    modifiedSeconds = status.modified_seconds
    modifiedNanoseconds = status.modified_nanoseconds
  }

  private var type: UInt32 { mode & 0o170000 }
  public var isRegular: Bool { type == 0o100000 }
  public var isDirectory: Bool { type == 0o040000 }
  public var isPipe: Bool { type == 0o010000 }
  public var isSocket: Bool { type == 0o140000 }
  public var isCharacterDevice: Bool { type == 0o020000 }

  /// stat(2), following symbolic links unless told otherwise.
  public static func of(
    _ path: ByteString, followingLinks: Bool = true
  ) throws(Errno) -> FileStatus {
    var status = cr_file_status()
    let flags = followingLinks ? 0 : AT_SYMLINK_NOFOLLOW
    try checked(path.withCString { cr_status(AT_FDCWD, $0, flags, &status) })
    return FileStatus(status)
  }
}

extension FileDescriptor {
  /// openat(2) with O_CLOEXEC; `flags` are O_* of <fcntl.h>, relative paths as seen from here.
  public init(opening path: ByteString, flags: Int32, mode: UInt32 = 0) throws(Errno) {
    let result = path.withCString { cr_open(AT_FDCWD, $0, flags, mode) }
    self.init(owning: Int32(try checked(result)))
  }

  /// An unlinked file in memory (memfd_create(2)); only a sealable one can be sealed later.
  ///
  /// - Parameter hugePageSize: in bytes, for one in huge pages of hugetlbfs, which is written to only
  ///   by mapping it; 0 for ordinary pages.
  public init(
    inMemoryNamed name: ByteString, isSealable: Bool = false, hugePageSize: UInt64 = 0
  ) throws(Errno) {
    var flags = MFD_CLOEXEC | (isSealable ? MFD_ALLOW_SEALING : 0)
    if hugePageSize > 0 { flags |= MFD_HUGETLB | UInt32(hugePageSize.trailingZeroBitCount) << 26 }
    let result = name.withCString { pointer in
      cr_syscall(
        Int(SYS_memfd_create), Int(bitPattern: pointer), Int(flags), 0, 0, 0, 0)
    }
    self.init(owning: Int32(try checked(result)))
  }

  /// F_SEAL_* of a file in memory (F_GET_SEALS); EINVAL for any other.
  public func seals() throws(Errno) -> UInt32 {
    UInt32(try checked(cr_syscall(Int(SYS_fcntl), Int(number), Int(F_GET_SEALS), 0, 0, 0, 0)))
  }

  /// Another number for the same open file description.
  public func duplicate() throws(Errno) -> FileDescriptor {
    let result = cr_syscall(Int(SYS_fcntl), Int(number), Int(F_DUPFD_CLOEXEC), 3, 0, 0, 0)
    return FileDescriptor(owning: Int32(try checked(result)))
  }

  public func status() throws(Errno) -> FileStatus {
    var status = cr_file_status()
    try checked(cr_status(number, "", AT_EMPTY_PATH, &status))
    return FileStatus(status)
  }

  /// Fills `buffer` from `offset` on; returns fewer bytes only at the end of the file.
  public func read(
    into buffer: UnsafeMutableRawBufferPointer, at offset: UInt64
  ) throws(Errno) -> Int {
    var done = 0
    while done < buffer.count {
      let count = cr_pread(
        number, buffer.baseAddress! + done, buffer.count - done, Int64(offset) + Int64(done))
      if count == -Int(EINTR) { continue }
      if try checked(count) == 0 { break }
      done += count
    }
    return done
  }

  /// Up to `count` bytes from `offset` on; fewer only at the end of the file.
  public func read(_ count: Int, at offset: UInt64) throws(Errno) -> [UInt8] {
    var failure: Errno?
    let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
      do throws(Errno) {
        initialized = try read(into: UnsafeMutableRawBufferPointer(buffer), at: offset)
      } catch {
        failure = error
        initialized = 0
      }
    }
    if let failure { throw failure }
    return bytes
  }

  /// Writes all of `bytes` at `offset`, wherever the file position is.
  public func write(_ bytes: UnsafeRawBufferPointer, at offset: UInt64) throws(Errno) {
    var done = 0
    while done < bytes.count {
      let count = cr_pwrite(
        number, bytes.baseAddress! + done, bytes.count - done, Int64(offset) + Int64(done))
      if count == -Int(EINTR) { continue }
      done += try checked(count)
    }
  }

  public func write(_ bytes: [UInt8], at offset: UInt64) throws(Errno) {
    var failure: Errno?
    bytes.withUnsafeBytes { buffer in
      do throws(Errno) { try write(buffer, at: offset) } catch { failure = error }
    }
    if let failure { throw failure }
  }

  /// ftruncate(2).
  public func setSize(_ size: UInt64) throws(Errno) {
    try checked(cr_truncate(number, Int64(size)))
  }

  /// fsync(2): what was written survives a power failure; also of a directory.
  public func synchronize() throws(Errno) {
    try checked(cr_syscall(Int(SYS_fsync), Int(number), 0, 0, 0, 0, 0))
  }
}
