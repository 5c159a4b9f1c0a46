// SPDX-License-Identifier: Apache-2.0

extension I386 {
  /// From the kernel's arch/x86/entry/syscalls/syscall_32.tbl. Where there are several, the one with
  /// 32-bit ids and 64-bit file offsets (`setresuid32`, `fcntl64`, `mmap2`), and the one that takes
  /// the time structures of the processor's own word size.
  public static func number(of name: SystemCallName) -> UInt64? {
    switch name {
    case .exit: 1
    case .read: 3
    case .write: 4
    case .close: 6
    case .execve: 11
    case .chdir: 12
    case .lseek: 19
    case .getpid: 20
    case .kill: 37
    case .dup: 41
    case .brk: 45
    case .ioctl: 54
    case .setpgid: 57
    case .umask: 60
    case .chroot: 61
    case .setsid: 66
    case .munmap: 91
    case .setpriority: 97
    case .setitimer: 104
    case .getitimer: 105
    case .wait4: 114
    case .mprotect: 125
    case .fchdir: 133
    case .personality: 136
    case .msync: 144
    case .mlockall: 152
    case .schedSetscheduler: 156
    case .nanosleep: 162
    case .mremap: 163
    case .prctl: 172
    case .rtSigreturn: 173
    case .rtSigaction: 174
    case .rtSigprocmask: 175
    case .rtSigqueueinfo: 178
    case .pread64: 180
    case .capset: 185
    case .sigaltstack: 186
    case .mmap: 192
    case .setgroups: 206
    case .setresuid: 208
    case .setresgid: 210
    case .setfsuid: 215
    case .setfsgid: 216
    case .mincore: 218
    case .madvise: 219
    case .fcntl: 221
    case .gettid: 224
    case .schedSetaffinity: 241
    case .exitGroup: 252
    case .epollCtl: 255
    case .setTidAddress: 258
    case .timerCreate: 259
    case .timerSettime: 260
    case .timerGettime: 261
    case .timerDelete: 263
    case .clockNanosleep: 267
    case .mqNotify: 281
    case .tgkill: 270
    case .ioprioSet: 289
    case .openat: 295
    case .setRobustList: 311
    case .getRobustList: 312
    case .dup3: 330
    case .preadv: 333
    case .pwritev: 334
    case .rtTgsigqueueinfo: 335
    case .prlimit64: 340
    case .schedSetattr: 351
    case .seccomp: 354
    case .execveat: 358
    case .userfaultfd: 374
    case .membarrier: 375
    case .mlock2: 376
    case .pkeyMprotect: 380
    case .pkeyAlloc: 381
    case .archPrctl: 384
    case .rseq: 386
    case .semget: 393
    case .semctl: 394
    case .shmget: 395
    case .shmat: 397
    case .msgget: 399
    case .msgsnd: 400
    case .msgrcv: 401
    case .msgctl: 402
    case .clockNanosleepTime64: 407
    // semop(2) itself is not there: semtimedop_time64 without a time.
    case .semop, .semtimedop: 420
    case .pidfdOpen: 434
    case .clone3: 435
    case .closeRange: 436
    case .pidfdGetfd: 438
    case .mseal: 462
    case .restartSyscall: 0
    case .setTLS: nil
    }
  }
}
