// SPDX-License-Identifier: Apache-2.0

/// What /proc/PID/fdinfo/N adds for an eventfd: proc_pid_fdinfo(5).
public struct EventCounterInfo: Sendable {
  public var count: UInt64 = 0
  /// nil before Linux 6.5, which was the first to tell.
  public var isSemaphore: Bool?

  public init(_ text: [UInt8]) {
    var scanner = TextScanner(text)
    while !scanner.isAtEnd {
      if scanner.skip("eventfd-count:") {
        count = scanner.number(radix: 16)
      } else if scanner.skip("eventfd-semaphore:") {
        isSemaphore = scanner.number() != 0
      }
      scanner.skipLine()
    }
  }
}

/// The same for a timerfd.
public struct TimerInfo: Sendable {
  public var clock: Int32 = 0
  public var expirations: UInt64 = 0
  /// TFD_TIMER_*.
  public var settings: UInt32 = 0
  /// Nanoseconds.
  public var remaining: UInt64 = 0
  public var interval: UInt64 = 0

  public init(_ text: [UInt8]) {
    var scanner = TextScanner(text)
    while !scanner.isAtEnd {
      if scanner.skip("clockid:") {
        clock = Int32(truncatingIfNeeded: scanner.signedNumber())
      } else if scanner.skip("ticks:") {
        expirations = scanner.number()
      } else if scanner.skip("settime flags:") {
        settings = UInt32(truncatingIfNeeded: scanner.number(radix: 8))
      } else if scanner.skip("it_value: (") {
        remaining = Self.nanoseconds(&scanner)
      } else if scanner.skip("it_interval: (") {
        interval = Self.nanoseconds(&scanner)
      }
      scanner.skipLine()
    }
  }

  /// `12, 345)`
  private static func nanoseconds(_ scanner: inout TextScanner) -> UInt64 {
    let seconds = scanner.number()
    _ = scanner.skip(",")
    return seconds &* 1_000_000_000 &+ scanner.number()
  }
}

extension TextScanner {
  /// The signals of a `sigmask:` line of fdinfo (signalfd); bit n−1 for signal n.
  public static func signalMask(in text: [UInt8]) -> UInt64 {
    var scanner = TextScanner(text)
    while !scanner.isAtEnd {
      if scanner.skip("sigmask:\t") { return scanner.number(radix: 16) }
      scanner.skipLine()
    }
    return 0
  }
}

/// A `tfd:` line of an epoll instance's fdinfo.
public struct EpollEntryInfo: Sendable {
  public var number: Int32
  public var events: UInt32
  public var data: UInt64
  /// Of the watched file.
  public var inode: UInt64

  /// In the kernel's order, which kcmp(2) counts by.
  public static func all(in text: [UInt8]) -> [EpollEntryInfo] {
    var entries: [EpollEntryInfo] = []
    var scanner = TextScanner(text)
    while !scanner.isAtEnd {
      if scanner.skip("tfd:") {
        var entry = EpollEntryInfo(
          number: Int32(truncatingIfNeeded: scanner.signedNumber()), events: 0, data: 0, inode: 0)
        scanner.skipBlanks()
        if scanner.skip("events:") {
          entry.events = UInt32(truncatingIfNeeded: scanner.number(radix: 16))
        }
        scanner.skipBlanks()
        if scanner.skip("data:") { entry.data = scanner.number(radix: 16) }
        // Since Linux 4.13: `pos:0 ino:61af sdev:7`.
        _ = scanner.word()
        scanner.skipBlanks()
        if scanner.skip("ino:") { entry.inode = scanner.number(radix: 16) }
        entries.append(entry)
      }
      scanner.skipLine()
    }
    return entries
  }
}
