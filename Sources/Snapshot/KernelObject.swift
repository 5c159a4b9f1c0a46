// SPDX-License-Identifier: Apache-2.0
import Linux

/// eventfd(2).
public struct EventCounter: Sendable {
  public var count: UInt64
  /// EFD_SEMAPHORE: a read takes one, not all.
  public var isSemaphore: Bool

  public init(count: UInt64, isSemaphore: Bool) {
    self.count = count
    self.isSemaphore = isSemaphore
  }
}

/// timerfd_create(2).
public struct TimerFile: Sendable {
  /// CLOCK_REALTIME 0, CLOCK_MONOTONIC 1, CLOCK_BOOTTIME 7, CLOCK_REALTIME_ALARM 8, …
  public var clock: Int32
  /// TFD_TIMER_ABSTIME 1, TFD_TIMER_CANCEL_ON_SET 2, as it was set.
  public var settings: UInt32
  /// Nanoseconds to the next expiration, 0 if there is none, and between two.
  public var remaining: UInt64
  public var interval: UInt64
  /// Expirations that nobody has read yet.
  public var expirations: UInt64
  /// What `clock` showed at that moment, in nanoseconds.
  public var now: UInt64

  public init(clock: Int32) {
    self.clock = clock
    settings = 0
    remaining = 0
    interval = 0
    expirations = 0
    now = 0
  }

  /// TFD_TIMER_ABSTIME.
  public var isAbsolute: Bool { settings & 1 != 0 }
}

/// What an epoll instance watches: epoll_ctl(2).
public struct EpollEntry: Sendable {
  /// The number that it was registered by. The program may have closed it since, and may even use
  /// it for another file; the entry lives as long as the open file does.
  public var number: Int32
  /// EPOLL*; without any of the events themselves if it was for one shot, which was fired.
  public var events: UInt32
  public var data: UInt64
  /// Index into `Snapshot.openFiles`.
  public var openFile: Int

  public init(number: Int32, events: UInt32, data: UInt64, openFile: Int) {
    self.number = number
    self.events = events
    self.data = data
    self.openFile = openFile
  }
}

/// What an inotify instance watches: inotify_add_watch(2).
public struct FileWatch: Sendable {
  /// The watch descriptor.
  public var number: Int32
  /// IN_*.
  public var mask: UInt32
  public var path: ByteString

  public init(number: Int32, mask: UInt32, path: ByteString) {
    self.number = number
    self.mask = mask
    self.path = path
  }
}
