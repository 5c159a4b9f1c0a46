// SPDX-License-Identifier: Apache-2.0
import Architecture
import CElf
import CLinux
import Linux
import Request
import Snapshot

/// A context that is being read: a file, or the files of a directory.
///
/// `init` checks everything but page contents: that the file is one of ours, complete, of a version
/// that we know, and that its heads are as they were written. `verify` checks the contents.
/// Nothing in the file is believed before it was checked; whatever the bytes, the answer is a
/// snapshot whose numbers fit together, or a `Failure` that says what is wrong and where.
public struct Reader: ~Copyable {
  /// What was read. Extents have their file offsets.
  public let snapshot: Snapshot
  /// Of all files, in bytes.
  public var size: UInt64 { parts.all.reduce(0) { $0 + $1.size } }
  /// major, minor.
  public let version: (UInt16, UInt16)
  /// The image of each process: where it is, and how long, in the order of `snapshot.processes`.
  let images: [ImageEntry]
  /// A directory with a file for each process.
  public let isDirectory: Bool
  /// It came through a pipe or was compressed: what is read is a copy that was made of all of it.
  public var isCopy: Bool { parts.all.contains { $0.isCopy } }
  /// For reading contents.
  public let parts: ContextParts

  /// Opens a context file by its path, or takes it from a descriptor; one that is no file (a pipe, a
  /// socket) is read to its end first. A directory's files are opened all.
  public init(_ placement: Placement) throws(Failure) {
    switch placement {
    case .file(let path): try self.init(path: path)
    case .descriptor(let number): try self.init(descriptor: number)
    case .directory(let path): try self.init(directory: path)
    }
  }

  private init(path: ByteString) throws(Failure) {
    try self.init(try Self.open(path), path)
  }

  private init(directory path: ByteString) throws(Failure) {
    var files = DirectoryParser(path)
    try files.readAll()
    snapshot = files.snapshot
    version = files.version
    images = files.images
    parts = ContextParts(files.parts)
    isDirectory = true
    name = path
  }

  /// A context file by its path, ready to be read anywhere in it.
  static func open(_ path: ByteString) throws(Failure) -> Source {
    let file: FileDescriptor
    do throws(Errno) {
      file = try FileDescriptor(opening: path, flags: O_RDONLY | O_NOCTTY)
    } catch {
      throw Failure(error, "cannot open \(path): \(error)")
    }
    return try plain(try seekable(Source(file: file), path), path)
  }

  private init(descriptor: Int32) throws(Failure) {
    let name: ByteString = "descriptor \(descriptor)"
    let result = cr_syscall(Int(SYS_fcntl), Int(descriptor), Int(F_DUPFD_CLOEXEC), 3, 0, 0, 0)
    let file: FileDescriptor
    do throws(Errno) { file = FileDescriptor(owning: Int32(try checked(result))) } catch {
      throw Failure(error, "cannot read \(name): \(error)")
    }
    try self.init(try Self.plain(try Self.seekable(Source(file: file), name), name), name)
  }

  /// The file itself, or an unnamed copy of what comes out of a pipe.
  private static func seekable(
    _ source: consuming Source, _ name: ByteString
  ) throws(Failure) -> Source {
    do throws(Errno) {
      let status = try source.file.status()
      if status.isRegular { return source }
      if status.isDirectory { throw Errno(rawValue: EISDIR) }
      guard status.isPipe || status.isSocket else { throw Errno.invalid }
      let copy = try Spool.open()
      try Spool.fill(copy, from: source.file.number)
      return Source(file: copy, isCopy: true)
    } catch {
      if error == .invalid {
        throw Failure(error, "\(name) is not a context file: it is no regular file, pipe or socket")
      }
      let advice: ByteString =
        error.rawValue == EISDIR ? "; a context that was written to a directory is read by --dir" : ""
      throw Failure(error, "cannot read \(name): \(error)\(advice)")
    }
  }

  /// The file itself, or an unnamed copy of what was compressed, by us, zstd(1) or lz4(1).
  private static func plain(
    _ source: consuming Source, _ name: ByteString
  ) throws(Failure) -> Source {
    do throws(Errno) {
      guard let codec = try Codec(of: source.file) else { return source }
      let copy = try Spool.open()
      try Unpacking.unpack(source.file, by: codec, into: copy)
      return Source(file: copy, isCopy: true)
    } catch {
      if error == .io {
        throw Failure(
          error, "\(name) is damaged: its compressed contents are incomplete or not as written")
      }
      throw Failure(error, "cannot decompress \(name) into a temporary file: \(error)")
    }
  }

  private init(_ source: consuming Source, _ name: ByteString) throws(Failure) {
    let isCopy = source.isCopy
    let file = source.file
    var parser = Parser(file.number, name)
    try parser.readAll()
    snapshot = parser.snapshot
    version = parser.version
    images = parser.images
    parts = ContextParts([
      ContextPart(file, name, size: parser.size, parser.trailer, isCopy: isCopy)
    ])
    isDirectory = false
    self.name = name
  }

  /// What messages call it.
  public let name: ByteString

  /// A file that is read, or the copy that had to be made of it.
  struct Source: ~Copyable {
    let file: FileDescriptor
    var isCopy = false
  }
}

/// Where the checksums are, and how many.
struct TrailerPlace: Sendable {
  var offset: UInt64 = 0
  var blockSize: UInt64 = 0
  var heads: [UInt64] = []
  var blocks: [UInt64] = []
}
