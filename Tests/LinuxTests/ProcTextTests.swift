// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import Linux

private func text(_ string: String) -> [UInt8] { Array(string.utf8) }

@Suite struct `text of proc` {
  @Test func `a name with parentheses and blanks does not shift the fields of stat`() throws {
    let line =
      "77 (a) (b (c) S 12 76 75 34816 80 4194304 1 2 3 4 5 6 7 8 20 -5 3 0 9000 4096000 321 "
      + "18446744073709551615 4096 8192 140000 0 0 0 0 0 0 0 0 0 17 1 0 2 0 0 0 16384 20480 "
      + "24576 1000 1010 1020 1030 256\n"
    let stat = try #require(ProcessStat(text(line)))
    #expect(stat.name == ByteString("a) (b (c"))
    #expect(stat.state == UInt8(ascii: "S"))
    #expect(stat.parent == ProcessID(12))
    #expect(stat.group == ProcessID(76))
    #expect(stat.session == ProcessID(75))
    #expect(stat.terminal == deviceNumber(major: 136, minor: 0))
    #expect(stat.foregroundGroup == ProcessID(80))
    #expect(stat.nice == -5)
    #expect(stat.threadCount == 3)
    #expect(stat.startTime == 9000)
    #expect(stat.virtualSize == 4_096_000)
    #expect(stat.residentPages == 321)
    #expect(stat.code == MemoryRange(start: 4096, end: 8192))
    #expect(stat.stackStart == 140000)
    #expect(stat.exitSignal == 17)
    #expect(stat.policy == 2)
    #expect(stat.data == MemoryRange(start: 16384, end: 20480))
    #expect(stat.heapStart == 24576)
    #expect(stat.arguments == MemoryRange(start: 1000, end: 1010))
    #expect(stat.environment == MemoryRange(start: 1020, end: 1030))
    #expect(stat.exitStatus == 256)
    #expect(!stat.isZombie && !stat.isKernelThread)
  }

  @Test func `stat that is cut off is no stat`() {
    #expect(ProcessStat(text("77 (cat")) == nil)
    #expect(ProcessStat([]) == nil)
  }

  @Test func `a big terminal number keeps its minor bits`() throws {
    // new_encode_dev(MKDEV(136, 300)): low byte 44, bits above it at 20.
    let number = 136 << 8 | 44 | 1 << 20
    let stat = try #require(ProcessStat(text("1 (x) Z 0 1 1 \(number) -1 0")))
    #expect(stat.terminal == deviceNumber(major: 136, minor: 300))
    #expect(deviceMajor(stat.terminal) == 136 && deviceMinor(stat.terminal) == 300)
    #expect(stat.isZombie)
  }

  @Test func `status gives ids, signals and capabilities`() {
    let status = ProcessStatus(
      text(
        """
        Name:\tback\\\\slash\\nline
        Umask:\t0027
        State:\tS (sleeping)
        Tgid:\t900
        Pid:\t901
        PPid:\t5
        TracerPid:\t42
        Uid:\t1\t2\t3\t4
        Gid:\t5\t6\t7\t8
        FDSize:\t64
        Groups:\t4 24 1000\u{20}
        VmLck:\t     12 kB
        THP_enabled:\t0
        SigPnd:\t0000000000000002
        ShdPnd:\t0000000080000000
        SigBlk:\t0000000000010000
        SigIgn:\t0000000001001000
        SigCgt:\t8000000180014a07
        CapInh:\t0000000000000001
        CapPrm:\t000001ffffffffff
        CapEff:\t0000000000000003
        CapBnd:\t0000000000000004
        CapAmb:\t0000000000000005
        NoNewPrivs:\t1
        Seccomp:\t2
        Seccomp_filters:\t1

        """))
    #expect(status.name == ByteString("back\\slash\nline"))
    #expect(status.umask == 0o027)
    #expect(status.threadGroup == ProcessID(900))
    #expect(status.parent == ProcessID(5))
    #expect(status.tracer == ThreadID(42))
    #expect(status.userIDs == [1, 2, 3, 4])
    #expect(status.groupIDs == [5, 6, 7, 8])
    #expect(status.groups == [4, 24, 1000])
    #expect(status.lockedKilobytes == 12)
    #expect(!status.hugePagesEnabled)
    #expect(status.pendingSignals == 2 && status.sharedPendingSignals == 0x8000_0000)
    #expect(status.ignoredSignals == 0x0100_1000)
    #expect(status.caughtSignals == 0x8000_0001_8001_4a07)
    #expect(status.inheritable == 1 && status.permitted == 0x1ff_ffff_ffff)
    #expect(status.effective == 3 && status.bounding == 4 && status.ambient == 5)
    #expect(status.noNewPrivileges)
    #expect(status.seccompMode == 2)
  }

  @Test func `a process without further groups has none`() {
    #expect(ProcessStatus(text("Groups:\t \nUmask:\t0022\n")).groups.isEmpty)
  }

  @Test func `a shadow stack is seen where the kernel tells of one`() {
    #expect(ProcessStatus(text("x86_Thread_features:\tshstk wrss\n")).hasShadowStack)
    #expect(
      !ProcessStatus(text("x86_Thread_features:\t\nx86_Thread_features_locked:\tshstk\n"))
        .hasShadowStack)
  }

  @Test func `POSIX timers are read with their clocks and targets`() {
    let timers = PosixTimerText.parse(
      text(
        """
        ID: 2
        signal: 36/0000000000001267
        notify: signal/tid.2634
        ClockID: 1
        ID: 17
        signal: 0/00000000ffffffff
        notify: none/pid.2630
        ClockID: -21042

        """))
    #expect(timers.map { $0.id } == [2, 17])
    #expect(timers.map { $0.signal } == [36, 0])
    #expect(timers.map { $0.value } == [0x1267, 0xffff_ffff])
    #expect(timers.map { $0.notify } == [4, 1])
    #expect(timers.map { $0.target } == [2634, 2630])
    #expect(timers.map { $0.clock } == [1, -21042])
  }

  @Test func `a clock of CPU time names its task`() throws {
    // clock_getcpuclockid(3) of process 2630, pthread_getcpuclockid(3) of thread 2634.
    let ofProcess = try #require(ClockID.task(of: ~2630 << 3 | 2))
    #expect(ofProcess.id == 2630 && !ofProcess.isThread)
    let ofThread = try #require(ClockID.task(of: ~2634 << 3 | 6))
    #expect(ofThread.id == 2634 && ofThread.isThread)
    #expect(ClockID.clock(~2634 << 3 | 6, ofTask: 7) == ~7 << 3 | 6)
    #expect(ClockID.task(of: 1) == nil)
    #expect(ClockID.isDynamic(~5 << 3 | 3) && ClockID.task(of: ~5 << 3 | 3) == nil)
  }

  @Test func `an id in another namespace is seen`() {
    #expect(ProcessStatus(text("NSpid:\t4711\t12\nNSsid:\t3\n")).hasOtherID)
    #expect(!ProcessStatus(text("NSpid:\t4711\nNSsid:\t3\t4\n")).hasOtherID)
  }

  @Test func `maps give ranges, rights and files`() {
    let regions = MappedRegion.parse(
      text(
        """
        00400000-00452000 r-xp 00001000 08:02 173521      /usr/bin/dbus daemon
        7ffc0000-7ffe0000 rw-s 00000000 00:01 5           /dev/zero (deleted)
        ffffffffff600000-ffffffffff601000 --xp 00000000 00:00 0 [vsyscall]
        10000-20000 ---p 00000000 00:00 0\u{20}
        30000-40000 rw-p 00000000 fe:100 9 /a\\012b

        """))
    #expect(regions.count == 5)
    #expect(regions[0].range == MemoryRange(start: 0x400000, end: 0x452000))
    #expect(regions[0].protection == 5 && !regions[0].isShared)
    #expect(regions[0].offset == 0x1000 && regions[0].inode == 173521)
    #expect(regions[0].device == deviceNumber(major: 8, minor: 2))
    #expect(regions[0].name == ByteString("/usr/bin/dbus daemon"))
    #expect(regions[1].isShared && regions[1].name == ByteString("/dev/zero (deleted)"))
    #expect(regions[2].range.end == 0xffff_ffff_ff60_1000 && regions[2].protection == 4)
    #expect(regions[3].protection == 0 && regions[3].name.isEmpty)
    #expect(regions[4].name == ByteString("/a\nb"))
    #expect(regions[4].device == deviceNumber(major: 0xfe, minor: 0x100))
  }

  @Test func `the first System V segment has the inode number 0 and is an object all the same`() {
    let regions = MappedRegion.parse(
      text(
        """
        7ffc0000-7ffe0000 rw-s 00000000 00:01 0           /SYSV43520001 (deleted)
        7fff0000-80000000 rw-p 00000000 00:00 0           [heap]

        """))
    #expect(regions.map { $0.hasFile } == [true, false])
  }

  @Test func `smaps add flags, the protection key and swap to each region`() {
    let regions = MappedRegion.parse(
      text(
        """
        5000-6000 rw-p 00000000 00:00 0 [heap]
        Size:                  4 kB
        Swap:                  8 kB
        SwapPss:               0 kB
        THPeligible:           0
        ProtectionKey:         3
        VmFlags: rd wr mr mw me ac dc\u{20}
        6000-7000 r--p 00000000 00:00 0
        VmFlags: rd mr

        """))
    #expect(regions.count == 2)
    #expect(regions[0].flags == ByteString("rd wr mr mw me ac dc"))
    #expect(regions[0].protectionKey == 3 && regions[0].swapped == 8192)
    #expect(regions[0].hasFlag("dc") && !regions[0].hasFlag("lo"))
    // The second letter of one word and the first of the next are no flag.
    #expect(!regions[0].hasFlag("d "))
    #expect(regions[1].flags == ByteString("rd mr") && regions[1].swapped == 0)
  }

  @Test func `fdinfo gives position, flags and locks`() {
    let info = DescriptorInfo(
      text(
        """
        pos:\t1234
        flags:\t02100002
        mnt_id:\t29
        ino:\t77
        lock:\t1: POSIX  ADVISORY  WRITE 711 08:01:4711 10 19
        lock:\t2: FLOCK  ADVISORY  READ 711 08:01:4711 0 EOF
        lock:\t3: OFDLCK ADVISORY  READ -1 08:01:4711 5 EOF
        lock:\t4: LEASE  ACTIVE    WRITE 711 08:01:4711 0 EOF
        lock:\t5: LEASE  BREAKING  UNLCK 711 08:01:4711 0 EOF

        """))
    #expect(info.position == 1234)
    #expect(info.flags == 0o2100002)
    #expect(info.mount == 29)
    #expect(info.locks.count == 5)
    #expect(info.locks[0].kind == .posix && info.locks[0].isWrite)
    #expect(info.locks[0].owner == ProcessID(711))
    #expect(info.locks[0].start == 10 && info.locks[0].last == 19)
    #expect(info.locks[1].kind == .flock && !info.locks[1].isWrite)
    #expect(info.locks[1].last == .max)
    #expect(info.locks[2].kind == .openFileDescription && info.locks[2].owner == ProcessID(-1))
    #expect(info.locks[2].start == 5)
    #expect(info.locks[3].kind == .lease && info.locks[3].isWrite && !info.locks[3].isBreaking)
    #expect(info.locks[4].kind == .lease && info.locks[4].isBreaking)
  }

  @Test func `only plain decimal numbers are ids`() {
    #expect(ByteString("123").decimalNumber == 123)
    #expect(ByteString("").decimalNumber == nil)
    #expect(ByteString("12a").decimalNumber == nil)
    #expect(ByteString("99999999999").decimalNumber == nil)
    #expect(ByteString("4294967296").decimalNumber == nil)
  }
}
