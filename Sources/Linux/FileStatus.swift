// SPDX-License-Identifier: Apache-2.0
import CLinux

extension FileStatus {
  /// Of a file named from an open directory; follows symbolic links, those of /proc too. An empty
  /// path is the directory itself.
  init(of path: ByteString, at directory: Int32) throws(Errno) {
    var status = cr_file_status()
    let flags = path.isEmpty ? AT_EMPTY_PATH : 0
    try checked(path.withCString { cr_status(directory, $0, flags, &status) })
    self.init(status)
  }

  public enum Kind: UInt32, Sendable {
    case fifo = 0o010000
    case characterDevice = 0o020000
    case directory = 0o040000
    case blockDevice = 0o060000
    case regular = 0o100000
    case symbolicLink = 0o120000
    case socket = 0o140000
    /// Anonymous inodes (eventfd, epoll …) have no type bits at all.
    case none = 0
  }

  /// `f_type` of statfs(2): which kind of file system a file is on.
  public static func fileSystemType(of path: ByteString) throws(Errno) -> UInt {
    let file = try FileDescriptor(opening: path, flags: O_PATH)
    let number = Int(file.number)
    // struct statfs begins with f_type, a long; it has 120 bytes on 64-bit machines.
    let (_, bytes) = try bytesFilled(count: 128) { buffer in
      cr_syscall(Int(SYS_fstatfs), number, buffer, 0, 0, 0, 0)
    }
    return bytes.native(UInt.self, at: 0)
  }

  public var kind: Kind { Kind(rawValue: mode & 0o170000) ?? .none }
}

/// A dev_t as the C library and stat(1) show it (sys/sysmacros.h, makedev).
public func deviceNumber(major: UInt32, minor: UInt32) -> UInt64 {
  let major = UInt64(major)
  let minor = UInt64(minor)
  return (major & 0xffff_f000) << 32 | (major & 0xfff) << 8
    | (minor & 0xffff_ff00) << 12 | (minor & 0xff)
}

public func deviceMajor(_ device: UInt64) -> UInt32 {
  UInt32(truncatingIfNeeded: device >> 32 & 0xffff_f000 | device >> 8 & 0xfff)
}

public func deviceMinor(_ device: UInt64) -> UInt32 {
  UInt32(truncatingIfNeeded: device >> 12 & 0xffff_ff00 | device & 0xff)
}
