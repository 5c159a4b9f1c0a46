// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import Linux

private func text(_ string: String) -> [UInt8] { Array(string.utf8) }

/// Lines that the kernel adds to fdinfo, as proc_pid_fdinfo(5) shows them.
@Suite struct `text of fdinfo` {
  @Test func `an eventfd of an older kernel does not tell whether it is a semaphore`() {
    let old = EventCounterInfo(text("pos:\t0\nflags:\t02\neventfd-count:               5a\n"))
    #expect(old.count == 0x5a && old.isSemaphore == nil)
    let new = EventCounterInfo(
      text("eventfd-count: ffffffffffffffff\neventfd-id: 4\neventfd-semaphore: 1\n"))
    #expect(new.count == .max && new.isSemaphore == true)
  }

  @Test func `a timer`() {
    let timer = TimerInfo(
      text(
        """
        pos:\t0
        clockid: 9
        ticks: 18
        settime flags: 03
        it_value: (7, 49406829)
        it_interval: (1, 5)

        """))
    #expect(timer.clock == 9 && timer.expirations == 18 && timer.settings == 3)
    #expect(timer.remaining == 7_049_406_829 && timer.interval == 1_000_000_005)
  }

  @Test func `entries of an epoll instance, with and without inodes`() {
    let entries = EpollEntryInfo.all(
      in: text(
        """
        pos:\t0
        tfd:        5 events:       1d data: ffffffffffffffff  pos:0 ino:61af sdev:7
        tfd:       12 events: 80000001 data:                5

        """))
    #expect(entries.count == 2)
    #expect(entries[0].number == 5 && entries[0].events == 0x1d && entries[0].data == .max)
    #expect(entries[0].inode == 0x61af)
    #expect(entries[1].number == 12 && entries[1].events == 0x8000_0001 && entries[1].inode == 0)
  }

  @Test func `watches of inotify, with and without a handle`() {
    let watches = FileWatchInfo.all(
      in: text(
        """
        inotify wd:2 ino:7ef82a sdev:800001 mask:800afff ignored_mask:0 \
        fhandle-bytes:8 fhandle-type:1 f_handle:2af87e00220ffd73
        inotify wd:1f ino:192627 sdev:800001 mask:2 ignored_mask:0

        """))
    #expect(watches.count == 2)
    #expect(watches[0].number == 2 && watches[0].inode == 0x7e_f82a && watches[0].mask == 0x800_afff)
    #expect(watches[0].device == 0x80_0001)
    #expect(
      watches[0].handle == [8, 0, 0, 0, 1, 0, 0, 0, 0x2a, 0xf8, 0x7e, 0, 0x22, 0x0f, 0xfd, 0x73])
    #expect(watches[1].number == 0x1f && watches[1].handle.isEmpty)
  }

  @Test func `signals and processes`() {
    #expect(TextScanner.signalMask(in: text("flags:\t02\nsigmask:\t0000000000000006\n")) == 6)
    #expect(TextScanner.process(in: text("flags:\t02\nPid:\t-1\nNSpid:\t-1\n")) == ProcessID(-1))
  }
}
