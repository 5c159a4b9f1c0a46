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
