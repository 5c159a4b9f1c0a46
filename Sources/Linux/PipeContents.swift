// SPDX-License-Identifier: Apache-2.0
import CLinux

/// What waits in a pipe, read without taking it out.
public struct PipeContents: Sendable {
  /// Bytes: F_GETPIPE_SZ.
  public var capacity: UInt64
  public var unread: [UInt8]
  /// Bytes that each read gets, where packets were written into it (O_DIRECT).
  public var packets: [UInt32] = []

  public init(capacity: UInt64, unread: [UInt8]) {
    self.capacity = capacity
    self.unread = unread
  }

  /// The size alone, of either end.
  public static func capacity(of end: borrowing FileDescriptor) throws(Errno) -> UInt64 {
    UInt64(try checked(cr_syscall(Int(SYS_fcntl), Int(end.number), Int(F_GETPIPE_SZ), 0, 0, 0, 0)))
  }

  /// From a read end. tee(2) lets a second pipe refer to the same buffers, and that one is emptied.
  ///
  /// Throws EPERM if the pipe is larger than this user may make one (fs.pipe-max-size).
  public init(readEnd: borrowing FileDescriptor) throws(Errno) {
    let end = Int(readEnd.number)
    capacity = try Self.capacity(of: readEnd)
    unread = []
    let (_, countBytes) = try bytesFilled(count: 4) { buffer in
      cr_syscall(Int(SYS_ioctl), end, Int(CR_FIONREAD), buffer, 0, 0, 0)
    }
    let count = Int(countBytes.native(UInt32.self, at: 0))
    if count == 0 { return }

    let (_, ends) = try bytesFilled(count: 8) { buffer in
      cr_syscall(Int(SYS_pipe2), buffer, Int(O_CLOEXEC | O_NONBLOCK), 0, 0, 0, 0)
    }
    let ourRead = FileDescriptor(owning: ends.native(Int32.self, at: 0))
    let ourWrite = FileDescriptor(owning: ends.native(Int32.self, at: 4))
    let ourSize = cr_syscall(
      Int(SYS_fcntl), Int(ourWrite.number), Int(F_SETPIPE_SZ), Int(capacity), 0, 0, 0)
    try checked(ourSize)
    // SPLICE_F_NONBLOCK 2. One buffer slot there needs one here, and the sizes are equal.
    let taken = cr_syscall(Int(SYS_tee), end, Int(ourWrite.number), count, 2, 0, 0)
    guard try checked(taken) == count else { throw .io }
    // The copies know where a packet ends.
    unread = try Self.drain(ourRead, count) { packets.append(UInt32($0)) }
  }

  private static func drain(
    _ file: borrowing FileDescriptor, _ count: Int, _ piece: (Int) -> Void
  ) throws(Errno) -> [UInt8] {
    let number = Int(file.number)
    var all: [UInt8] = []
    while all.count < count {
      let rest = count - all.count
      let (got, bytes) = try bytesFilled(count: rest) { buffer in
        cr_syscall(Int(SYS_read), number, buffer, rest, 0, 0, 0)
      }
      if got == 0 { throw .io }
      all += bytes[..<got]
      piece(got)
    }
    return all
  }

  /// Whether nobody holds the other end any more: POLLHUP at a read end, POLLERR at a write end.
  public static func isWidowed(_ end: borrowing FileDescriptor) throws(Errno) -> Bool {
    var entry = pollfd(fd: end.number, events: 0, revents: 0)
    var noTime = (0, 0)
    let result = withUnsafeMutablePointer(to: &entry) { entryPointer in
      withUnsafeMutablePointer(to: &noTime) { timePointer in
        cr_syscall(
          Int(SYS_ppoll), Int(bitPattern: entryPointer), 1, Int(bitPattern: timePointer), 0, 0, 0)
      }
    }
    try checked(result)
    return Int32(entry.revents) & (POLLHUP | POLLERR) != 0
  }
}
