// SPDX-License-Identifier: Apache-2.0

extension PowerPC64LE {
  /// From the kernel's arch/powerpc/kernel/syscalls/syscall.tbl (rows `common`, `nospu` and `64`).
  public static func number(of name: SystemCallName) -> UInt64? {
    switch name {
    case .restartSyscall: 0
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
    case .fcntl: 55
    case .setpgid: 57
    case .umask: 60
    case .chroot: 61
    case .setsid: 66
    case .setgroups: 81
    case .mmap: 90
    case .munmap: 91
    case .setpriority: 97
    case .setitimer: 104
    case .getitimer: 105
    case .wait4: 114
    case .mprotect: 125
    case .fchdir: 133
    case .personality: 136
    case .setfsuid: 138
    case .setfsgid: 139
    case .msync: 144
    case .mlockall: 152
    case .schedSetscheduler: 156
    case .nanosleep: 162
    case .mremap: 163
    case .setresuid: 164
    case .setresgid: 169
    case .prctl: 171
    case .rtSigreturn: 172
    case .rtSigaction: 173
    case .rtSigprocmask: 174
    case .rtSigqueueinfo: 177
    case .pread64: 179
    case .capset: 184
    case .sigaltstack: 185
    case .madvise: 205
    case .mincore: 206
    case .gettid: 207
    case .schedSetaffinity: 222
    case .setTidAddress: 232
    case .exitGroup: 234
    case .epollCtl: 237
    case .timerCreate: 240
    case .timerSettime: 241
    case .timerGettime: 242
    case .timerDelete: 244
    case .clockNanosleep: 248
    case .futex: 221
    case .poll: 167
    case .tgkill: 250
    case .mqNotify: 266
    case .ioprioSet: 273
    case .openat: 286
    case .getRobustList: 299
    case .setRobustList: 300
    case .dup3: 316
    case .preadv: 320
    case .pwritev: 321
    case .rtTgsigqueueinfo: 322
    case .prlimit64: 325
    case .schedSetattr: 355
    case .seccomp: 358
    case .membarrier: 365
    case .execveat: 362
    case .userfaultfd: 364
    case .mlock2: 378
    case .pkeyAlloc: 384
    case .pkeyMprotect: 386
    case .rseq: 387
    // semop(2) itself is only to be had through ipc(2): semtimedop without a time.
    case .semop, .semtimedop: 392
    case .semget: 393
    case .semctl: 394
    case .shmget: 395
    case .shmat: 397
    case .msgget: 399
    case .msgsnd: 400
    case .msgrcv: 401
    case .msgctl: 402
    case .pidfdOpen: 434
    case .clone3: 435
    case .closeRange: 436
    case .pidfdGetfd: 438
    case .mseal: 462
    // An x86 call, and one of 32-bit processors.
    case .archPrctl, .clockNanosleepTime64, .futexTime64, .setTLS: nil
    }
  }
}
