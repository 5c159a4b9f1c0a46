// SPDX-License-Identifier: Apache-2.0
import CLinux

/// What statx(2) says of a file.
public struct FileStatus: Sendable {
  /// File type and permission bits, as st_mode.
  public var mode: UInt32
  public var links: UInt32
  public var inode: UInt64
  /// Bytes.
  public var size: UInt64
  /// Of the file system, and of a device file itself; see `deviceNumber(major:minor:)`.
  public var device: UInt64
  public var specialDevice: UInt64
  public var user: UInt32
  public var modifiedSeconds: Int64
  public var modifiedNanoseconds: Int64

  /// Follows symbolic links; an empty path is `directory` itself.
  public init(path: ByteString, at directory: Int32 = AT_FDCWD) throws(Errno) {
    // AT_NO_AUTOMOUNT: looking must not mount anything.
    let flags = AT_NO_AUTOMOUNT | (path.isEmpty ? AT_EMPTY_PATH : 0)
    let (_, bytes) = try bytesFilled(count: MemoryLayout<statx>.size) { buffer in
      path.withCString { name in
        cr_syscall(
          Int(SYS_statx), Int(directory), Int(bitPattern: name), Int(flags),
          Int(STATX_BASIC_STATS), buffer, 0)
      }
    }
    self.init(bytes.withUnsafeBytes { $0.loadUnaligned(as: statx.self) })
  }

  public init(of file: borrowing FileDescriptor) throws(Errno) {
    try self.init(path: "", at: file.number)
  }

  private init(_ state: statx) {
    mode = UInt32(state.stx_mode)
    links = state.stx_nlink
    inode = state.stx_ino
    size = state.stx_size
    device = deviceNumber(major: state.stx_dev_major, minor: state.stx_dev_minor)
    specialDevice = deviceNumber(major: state.stx_rdev_major, minor: state.stx_rdev_minor)
    user = state.stx_uid
    modifiedSeconds = state.stx_mtime.tv_sec
    modifiedNanoseconds = Int64(state.stx_mtime.tv_nsec)
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
