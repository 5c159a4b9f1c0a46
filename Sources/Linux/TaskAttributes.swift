// SPDX-License-Identifier: Apache-2.0
import CLinux

/// sched_setattr(2)'s attributes of a thread.
public struct SchedulingAttributes: Sendable {
  public var policy: UInt32
  public var flags: UInt64
  public var nice: Int32
  public var priority: UInt32
  /// Nanoseconds, for SCHED_DEADLINE.
  public var runtime: UInt64
  public var deadline: UInt64
  public var period: UInt64

  /// sched_getattr(2).
  public init(of thread: ThreadID) throws(Errno) {
    // struct sched_attr of linux/sched/types.h, first version.
    let (_, bytes) = try bytesFilled(count: 48) { buffer in
      cr_syscall(Int(SYS_sched_getattr), Int(thread.rawValue), buffer, 48, 0, 0, 0)
    }
    policy = bytes.native(UInt32.self, at: 4)
    flags = bytes.native(UInt64.self, at: 8)
    nice = bytes.native(Int32.self, at: 16)
    priority = bytes.native(UInt32.self, at: 20)
    runtime = bytes.native(UInt64.self, at: 24)
    deadline = bytes.native(UInt64.self, at: 32)
    period = bytes.native(UInt64.self, at: 40)
  }
}

/// Bit mask of CPUs, lowest first: sched_getaffinity(2).
public func cpuAffinity(of thread: ThreadID) throws(Errno) -> [UInt8] {
  // 8192 CPUs; the kernel says how many bytes it filled.
  let (count, bytes) = try bytesFilled(count: 1024) { buffer in
    cr_syscall(Int(SYS_sched_getaffinity), Int(thread.rawValue), 1024, buffer, 0, 0, 0)
  }
  return Array(bytes[..<count])
}

/// ioprio_get(2) with IOPRIO_WHO_PROCESS, which means a thread.
public func ioPriority(of thread: ThreadID) throws(Errno) -> UInt32 {
  let result = cr_syscall(Int(SYS_ioprio_get), 1, Int(thread.rawValue), 0, 0, 0, 0)
  return UInt32(truncatingIfNeeded: try checked(result))
}

/// get_robust_list(2): the address of the head, and its size; 0 for none.
public func robustList(of thread: ThreadID) throws(Errno) -> (head: UInt64, length: UInt64) {
  let word = MemoryLayout<UInt>.size
  let (_, bytes) = try bytesFilled(count: 2 * word) { buffer in
    cr_syscall(
      Int(SYS_get_robust_list), Int(thread.rawValue), buffer, buffer + word, 0, 0, 0)
  }
  return (
    UInt64(bytes.native(UInt.self, at: 0)), UInt64(bytes.native(UInt.self, at: word))
  )
}

/// prlimit64(2) without changing anything; all bits set is RLIM_INFINITY.
public func resourceLimit(
  _ number: Int32, of process: ProcessID
) throws(Errno) -> (soft: UInt64, hard: UInt64) {
  let (_, bytes) = try bytesFilled(count: 16) { buffer in
    cr_syscall(Int(SYS_prlimit64), Int(process.rawValue), Int(number), 0, buffer, 0, 0)
  }
  return (bytes.native(UInt64.self, at: 0), bytes.native(UInt64.self, at: 8))
}

/// /proc/PID/limits: what everybody may read, where prlimit(2) on another user's process wants
/// CAP_SYS_RESOURCE. In the order of RLIMIT_*, as the kernel prints them (fs/proc/base.c, lnames).
public func resourceLimits(text: [UInt8]) -> [(soft: UInt64, hard: UInt64)] {
  // Each name fills 26 columns and may hold blanks; the first line is a heading.
  let nameWidth = 26
  var limits: [(soft: UInt64, hard: UInt64)] = []
  var scanner = TextScanner(text)
  scanner.skipLine()
  while !scanner.isAtEnd {
    scanner.advance(nameWidth)
    let soft = limitValue(scanner.word())
    limits.append((soft, limitValue(scanner.word())))
    scanner.skipLine()
  }
  return limits
}

private func limitValue(_ word: ByteString) -> UInt64 {
  if word == "unlimited" { return .max }
  var scanner = TextScanner(word.bytes)
  return scanner.number()
}
