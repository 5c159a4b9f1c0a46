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
