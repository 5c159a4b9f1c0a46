// SPDX-License-Identifier: Apache-2.0
import CLinux
import Linux
import Request

/// A file that is being written, and what happens to what was there before.
///
/// Made before anything is stopped, so that most reasons for failing are found while they cost
/// nothing. Ended by `commit`; without it the file that was begun is removed, and an older one is
/// as it was (except with `clobber`, which gives that up once `reserve` was called).
public final class DestinationFile {
  /// What to write to: seekable, for reading and writing, with mode 0600, so that a target of the
  /// same user can open it too.
  public let file: FileDescriptor
  /// The file's place by name; nil where the caller opened it.
  private let named: NamedFile?
  /// Where it is copied to at the end: a pipe, socket, device, or a file that only takes appending;
  /// any file if it is to be compressed.
  private let stream: Stream?
  private let compression: Compression
  /// Where it will be found, absolute; empty where it has no name, as in a pipe.
  let path: ByteString
  /// Whether `commit` waits for the disk.
  let isSynchronous: Bool
  private var hasBegun = false
  private var isCommitted = false

  private struct Stream: ~Copyable {
    let file: FileDescriptor
    let name: ByteString

    /// - Returns: the bytes that were written.
    func fill(
      from whole: borrowing FileDescriptor, _ compression: Compression, isSynchronous: Bool,
      onProgress: (UInt64) -> Bool
    ) throws(Failure) -> UInt64 {
      let threads = compression.threads > 0 ? compression.threads : Workers.processorCount
      let written: UInt64
      do throws(Errno) {
        let size = try whole.status().size
        switch compression.method {
        case .none:
          try Spool.empty(whole, into: file)
          written = size
        case .zstd(let level):
          let packer = try FramePacker(.zstd, level: level, threads: threads)
          written = try packer.pack(size, of: whole, to: file, onProgress: onProgress)
        case .lz4:
          let packer = try FramePacker(.lz4, threads: threads)
          written = try packer.pack(size, of: whole, to: file, onProgress: onProgress)
        }
      } catch {
        if error == .interrupted { throw Failure(error, "called off; all processes run on") }
        throw Failure(error, "cannot write the context to \(name): \(error)")
      }
      // A device or pipe need not know fsync.
      if isSynchronous { try? file.synchronize() }
      return written
    }
  }

  /// - Parameter isSynchronous: `commit` returns when the file would survive a power failure.
  /// - Throws: EISDIR, EEXIST (`noclobber`), EBUSY (somebody else is writing it), and what open(2)
  ///   says.
  convenience init(
    _ path: ByteString, _ replacement: Replacement, _ isSynchronous: Bool,
    _ compression: Compression
  ) throws(Failure) {
    if let stream = try Self.stream(to: path) {
      self.init(
        file: try Self.spool(), named: nil, stream: Stream(file: stream, name: path),
        isSynchronous, compression)
    } else {
      try self.init(NamedFile(path, replacement), path, isSynchronous, compression)
    }
  }

  /// - Parameter path: what messages call it.
  convenience init(
    _ named: consuming NamedFile, _ path: ByteString, _ isSynchronous: Bool,
    _ compression: Compression
  ) throws(Failure) {
    let file = try named.duplicate()
    if compression.isWanted {
      self.init(
        file: try Self.spool(), named: named, stream: Stream(file: file, name: path),
        isSynchronous, compression)
    } else {
      self.init(file: file, named: named, stream: nil, isSynchronous, compression)
    }
  }

  convenience init(
    _ number: Int32, _ isSynchronous: Bool, _ compression: Compression
  ) throws(Failure) {
    if let direct = try Self.direct(number) {
      let place = (try? readLink("/proc/self/fd/\(number)")).map { $0.hasPrefix("/") ? $0 : "" }
      if compression.isWanted {
        self.init(
          file: try Self.spool(), named: nil,
          stream: Stream(file: direct, name: "descriptor \(number)"), isSynchronous, compression,
          path: place ?? "")
      } else {
        self.init(
          file: direct, named: nil, stream: nil, isSynchronous, compression, path: place ?? "")
      }
    } else {
      let stream = Stream(
        file: try Self.duplicate(of: number), name: "descriptor \(number)")
      self.init(file: try Self.spool(), named: nil, stream: stream, isSynchronous, compression)
    }
  }

  private init(
    file: consuming FileDescriptor, named: consuming NamedFile?, stream: consuming Stream?,
    _ isSynchronous: Bool, _ compression: Compression, path: ByteString = ""
  ) {
    self.file = file
    self.compression = compression
    self.path = named?.wholePath ?? path
    self.named = named
    self.stream = stream
    self.isSynchronous = isSynchronous
  }

  /// Whether `commit` compresses it.
  var isCompressed: Bool { compression.isWanted }

  /// st_dev and st_ino of what is being written.
  var identity: (device: UInt64, inode: UInt64)? {
    var status = try? file.status()
    switch stream {
    case .some(let stream): if isCompressed { status = try? stream.file.status() }
    case .none: break
    }
    guard let status else { return nil }
    return (status.device, status.inode)
  }

  /// From now on somebody else writes to `file`, who looks after everything but `commit`.
  func handOver() { hasBegun = true }

  /// Throws ENOSPC if there is no room for the file, before any of it is written.
  func reserve(_ size: UInt64) throws(Failure) {
    let free = file.freeSpace()
    // Blocks that an older file, overwritten in place, has already.
    let present = (try? file.status().size) ?? 0
    if free != .max, free &+ present < size {
      throw Failure(
        .noSpace,
        "no room for the context file: it takes \(size) bytes, and \(free) are free; free some, or "
          + "name a file on another file system")
    }
    hasBegun = true
    guard present > 0 else { return }
    do throws(Errno) {
      // The old commit mark must not vouch for what is being written over.
      try file.setSize(present - min(present, UInt64(Format.footerSize)))
    } catch {
      throw Failure(error, "cannot overwrite the old context file: \(error)")
    }
  }

  /// Puts the file in its place: from here on it is there, whole.
  ///
  /// - Parameter onProgress: of compressing: how many further bytes are done; false calls it off.
  /// - Returns: the bytes that it takes.
  func commit(onProgress: (UInt64) -> Bool) throws(Failure) -> UInt64 {
    let size = try finish(onProgress)
    isCommitted = true
    return size
  }

  private func finish(_ onProgress: (UInt64) -> Bool) throws(Failure) -> UInt64 {
    var size = (try? file.status().size) ?? 0
    switch stream {
    case .some(let stream):
      try emptySink(stream)
      do throws(Failure) {
        size = try stream.fill(
          from: file, compression, isSynchronous: isSynchronous && !isNamed, onProgress: onProgress)
      } catch {
        try? emptySink(stream)
        throw error
      }
    case .none: if isSynchronous && !isNamed { try synchronize() }
    }
    switch named {
    case .some(let named): try named.commit(isSynchronous: isSynchronous)
    case .none: break
    }
    return size
  }

  private var isNamed: Bool {
    switch named {
    case .some: true
    case .none: false
    }
  }

  /// A compressed file takes the place of all that an older one had.
  private func emptySink(_ stream: borrowing Stream) throws(Failure) {
    guard compression.isWanted else { return }
    do throws(Errno) {
      let status = try stream.file.status()
      // What only takes appending keeps what it has.
      guard status.isRegular, try stream.file.flags() & O_APPEND == 0 else { return }
      try stream.file.setSize(0)
    } catch {
      throw Failure(error, "cannot overwrite \(stream.name): \(error)")
    }
  }

  private func synchronize() throws(Failure) {
    do throws(Errno) { try file.synchronize() } catch {
      throw Failure(error, "cannot write the context file to disk: \(error)")
    }
  }

  deinit {
    guard !isCommitted else { return }
    switch named {
    case .some(let named): return named.abandon(hasBegun: hasBegun)
    case .none: break
    }
    switch stream {
    case .some: break
    case .none: if hasBegun { try? file.setSize(0) }
    }
  }

  // MARK: What it is

  /// A FIFO or device that a path leads to, opened for writing; nil for a regular file or none.
  private static func stream(to path: ByteString) throws(Failure) -> FileDescriptor? {
    let status: FileStatus
    do throws(Errno) { status = try FileStatus.of(path) } catch {
      // No such file is what we hope for; everything else shows when it is made.
      return nil
    }
    if status.isRegular { return nil }
    if status.isDirectory {
      throw Failure(Errno(rawValue: EISDIR), "cannot write to \(path): it is a directory")
    }
    guard status.isPipe || status.isCharacterDevice else {
      throw Failure(
        .invalid, "cannot write to \(path): it is no regular file, FIFO or character device")
    }
    do throws(Errno) { return try FileDescriptor(opening: path, flags: O_WRONLY | O_NOCTTY) } catch {
      throw Failure(error, "cannot open \(path) for writing: \(error)")
    }
  }

  /// The given descriptor for direct use, if it is a regular file that can be written anywhere.
  private static func direct(_ number: Int32) throws(Failure) -> FileDescriptor? {
    let given = try duplicate(of: number)
    do throws(Errno) {
      let status = try given.status()
      if status.isDirectory { throw Errno(rawValue: EISDIR) }
      let flags = try given.flags()
      if flags & O_ACCMODE == O_RDONLY { throw .badDescriptor }
      guard status.isRegular, flags & O_APPEND == 0,
        cr_syscall(Int(SYS_lseek), Int(number), 0, Int(SEEK_CUR), 0, 0, 0) == 0
      else { return nil }
      if flags & O_ACCMODE == O_RDWR { return given }
      // Checksums are read back; the same file once more, if its mode lets us.
      return try? FileDescriptor(opening: "/proc/self/fd/\(number)", flags: O_RDWR)
    } catch {
      throw Failure(error, "cannot write to descriptor \(number): \(error)")
    }
  }

  private static func duplicate(of number: Int32) throws(Failure) -> FileDescriptor {
    let result = cr_syscall(Int(SYS_fcntl), Int(number), Int(F_DUPFD_CLOEXEC), 3, 0, 0, 0)
    do throws(Errno) { return FileDescriptor(owning: Int32(try checked(result))) } catch {
      throw Failure(error, "cannot use descriptor \(number): \(error)")
    }
  }

  private static func spool() throws(Failure) -> FileDescriptor {
    do throws(Errno) { return try Spool.open() } catch {
      throw Failure(error, "cannot make a temporary file for the context: \(error)")
    }
  }
}
