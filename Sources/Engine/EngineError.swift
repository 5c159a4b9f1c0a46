// SPDX-License-Identifier: Apache-2.0
import Linux

/// Which step of an engine failed, in which process, and the kernel's reason.
public struct EngineError: Error, Sendable {
  /// The step in words that follow "cannot": `stop thread`, `read memory`.
  public var step: StaticString
  public var process: ProcessID
  public var errno: Errno

  public init(_ step: StaticString, _ process: ProcessID, _ errno: Errno) {
    self.step = step
    self.process = process
    self.errno = errno
  }
}

/// A moment on CLOCK_MONOTONIC after which a request gives up.
public struct Deadline: Sendable {
  /// Nanoseconds; `UInt64.max` is never.
  public var nanoseconds: UInt64

  public init(nanoseconds: UInt64) { self.nanoseconds = nanoseconds }

  public static var never: Deadline { Deadline(nanoseconds: .max) }
}

/// Runs a kernel call and says which step of ours it was.
package func attempt<T: ~Copyable>(
  _ step: StaticString, _ process: ProcessID, _ body: () throws(Errno) -> T
) throws(EngineError) -> T {
  do throws(Errno) { return try body() } catch { throw EngineError(step, process, error) }
}
