// SPDX-License-Identifier: Apache-2.0
import CLinux

/// An open file that exactly one value owns, so that it is closed exactly once.
@frozen public struct FileDescriptor: ~Copyable {
  public let number: Int32

  public init(owning number: Int32) { self.number = number }

  deinit { _ = cr_syscall(Int(SYS_close), Int(number), 0, 0, 0, 0, 0) }

  /// Closes now, to hear a write error that the kernel kept until this moment.
  public consuming func close() throws(Errno) {
    let number = self.number
    // Not retried on EINTR: Linux has freed the number already, and another thread may hold it.
    discard self
    try checked(cr_syscall(Int(SYS_close), Int(number), 0, 0, 0, 0, 0))
  }

  /// Gives the number up to somebody else, who closes it.
  public consuming func disown() -> Int32 {
    let number = self.number
    discard self
    return number
  }
}
