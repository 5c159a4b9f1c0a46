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

/// An `inotify` line of an inotify instance's fdinfo.
public struct FileWatchInfo: Sendable {
  public var number: Int32
  public var mask: UInt32
  public var inode: UInt64
  /// Of the file system, as the kernel has it inside: twelve bits and twenty.
  public var device: UInt32
  /// `struct file_handle` of name_to_handle_at(2); empty if the file system has none.
  public var handle: [UInt8]

  public static func all(in text: [UInt8]) -> [FileWatchInfo] {
    var watches: [FileWatchInfo] = []
    var scanner = TextScanner(text)
    while !scanner.isAtEnd {
      if scanner.skip("inotify ") { watches.append(FileWatchInfo(&scanner)) }
      scanner.skipLine()
    }
    return watches
  }

  private init(_ scanner: inout TextScanner) {
    (number, mask, inode, device, handle) = (0, 0, 0, 0, [])
    var (size, type): (UInt32, UInt32) = (0, 0)
    while scanner.next != UInt8(ascii: "\n"), !scanner.isAtEnd {
      scanner.skipBlanks()
      if scanner.skip("wd:") {
        number = Int32(truncatingIfNeeded: scanner.number(radix: 16))
      } else if scanner.skip("ino:") {
        inode = scanner.number(radix: 16)
      } else if scanner.skip("sdev:") {
        device = UInt32(truncatingIfNeeded: scanner.number(radix: 16))
      } else if scanner.skip("mask:") {
        mask = UInt32(truncatingIfNeeded: scanner.number(radix: 16))
      } else if scanner.skip("fhandle-bytes:") {
        size = UInt32(truncatingIfNeeded: scanner.number(radix: 16))
      } else if scanner.skip("fhandle-type:") {
        type = UInt32(truncatingIfNeeded: scanner.number(radix: 16))
      } else if scanner.skip("f_handle:") {
        handle = withUnsafeBytes(of: size) { Array($0) } + withUnsafeBytes(of: type) { Array($0) }
        handle += Self.bytes(scanner.word())
      } else {
        _ = scanner.word()
      }
    }
    if handle.count != 8 + Int(size) || size == 0 { handle = [] }
  }

  private static func bytes(_ digits: ByteString) -> [UInt8] {
    stride(from: 0, to: digits.count - 1, by: 2).map { index in
      var pair = TextScanner(Array(digits.bytes[index ..< index + 2]))
      return UInt8(truncatingIfNeeded: pair.number(radix: 16))
    }
  }
}

extension TextScanner {
  /// The process of a pidfd, from its fdinfo: 0 for one that we cannot see, −1 for one that is gone.
  public static func process(in text: [UInt8]) -> ProcessID {
    var scanner = TextScanner(text)
    while !scanner.isAtEnd {
      if scanner.skip("Pid:") { return ProcessID(Int32(truncatingIfNeeded: scanner.signedNumber())) }
      scanner.skipLine()
    }
    return ProcessID(0)
  }
}
