// SPDX-License-Identifier: Apache-2.0
import Linux

/// The kernel calls that a held target is made to do; each processor gives them numbers.
public enum SystemCallName: Sendable {
  case read, write, close, dup, dup3, fcntl, lseek, openat, pread64, preadv, pwritev, ioctl
  case mmap, munmap, mprotect, mremap, madvise, brk, mlock2, mlockall, pkeyAlloc, pkeyMprotect
  case mincore, msync
  case rtSigaction, rtSigprocmask, rtSigreturn, rtTgsigqueueinfo, rtSigqueueinfo, sigaltstack
  case getitimer, setitimer, timerCreate, timerSettime, timerGettime, timerDelete, restartSyscall
  case setTidAddress, setRobustList, getRobustList, rseq, archPrctl, prctl, personality
  case seccomp, membarrier, mseal
  case clone3, execveat, execve, exit, exitGroup, wait4
  case setsid, setpgid, umask, chdir, fchdir, chroot, prlimit64, setpriority
  case schedSetscheduler, schedSetattr, schedSetaffinity, ioprioSet
  case setresuid, setresgid, setgroups, capset, setfsuid, setfsgid
  case shmget, shmat, semget, semop, semtimedop, semctl, msgget, msgsnd, msgrcv, msgctl, mqNotify
  case userfaultfd, epollCtl, closeRange, pidfdOpen, pidfdGetfd, getpid, gettid, kill, tgkill, nanosleep,
    clockNanosleep, futex
  /// Not on every processor.
  case poll
  /// With 64 bits of seconds, on a processor whose `long` has 32.
  case clockNanosleepTime64, futexTime64
  /// Sets the thread register, on 32-bit ARM.
  case setTLS
}

/// One system call with its arguments, as the target will make it.
public struct SystemCall: Sendable {
  public var number: UInt64
  public var arguments: [UInt64]

  public init(number: UInt64, arguments: [UInt64]) {
    self.number = number
    self.arguments = arguments
  }
}

/// A call that a thread sleeps in, as /proc/TID/syscall shows it (proc_pid_syscall(5)).
public struct SleepingCall: Sendable {
  public var call: SystemCall
  public var stackPointer: UInt64
  public var programCounter: UInt64

  /// From `22 0x4 0xffffe0 0x1 0xffffffff 0x0 0x8 0xffffc0 0xaa10`; nil where the thread runs, or sleeps
  /// in no call (-1).
  public init?(_ text: [UInt8]) {
    var scanner = TextScanner(text)
    let number = scanner.signedNumber()
    scanner.skipBlanks()
    guard number >= 0, scanner.skip("0x") else { return nil }
    var values = [scanner.number(radix: 16)]
    for _ in 1 ..< 8 {
      scanner.skipBlanks()
      guard scanner.skip("0x") else { return nil }
      values.append(scanner.number(radix: 16))
    }
    call = SystemCall(number: UInt64(number), arguments: Array(values.prefix(6)))
    stackPointer = values[6]
    programCounter = values[7]
  }
}
