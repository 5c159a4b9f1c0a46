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
