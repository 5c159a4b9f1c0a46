// SPDX-License-Identifier: Apache-2.0
import CLinux

/// kcmp(2): whether two tasks share a thing of the kernel's.
public enum Kcmp {
  public enum Thing: Sendable { case memory, files, directories, signalHandlers, undoLists }
  /// The kernel orders its objects in a way that is stable while it runs, so that they can be sorted.
  public enum Order: Sendable { case equal, less, greater, different }

  /// Throws ENOSYS where the kernel was built without it, EPERM without the right to trace both.
  public static func order(
    _ thing: Thing, _ first: ThreadID, _ second: ThreadID
  ) throws(Errno) -> Order {
    let type =
      switch thing {
      case .memory: KCMP_VM
      case .files: KCMP_FILES
      case .directories: KCMP_FS
      case .signalHandlers: KCMP_SIGHAND
      // Of semop(2) with SEM_UNDO; two tasks without one are equal.
      case .undoLists: KCMP_SYSVSEM
      }
    return try order(type, first.rawValue, second.rawValue, 0, 0)
  }

  /// Whether two descriptors lead to one open file description.
  public static func order(
    descriptor first: Int32, of firstProcess: ProcessID,
    and second: Int32, of secondProcess: ProcessID
  ) throws(Errno) -> Order {
    try order(KCMP_FILE, firstProcess.rawValue, secondProcess.rawValue, first, second)
  }

  /// Whether a descriptor leads to the file that an epoll instance watches: the entry of this
  /// `place` among those that were added by the number `added`. Linux 4.13.
  public static func order(
    descriptor: Int32, of process: ProcessID, andEntry place: Int, of added: Int32,
    in instance: Int32, of owner: ProcessID
  ) throws(Errno) -> Order {
    // struct kcmp_epoll_slot: efd, tfd, toff.
    let slot = (UInt32(bitPattern: instance), UInt32(bitPattern: added), UInt32(place))
    let result = withUnsafePointer(to: slot) {
      cr_syscall(
        Int(SYS_kcmp), Int(process.rawValue), Int(owner.rawValue), Int(KCMP_EPOLL_TFD.rawValue),
        Int(descriptor), Int(bitPattern: $0), 0)
    }
    return try order(result)
  }

  private static func order(
    _ type: kcmp_type, _ first: Int32, _ second: Int32, _ firstIndex: Int32, _ secondIndex: Int32
  ) throws(Errno) -> Order {
    let result = cr_syscall(
      Int(SYS_kcmp), Int(first), Int(second), Int(type.rawValue), Int(firstIndex),
      Int(secondIndex), 0)
    return try order(result)
  }

  private static func order(_ result: Int) throws(Errno) -> Order {
    switch try checked(result) {
    case 0: return .equal
    case 1: return .less
    case 2: return .greater
    default: return .different
    }
  }
}
