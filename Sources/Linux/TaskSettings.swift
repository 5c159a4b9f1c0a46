// SPDX-License-Identifier: Apache-2.0
import CLinux

/// prlimit64(2); EPERM above the hard limit without CAP_SYS_RESOURCE.
public func setResourceLimit(
  _ number: Int32, of process: ProcessID, soft: UInt64, hard: UInt64
) throws(Errno) {
  var limit = [soft, hard]
  let result = limit.withUnsafeMutableBytes {
    cr_syscall(
      Int(SYS_prlimit64), Int(process.rawValue), Int(number), Int(bitPattern: $0.baseAddress!), 0,
      0, 0)
  }
  try checked(result)
}

extension SchedulingAttributes {
  public init(
    policy: UInt32, flags: UInt64, nice: Int32, priority: UInt32, runtime: UInt64,
    deadline: UInt64, period: UInt64
  ) {
    self.policy = policy
    self.flags = flags
    self.nice = nice
    self.priority = priority
    self.runtime = runtime
    self.deadline = deadline
    self.period = period
  }

  /// sched_setattr(2).
  public func apply(to thread: ThreadID) throws(Errno) {
    // struct sched_attr of linux/sched/types.h, first version.
    var bytes = [UInt8](repeating: 0, count: 48)
    let fields = self
    let result = bytes.withUnsafeMutableBytes { buffer in
      buffer.storeBytes(of: 48, as: UInt32.self)
      buffer.storeBytes(of: fields.policy, toByteOffset: 4, as: UInt32.self)
      buffer.storeBytes(of: fields.flags, toByteOffset: 8, as: UInt64.self)
      buffer.storeBytes(of: fields.nice, toByteOffset: 16, as: Int32.self)
      buffer.storeBytes(of: fields.priority, toByteOffset: 20, as: UInt32.self)
      buffer.storeBytes(of: fields.runtime, toByteOffset: 24, as: UInt64.self)
      buffer.storeBytes(of: fields.deadline, toByteOffset: 32, as: UInt64.self)
      buffer.storeBytes(of: fields.period, toByteOffset: 40, as: UInt64.self)
      return cr_syscall(
        Int(SYS_sched_setattr), Int(thread.rawValue), Int(bitPattern: buffer.baseAddress!), 0, 0,
        0, 0)
    }
    try checked(result)
  }
}

/// sched_setaffinity(2); EINVAL if none of the CPUs is there.
public func setCPUAffinity(_ mask: [UInt8], of thread: ThreadID) throws(Errno) {
  let result = mask.withUnsafeBytes {
    cr_syscall(
      Int(SYS_sched_setaffinity), Int(thread.rawValue), $0.count,
      Int(bitPattern: $0.baseAddress), 0, 0, 0)
  }
  try checked(result)
}

/// ioprio_set(2) with IOPRIO_WHO_PROCESS, which means a thread.
public func setIOPriority(_ value: UInt32, of thread: ThreadID) throws(Errno) {
  try checked(
    cr_syscall(Int(SYS_ioprio_set), 1, Int(thread.rawValue), Int(value), 0, 0, 0))
}

/// PR_SET_CHILD_SUBREAPER of this process: orphans below it become its children.
public func setOwnSubreaper(_ isOne: Bool) throws(Errno) {
  try checked(
    cr_syscall(Int(SYS_prctl), Int(PR_SET_CHILD_SUBREAPER), isOne ? 1 : 0, 0, 0, 0, 0))
}

/// getcwd(2).
public func ownWorkingDirectory() throws(Errno) -> ByteString {
  try readLink("/proc/self/cwd")
}

/// umask(2), read without a moment in which it is another one.
public func ownStatus() throws(Errno) -> ProcessStatus {
  ProcessStatus(try FileDescriptor(opening: "/proc/self/status", flags: O_RDONLY).readToEnd())
}
