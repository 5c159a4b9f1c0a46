// SPDX-License-Identifier: Apache-2.0
import CLinux

/// An open directory: names in it stay meant even if the path to it changes.
@frozen public struct DirectoryHandle: ~Copyable {
  private let file: FileDescriptor

  public init(opening path: ByteString) throws(Errno) {
    do throws(Errno) {
      file = try FileDescriptor(opening: path, flags: O_RDONLY | O_DIRECTORY)
    } catch {
      guard error == .accessDenied else { throw error }
      // Writable and searchable, but not readable: enough for names, not for fsync.
      file = try FileDescriptor(opening: path, flags: CR_O_PATH | O_DIRECTORY)
    }
  }

  /// The same directory once more.
  public func duplicate() throws(Errno) -> DirectoryHandle {
    DirectoryHandle(try file.duplicate())
  }

  private init(_ file: consuming FileDescriptor) { self.file = file }

  /// For a process that shares our descriptors.
  public var number: Int32 { file.number }

  /// A directory that somebody else has open.
  public init(duplicating number: Int32) throws(Errno) {
    let result = cr_syscall(Int(SYS_fcntl), Int(number), Int(F_DUPFD_CLOEXEC), 3, 0, 0, 0)
    self.init(FileDescriptor(owning: Int32(try checked(result))))
  }

  /// A directory in it; never follows a symbolic link.
  public func open(directory name: ByteString) throws(Errno) -> DirectoryHandle {
    DirectoryHandle(try open(name, flags: O_RDONLY | O_DIRECTORY | O_NOFOLLOW))
  }

  /// mkdirat(2).
  public func makeDirectory(_ name: ByteString, mode: UInt32) throws(Errno) {
    let number = file.number
    try checked(
      name.withCString {
        cr_syscall(Int(SYS_mkdirat), Int(number), Int(bitPattern: $0), Int(mode), 0, 0, 0)
      })
  }

  /// Every name in it but `.` and `..`.
  public func names() throws(Errno) -> [ByteString] {
    var names: [ByteString] = []
    try forEachEntry(of: open(".", flags: O_RDONLY | O_DIRECTORY)) { name, _ in
      if name != ".", name != ".." { names.append(name) }
    }
    return names
  }

  /// Of the directory itself.
  public func status() throws(Errno) -> FileStatus { try file.status() }

  public func tryLock() throws(Errno) -> Bool { try file.tryLock() }

  public func freeSpace() -> UInt64 { file.freeSpace() }

  /// openat(2); never follows a symbolic link with O_NOFOLLOW among the flags.
  public func open(
    _ name: ByteString, flags: Int32, mode: UInt32 = 0
  ) throws(Errno) -> FileDescriptor {
    let number = file.number
    let result = name.withCString { cr_open(number, $0, flags, mode) }
    return FileDescriptor(owning: Int32(try checked(result)))
  }

  /// Of the name itself, not of what a symbolic link leads to.
  public func status(of name: ByteString) throws(Errno) -> FileStatus {
    var status = cr_file_status()
    let number = file.number
    try checked(name.withCString { cr_status(number, $0, AT_SYMLINK_NOFOLLOW, &status) })
    return FileStatus(status)
  }

  /// renameat2(2) within the directory. `replacing`: an existing file of the new name is replaced;
  /// otherwise EEXIST.
  public func rename(
    _ old: ByteString, to new: ByteString, replacing: Bool
  ) throws(Errno) {
    let result = call(old, new) { old, new in
      cr_syscall(
        Int(SYS_renameat2), Int(file.number), old, Int(file.number), new, replacing ? 0 : 1, 0)
    }
    // File systems that do not know RENAME_NOREPLACE (some network ones) say EINVAL.
    if !replacing, result == -Int(EINVAL) {
      try link(old, as: new)
      return try remove(old)
    }
    try checked(result)
  }

  /// Two names change places in one moment (RENAME_EXCHANGE); EINVAL on file systems that cannot.
  public func exchange(_ one: ByteString, _ other: ByteString) throws(Errno) {
    try checked(
      call(one, other) { one, other in
        cr_syscall(Int(SYS_renameat2), Int(file.number), one, Int(file.number), other, 2, 0)
      })
  }

  /// A second name for a file; EEXIST if there is such a name.
  public func link(_ name: ByteString, as new: ByteString) throws(Errno) {
    let result = call(name, new) { old, new in
      cr_syscall(Int(SYS_linkat), Int(file.number), old, Int(file.number), new, 0, 0)
    }
    try checked(result)
  }

  public func remove(_ name: ByteString) throws(Errno) { try remove(name, flags: 0) }

  /// An empty one.
  public func remove(directory name: ByteString) throws(Errno) {
    try remove(name, flags: Int(AT_REMOVEDIR))
  }

  private func remove(_ name: ByteString, flags: Int) throws(Errno) {
    let number = file.number
    let result = name.withCString {
      cr_syscall(Int(SYS_unlinkat), Int(number), Int(bitPattern: $0), flags, 0, 0, 0)
    }
    try checked(result)
  }

  /// Makes names that were added or changed survive a power failure.
  public func synchronize() throws(Errno) {
    do throws(Errno) { try file.synchronize() } catch {
      // Opened for its names only; some file systems have no fsync for directories.
      guard error == .badDescriptor || error == .invalid else { throw error }
    }
  }

  private func call(_ first: ByteString, _ second: ByteString, _ body: (Int, Int) -> Int) -> Int {
    first.withCString { first in
      second.withCString { second in
        body(Int(bitPattern: first), Int(bitPattern: second))
      }
    }
  }
}

/// rename(2): what has the new name already is replaced.
public func renamePath(_ old: ByteString, to new: ByteString) throws(Errno) {
  let result = old.withCString { old in
    new.withCString { new in
      cr_syscall(
        Int(SYS_renameat2), Int(AT_FDCWD), Int(bitPattern: old), Int(AT_FDCWD),
        Int(bitPattern: new), 0, 0)
    }
  }
  try checked(result)
}

extension FileDescriptor {
  /// flock(2) without waiting: false if another open file description has a lock.
  public func tryLock() throws(Errno) -> Bool {
    let result = cr_syscall(Int(SYS_flock), Int(number), Int(LOCK_EX | LOCK_NB), 0, 0, 0, 0)
    if result == -Int(EWOULDBLOCK) { return false }
    try checked(result)
    return true
  }

  /// The same for a lock that others may share.
  public func tryLockShared() -> Bool {
    cr_syscall(Int(SYS_flock), Int(number), Int(LOCK_SH | LOCK_NB), 0, 0, 0, 0) == 0
  }

  /// fchmod(2).
  public func setMode(_ mode: UInt32) throws(Errno) {
    try checked(cr_syscall(Int(SYS_fchmod), Int(number), Int(mode), 0, 0, 0, 0))
  }

  /// Access mode and status flags, O_* (F_GETFL).
  public func flags() throws(Errno) -> Int32 {
    Int32(try checked(cr_syscall(Int(SYS_fcntl), Int(number), Int(F_GETFL), 0, 0, 0, 0)))
  }

  /// Bytes that the file's file system has room for.
  public func freeSpace() -> UInt64 { cr_free_bytes(number) }

  /// Writes all of `bytes` where the descriptor stands, waiting where it must not block; a reader
  /// that has gone away is EPIPE and no signal.
  public func append(_ bytes: UnsafeRawBufferPointer) throws(Errno) {
    var done = 0
    while done < bytes.count {
      done += try checked(cr_write_quietly(number, bytes.baseAddress! + done, bytes.count - done))
    }
  }

  /// Reads what there is, up to the size of the buffer, waiting if there is nothing yet; 0 at the
  /// end.
  public func take(into buffer: UnsafeMutableRawBufferPointer) throws(Errno) -> Int {
    try checked(cr_read_waiting(number, buffer.baseAddress, buffer.count))
  }
}
