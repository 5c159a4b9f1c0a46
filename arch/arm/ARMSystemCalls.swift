// SPDX-License-Identifier: Apache-2.0

extension ARM {
  /// From the kernel's arch/arm/tools/syscall.tbl. Where there are several, the one with 32-bit ids and 64-bit
  /// file offsets (`setresuid32`, `fcntl64`, `mmap2`), and the one that takes the time structures of the
  /// processor's own word size.
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
    case .mincore: 219
    case .madvise: 220
    case .fcntl: 221
    case .gettid: 224
    case .schedSetaffinity: 241
    case .exitGroup: 248
    case .epollCtl: 251
    case .setTidAddress: 256
    case .timerCreate: 257
    case .timerSettime: 258
    case .timerGettime: 259
    case .timerDelete: 261
    case .clockNanosleep: 265
    case .tgkill: 268
    case .mqNotify: 278
    case .semop: 298
    case .semget: 299
    case .semctl: 300
    case .msgsnd: 301
    case .msgrcv: 302
    case .msgget: 303
    case .msgctl: 304
    case .shmat: 305
    case .shmget: 307
    case .ioprioSet: 314
    case .openat: 322
    case .setRobustList: 338
    case .getRobustList: 339
    case .dup3: 358
    case .preadv: 361
    case .pwritev: 362
    case .rtTgsigqueueinfo: 363
    case .prlimit64: 369
    case .schedSetattr: 380
    case .seccomp: 383
    case .execveat: 387
    case .userfaultfd: 388
    case .membarrier: 389
    case .mlock2: 390
    case .pkeyMprotect: 394
    case .pkeyAlloc: 395
    case .rseq: 398
    case .clockNanosleepTime64: 407
    case .semtimedop: 420
    case .pidfdOpen: 434
    case .clone3: 435
    case .closeRange: 436
    case .pidfdGetfd: 438
    case .mseal: 462
    // __ARM_NR_set_tls, one of the few behind __ARM_NR_BASE.
    case .setTLS: 0xf_0005
    // An x86 call.
    case .archPrctl: nil
    }
  }
}
