// SPDX-License-Identifier: Apache-2.0
import CLinux

/// A part of a file mapped shared into this process, to be read without copying it first.
@frozen public struct FileWindow: ~Copyable {
  private let start: UnsafeMutableRawPointer
  private let count: Int
  /// File offset of `bytes[0]`.
  public let offset: UInt64
  private let lead: Int

  /// Maps `count` bytes from `offset` on, wherever that is in a page.
  public init(of file: borrowing FileDescriptor, at offset: UInt64, count: UInt64) throws(Errno) {
    let page = UInt64(sysconf(Int32(_SC_PAGESIZE)))
    let lead = offset % page
    let result = cr_map_for_reading(file.number, Int64(offset - lead), Int(lead + count))
    start = UnsafeMutableRawPointer(bitPattern: try checked(result))!
    self.count = Int(lead + count)
    self.lead = Int(lead)
    self.offset = offset
  }

  public var bytes: UnsafeRawBufferPointer {
    UnsafeRawBufferPointer(start: UnsafeRawPointer(start) + lead, count: count - lead)
  }

  deinit { _ = cr_syscall(Int(SYS_munmap), Int(bitPattern: start), count, 0, 0, 0, 0) }
}
