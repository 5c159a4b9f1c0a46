// SPDX-License-Identifier: Apache-2.0
import CLinux

/// Makes objects of the kernel that only a descriptor leads to; all with O_CLOEXEC.
public enum KernelObjects {
  /// eventfd2(2), and its count.
  public static func eventCounter(
    _ count: UInt64, isSemaphore: Bool
  ) throws(Errno) -> FileDescriptor {
    let flags = Int(O_CLOEXEC) | (isSemaphore ? 1 : 0)
    let file = try made(cr_syscall(Int(SYS_eventfd2), 0, flags, 0, 0, 0, 0))
    if count == 0 { return file }
    let bytes = withUnsafeBytes(of: count) { Array($0) }
    guard try DescriptorNumber(file.number).write(bytes[...]) == bytes.count else { throw .io }
    return file
  }

  /// timerfd_create(2) of a clock by its kernel number, disarmed. EPERM for an alarm clock without
  /// CAP_WAKE_ALARM.
  public static func timer(clock: Int32) throws(Errno) -> FileDescriptor {
    try made(cr_syscall(Int(SYS_timerfd_create), Int(clock), Int(O_CLOEXEC), 0, 0, 0, 0))
  }

  /// signalfd4(2); bit n−1 for signal n.
  public static func signals(mask: UInt64) throws(Errno) -> FileDescriptor {
    let result = withUnsafePointer(to: mask) {
      cr_syscall(Int(SYS_signalfd4), -1, Int(bitPattern: $0), 8, Int(O_CLOEXEC), 0, 0)
    }
    return try made(result)
  }

  /// epoll_create1(2).
  public static func epoll() throws(Errno) -> FileDescriptor {
    try made(cr_syscall(Int(SYS_epoll_create1), Int(O_CLOEXEC), 0, 0, 0, 0, 0))
  }

  /// inotify_init1(2).
  public static func watcher() throws(Errno) -> FileDescriptor {
    try made(cr_syscall(Int(SYS_inotify_init1), Int(O_CLOEXEC), 0, 0, 0, 0, 0))
  }

  /// pidfd_open(2); of the thread alone (PIDFD_THREAD) from Linux 6.9 on.
  public static func process(
    _ process: ProcessID, isOfThread: Bool
  ) throws(Errno) -> FileDescriptor {
    let flags = isOfThread ? Int(O_EXCL) : 0
    return try made(cr_syscall(Int(SYS_pidfd_open), Int(process.rawValue), flags, 0, 0, 0, 0))
  }

  /// The same of a process that has ended and was waited for.
  public static func endedProcess() throws(Errno) -> FileDescriptor { try made(cr_pidfd_of_ended()) }

  static func made(_ result: Int) throws(Errno) -> FileDescriptor {
    FileDescriptor(owning: Int32(try checked(result)))
  }
}

extension FileDescriptor {
  /// timerfd_gettime(2). It makes the kernel count what a periodic timer has missed since it
  /// expired, which a read would do as well; so the program sees no difference.
  public func updateTimer() throws(Errno) {
    var (value, interval): (UInt64, UInt64) = (0, 0)
    try checked(cr_timer_get(number, &value, &interval))
  }
}

extension DescriptorNumber {
  /// timerfd_settime(2), nanoseconds and TFD_TIMER_*, and expirations that nobody has read.
  public func setTimer(
    settings: UInt32, value: UInt64, interval: UInt64, expirations: UInt64
  ) throws(Errno) {
    try checked(cr_timer_set(rawValue, Int32(settings), value, interval))
    if expirations > 0 { try checked(cr_timer_set_ticks(rawValue, expirations)) }
  }

  /// Watches a file with an inotify instance, by a watch descriptor that must be greater than all
  /// before it. The kernel gives them out by turns, so those in between are taken and given back;
  /// EBUSY if it gives out others.
  public func watch(_ path: ByteString, mask: UInt32, as wanted: Int32) throws(Errno) {
    while true {
      let result = path.withCString {
        cr_syscall(
          Int(SYS_inotify_add_watch), Int(rawValue), Int(bitPattern: $0),
          Int(bitPattern: UInt(mask | UInt32(IN_DONT_FOLLOW))), 0, 0, 0)
      }
      let number = Int32(try checked(result))
      if number == wanted { return }
      guard number < wanted else { throw .busy }
      try checked(
        cr_syscall(Int(SYS_inotify_rm_watch), Int(rawValue), Int(number), 0, 0, 0, 0))
    }
  }

  /// Reads an inotify instance empty.
  public func discardEvents() throws(Errno) {
    while try bytesWaiting() > 0 {
      let number = Int(rawValue)
      _ = try bytesFilled(count: 65536) { cr_syscall(Int(SYS_read), number, $0, 65536, 0, 0, 0) }
    }
  }

  /// dup3(2): another number, at which something else stood, leads to the same as this one.
  public func replace(_ other: DescriptorNumber) throws(Errno) {
    try checked(cr_syscall(Int(SYS_dup3), Int(rawValue), Int(other.rawValue), 0, 0, 0, 0))
  }
}
