// SPDX-License-Identifier: Apache-2.0
import CLinux

/// A process by a descriptor: pidfd_open(2).
@frozen public struct ProcessHandle: ~Copyable {
  private let file: FileDescriptor

  public init(_ process: ProcessID) throws(Errno) {
    var number = cr_syscall(Int(SYS_pidfd_open), Int(process.rawValue), 0, 0, 0, 0, 0)
    if number < 0, number != -Int(ESRCH) {
      // One thread of a process whose main thread has ended: PIDFD_THREAD, Linux 6.9.
      let thread = cr_syscall(Int(SYS_pidfd_open), Int(process.rawValue), Int(O_EXCL), 0, 0, 0, 0)
      if thread >= 0 { number = thread }
    }
    file = FileDescriptor(owning: Int32(try checked(number)))
  }

  /// A descriptor of ours for the open file description behind one of the process's:
  /// pidfd_getfd(2), Linux 5.6. Offset and status flags are shared with it, so only look.
  public func descriptor(_ number: Int32) throws(Errno) -> FileDescriptor {
    let result = cr_syscall(
      Int(SYS_pidfd_getfd), Int(file.number), Int(number), 0, 0, 0, 0)
    return FileDescriptor(owning: Int32(try checked(result)))
  }

  /// pidfd_send_signal(2): never somebody who got the same number later.
  public func send(_ signal: Int32) throws(Errno) {
    try checked(
      cr_syscall(Int(SYS_pidfd_send_signal), Int(file.number), Int(signal), 0, 0, 0, 0))
  }

  /// Can be read when the process has ended.
  public var number: DescriptorNumber { DescriptorNumber(file.number) }
}

/// Who is told of I/O on an open file description: F_GETOWN_EX and F_GETSIG.
public struct SignalOwner: Sendable {
  /// F_OWNER_TID 0, F_OWNER_PID 1, F_OWNER_PGRP 2.
  public var type: Int32 = 0
  /// 0 for nobody.
  public var id: Int32 = 0
  public var signal: Int32 = 0

  public init(of file: borrowing FileDescriptor) throws(Errno) {
    let number = Int(file.number)
    let (_, bytes) = try bytesFilled(count: 8) { buffer in
      cr_syscall(Int(SYS_fcntl), number, Int(F_GETOWN_EX), buffer, 0, 0, 0)
    }
    id = bytes.native(Int32.self, at: 4)
    type = id == 0 ? 0 : bytes.native(Int32.self, at: 0)
    signal = Int32(try checked(cr_syscall(Int(SYS_fcntl), number, Int(F_GETSIG), 0, 0, 0, 0)))
  }
}
