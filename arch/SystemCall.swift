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
  case clone3, execveat, execve, exit, exitGroup, wait4
  case setsid, setpgid, umask, chdir, fchdir, chroot, prlimit64, setpriority
  case schedSetscheduler, schedSetattr, schedSetaffinity, ioprioSet
  case setresuid, setresgid, setgroups, capset, setfsuid, setfsgid
  case shmget, shmat, semget, semop, semtimedop, semctl, msgget, msgsnd, msgrcv, msgctl, mqNotify
  case userfaultfd, epollCtl, closeRange, pidfdOpen, pidfdGetfd, getpid, gettid, kill, tgkill, nanosleep,
    clockNanosleep
  /// With 64 bits of seconds, on a processor whose `long` has 32.
  case clockNanosleepTime64
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
