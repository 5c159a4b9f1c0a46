// SPDX-License-Identifier: Apache-2.0
import CLinux
import Linux

/// Files without a name, made in the likeness of ones that were deleted while they were in use.
enum DeletedFiles {
  private static let unnamed: Int32 = 0o20_000_000 | O_DIRECTORY

  /// An empty file, open for reading and writing, that no name leads to.
  ///
  /// Where its old name is free it is made there for a moment, so that /proc shows it as before.
  static func make(_ path: ByteString) throws(Errno) -> FileDescriptor {
    let memory: ByteString = "/memfd:"
    if path.hasPrefix(memory) {
      return try FileDescriptor(inMemoryNamed: path.dropFirst(memory.count))
    }
    if let file = try? makeNamed(path) { return file }
    if let file = try? FileDescriptor(opening: directory(of: path), flags: O_RDWR | unnamed, mode: 0o600) {
      return file
    }
    do throws(Errno) {
      return try FileDescriptor(opening: "/tmp", flags: O_RDWR | unnamed, mode: 0o600)
    } catch {
      return try makeNamed("/tmp/.cr_restart.\(ProcessID.own).\(Clock.monotonic.reading)")
    }
  }

  private static func makeNamed(_ path: ByteString) throws(Errno) -> FileDescriptor {
    let file = try FileDescriptor(opening: path, flags: O_RDWR | O_CREAT | O_EXCL, mode: 0o600)
    let result = path.withCString {
      cr_syscall(Int(SYS_unlinkat), Int(AT_FDCWD), Int(bitPattern: $0), 0, 0, 0, 0)
    }
    try checked(result)
    return file
  }

  private static func directory(of path: ByteString) -> ByteString {
    guard let slash = path.bytes.lastIndex(of: UInt8(ascii: "/")), slash > 0 else { return "/" }
    return ByteString(path.bytes[..<slash])
  }
}
