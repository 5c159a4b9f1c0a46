// SPDX-License-Identifier: Apache-2.0
import Linux

/// A running process, and the signal by which its threads call us; 0 if none of them does.
public struct Caller: Sendable {
  public var process: ProcessID
  public var signal: Int32

  public init(_ process: ProcessID, signal: Int32) {
    self.process = process
    self.signal = signal
  }
}

/// What came to pass in a process that runs while it is held.
public enum WatchedEvent: Sendable {
  /// A thread has called us, by its process's signal; it stands still, and the signal is gone.
  case call(thread: ThreadID, value: Int32)
  /// A thread has ended; `isLast`: and with it the process.
  case ended(thread: ThreadID, process: ProcessID, isLast: Bool)
}

/// For engines of tests, which hold nobody that could run.
extension Engine where Self: ~Copyable {
  public mutating func run(
    _ process: ProcessID, but standing: Set<Int32>
  ) throws(EngineError) {
    throw EngineError("let threads run", process, .notImplemented)
  }

  public mutating func awaitCall(
    of callers: [Caller], milliseconds: Int32
  ) throws(EngineError) -> WatchedEvent? {
    nil
  }
}
