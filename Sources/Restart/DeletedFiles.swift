// SPDX-License-Identifier: Apache-2.0
import CLinux
import Linux
import Request

/// Files without a name, made in the likeness of ones that were deleted while they were in use.
enum DeletedFiles {
  private static let unnamed: Int32 = 0o20_000_000 | O_DIRECTORY

  /// An empty file, open for reading and writing, that no name leads to.
  ///
  /// Where its old name is free it is made there for a moment, so that /proc shows it as before.
  /// One in memory (memfd) gets its seals later.
  static func make(
    _ path: ByteString, seals: UInt32, hugePageSize: UInt64 = 0
  ) throws(Errno) -> FileDescriptor {
    let memory: ByteString = "/memfd:"
    if path.hasPrefix(memory) {
      return try FileDescriptor(
        inMemoryNamed: path.dropFirst(memory.count), isSealable: seals != FileSeals.untouched,
        hugePageSize: hugePageSize)
    }
    if hugePageSize > 0 {
      if FileUsers.hasHugePages(directory(of: path)), let file = try? makeNamed(path) { return file }
      return try FileDescriptor(inMemoryNamed: path.fileName, hugePageSize: hugePageSize)
    }
    // One that never had a name (O_TMPFILE) may get one yet, which a deleted one may not.
    if !neverHadName(path), let file = try? makeNamed(path) { return file }
    if let file = try? FileDescriptor(opening: directory(of: path), flags: O_RDWR | unnamed, mode: 0o600) {
      return file
    }
    do throws(Errno) {
      return try FileDescriptor(opening: "/tmp", flags: O_RDWR | unnamed, mode: 0o600)
    } catch {
      return try makeNamed("/tmp/.cr_restart.\(ProcessID.own).\(Clock.monotonic.reading)")
    }
  }

  /// Whether the kernel made this name up: `#` and the number of the inode.
  private static func neverHadName(_ path: ByteString) -> Bool {
    let name = path.fileName
    return name.hasPrefix("#") && name.dropFirst(1).decimalNumber != nil
  }

  /// A FIFO at its old name, if that is free, or at another; the caller deletes it again.
  static func makePipe(_ path: ByteString) throws(Errno) -> ByteString {
    let other: ByteString = "/.cr_restart.\(ProcessID.own).\(Clock.monotonic.reading)"
    var failure = Errno.noEntry
    for name in [path, directory(of: path) + other, "/tmp" + other] {
      let result = name.withCString {
        cr_syscall(
          Int(SYS_mknodat), Int(AT_FDCWD), Int(bitPattern: $0), Int(S_IFIFO | 0o600), 0, 0, 0)
      }
      do throws(Errno) {
        try checked(result)
        return name
      } catch { failure = error }
    }
    throw failure
  }

  private static func makeNamed(_ path: ByteString) throws(Errno) -> FileDescriptor {
    let file = try FileDescriptor(opening: path, flags: O_RDWR | O_CREAT | O_EXCL, mode: 0o600)
    let result = path.withCString {
      cr_syscall(Int(SYS_unlinkat), Int(AT_FDCWD), Int(bitPattern: $0), 0, 0, 0, 0)
    }
    try checked(result)
    return file
  }

  static func directory(of path: ByteString) -> ByteString {
    guard let slash = path.bytes.lastIndex(of: UInt8(ascii: "/")), slash > 0 else { return "/" }
    return ByteString(path.bytes[..<slash])
  }
}

/// A memfd that is to be sealed when its contents are there and everybody has mapped it.
struct FileSeals {
  var file: DescriptorNumber
  /// F_SEAL_*.
  var seals: UInt32

  /// F_SEAL_SEAL alone: nobody ever sealed it, and nobody can.
  static let untouched: UInt32 = 1
}

extension OpenedFiles {
  /// F_SEAL_WRITE asks that nobody can write to it any more through a mapping: it was like that.
  func seal() throws(Failure) {
    for sealed in self.sealed {
      do throws(Errno) {
        // A seal on the permission to execute fixes them.
        for (file, mode) in modes where file == sealed.file { try file.setMode(mode) }
        try sealed.file.addSeals(sealed.seals)
      } catch {
        throw Failure(error, "cannot seal a file in memory (memfd) again: \(error)")
      }
    }
  }

  func noteSeals(_ seals: UInt32, of file: DescriptorNumber, _ path: ByteString) {
    guard path.hasPrefix("/memfd:"), seals != 0, seals != FileSeals.untouched else { return }
    sealed.append(FileSeals(file: file, seals: seals))
  }
}
