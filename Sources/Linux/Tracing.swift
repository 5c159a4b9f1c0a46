// SPDX-License-Identifier: Apache-2.0
import CLinux

/// ptrace(2) for tracees that were seized.
public enum Tracing {
  /// PTRACE_O_*
  public static let traceSystemCallsGood: UInt32 = 1
  public static let traceFork: UInt32 = 2
  public static let traceVFork: UInt32 = 4
  public static let traceClone: UInt32 = 8
  public static let traceExec: UInt32 = 16
  public static let exitKill: UInt32 = 1 << 20
  public static let suspendSeccomp: UInt32 = 1 << 21

  /// How a stopped thread is let go.
  public enum Resumption: Sendable {
    /// Until something happens to it.
    case run
    /// Until it enters, or leaves, a system call.
    case toSystemCall
    /// One instruction; a system call counts as one.
    case oneInstruction
  }

  public static func seize(_ thread: ThreadID, options: UInt32) throws(Errno) {
    try request(0x4206, thread, 0, UInt(options))
  }

  public static func interrupt(_ thread: ThreadID) throws(Errno) { try request(0x4207, thread) }

  public static func setOptions(_ options: UInt32, of thread: ThreadID) throws(Errno) {
    try request(0x4200, thread, 0, UInt(options))
  }

  public static func resume(
    _ thread: ThreadID, _ how: Resumption, signal: Int32 = 0
  ) throws(Errno) {
    let number =
      switch how {
      case .run: 7
      case .toSystemCall: 24
      case .oneInstruction: 9
      }
    try request(number, thread, 0, UInt(signal))
  }

  public static func detach(_ thread: ThreadID, signal: Int32 = 0) throws(Errno) {
    try request(17, thread, 0, UInt(signal))
  }

  /// The number that came with the last PTRACE_EVENT: a new task's id.
  public static func eventMessage(of thread: ThreadID) throws(Errno) -> UInt {
    var message: UInt = 0
    try checked(cr_ptrace(0x4201, thread.rawValue, 0, &message))
    return message
  }

  /// Bit n−1 for signal n; inside sigsuspend(2) and its like the mask that will be restored.
  public static func signalMask(of thread: ThreadID) throws(Errno) -> UInt64 {
    var mask: UInt64 = 0
    try checked(cr_ptrace(0x420a, thread.rawValue, 8, &mask))
    return mask
  }

  public static func setSignalMask(_ mask: UInt64, of thread: ThreadID) throws(Errno) {
    var mask = mask
    try checked(cr_ptrace(0x420b, thread.rawValue, 8, &mask))
  }

  /// A regset by its ELF note type; ENODEV or EINVAL where there is none.
  public static func registerSet(
    _ note: UInt32, of thread: ThreadID, capacity: Int
  ) throws(Errno) -> [UInt8] {
    var result = 0
    let bytes = withUnsafeTemporaryAllocation(byteCount: capacity, alignment: 64) { buffer in
      result = cr_get_register_set(thread.rawValue, note, buffer.baseAddress, capacity)
      // No longer than it is: they are kept, for every thread.
      let size = max(0, result)
      return [UInt8](unsafeUninitializedCapacity: size) { bytes, count in
        UnsafeMutableRawBufferPointer(bytes).copyMemory(
          from: UnsafeRawBufferPointer(rebasing: buffer[..<size]))
        count = size
      }
    }
    try checked(result)
    return bytes
  }

  public static func setRegisterSet(
    _ note: UInt32, to bytes: [UInt8], of thread: ThreadID
  ) throws(Errno) {
    let result = bytes.withUnsafeBytes {
      cr_set_register_set(thread.rawValue, note, $0.baseAddress, $0.count)
    }
    try checked(result)
  }

  /// PTRACE_POKEUSER: a word of the kernel's register area, counted in words.
  public static func setUserWord(
    _ number: UInt64, to value: UInt64, of thread: ThreadID
  ) throws(Errno) {
    try request(6, thread, UInt(number) * UInt(MemoryLayout<UInt>.size), UInt(value))
  }

  /// PTRACE_GET_THREAD_AREA of 32-bit ARM: the thread register.
  public static func threadArea(of thread: ThreadID) throws(Errno) -> [UInt8] {
    var value: UInt32 = 0
    try checked(cr_ptrace(22, thread.rawValue, 0, &value))
    return withUnsafeBytes(of: value) { Array($0) }
  }

  /// PTRACE_SET_SYSCALL of 32-bit ARM: at the stop before a call, which one it is to be.
  public static func setSystemCall(_ number: UInt64, of thread: ThreadID) throws(Errno) {
    try request(23, thread, 0, UInt(number))
  }

  /// Pending `siginfo_t` records, which stay pending.
  public static func pendingSignals(
    of thread: ThreadID, shared: Bool
  ) throws(Errno) -> [[UInt8]] {
    let size = 128
    let batch = 64
    var found: [[UInt8]] = []
    var buffer = [UInt8](repeating: 0, count: size * batch)
    while true {
      let count = buffer.withUnsafeMutableBytes {
        cr_peek_signals(
          thread.rawValue, shared ? 1 : 0, UInt64(found.count), $0.baseAddress, Int32(batch))
      }
      let number = try checked(count)
      for index in 0 ..< number { found.append(Array(buffer[index * size ..< (index + 1) * size])) }
      if number < batch { return found }
    }
  }

  /// rseq(2) registration: area, length, signature and flags; nil where the kernel cannot tell.
  public static func restartableSequence(
    of thread: ThreadID
  ) -> cr_rseq? {
    var configuration = cr_rseq()
    return cr_get_rseq(thread.rawValue, &configuration) < 0 ? nil : configuration
  }

  /// The instructions of a thread's seccomp filter, `struct sock_filter` each, and its flags; the one
  /// that was set first is 0. nil behind the last one. Asks for CAP_SYS_ADMIN.
  public static func seccompFilter(
    _ index: Int, of thread: ThreadID
  ) throws(Errno) -> (instructions: [UInt8], flags: UInt64)? {
    var count = 0
    do throws(Errno) { count = try seccompFilterLength(index, of: thread) } catch {
      // ENOENT: no more. EINVAL: none at all.
      if error == .noEntry || error == .invalid { return nil }
      throw error
    }
    var bytes = [UInt8](repeating: 0, count: count * 8)
    let result = bytes.withUnsafeMutableBytes {
      cr_ptrace(0x420c, thread.rawValue, UInt(index), $0.baseAddress)
    }
    try checked(result)
    // struct seccomp_metadata: which filter, its flags. Linux 4.16.
    var metadata: (UInt64, UInt64) = (UInt64(index), 0)
    _ = cr_ptrace(0x420d, thread.rawValue, 16, &metadata)
    return (bytes, metadata.1)
  }

  /// In instructions.
  public static func seccompFilterLength(
    _ index: Int, of thread: ThreadID
  ) throws(Errno) -> Int {
    try checked(cr_ptrace(0x420c, thread.rawValue, UInt(index), nil))
  }

  private static func request(
    _ number: Int, _ thread: ThreadID, _ address: UInt = 0, _ data: UInt = 0
  ) throws(Errno) {
    try checked(
      cr_ptrace(number, thread.rawValue, address, UnsafeMutableRawPointer(bitPattern: data)))
  }
}
