// SPDX-License-Identifier: Apache-2.0
import Linux

/// How a checkpoint or a restart tells its caller what it is doing, and how it is called off.
///
/// A value with closures and not a protocol, so that neither trip needs another generic parameter.
public struct Report {
  /// A step begins; the words follow "now": `stopping the processes`, `writing memory`.
  public var onStep: (StaticString) -> Void
  /// Bytes moved so far, and bytes in all. False calls the trip off: it undoes what it did and
  /// throws `Failure(.interrupted, …)`.
  public var onProgress: (_ done: UInt64, _ total: UInt64) -> Bool
  /// The targets are found and stand still for the first time: what could be refused, was not.
  public var onAccepted: () -> Void = {}
  /// What goes wrong when the trip is over already, told by a process of ours that has stayed.
  public var onTrouble: (ByteString) -> Void = { _ in }
  /// What was left out or may differ after a restart, one sentence each, for the result.
  public private(set) var warnings: [ByteString]
  /// Bytes there will be in all, once the plan is known; 0 before.
  public private(set) var total: UInt64
  /// Bytes moved so far.
  public private(set) var done: UInt64

  public init(
    onStep: @escaping (StaticString) -> Void = { _ in },
    onProgress: @escaping (UInt64, UInt64) -> Bool = { _, _ in true }
  ) {
    self.onStep = onStep
    self.onProgress = onProgress
    warnings = []
    total = 0
    done = 0
  }

  public func step(_ words: StaticString) { onStep(words) }

  public mutating func warn(_ sentence: ByteString) { warnings.append(sentence) }

  /// The plan is known: `bytes` will be moved.
  public mutating func expect(_ bytes: UInt64) { total = bytes }

  /// `bytes` more were moved; false when the user has called it off. Cheap: call it at every step.
  public mutating func advance(_ bytes: UInt64) -> Bool {
    done += bytes
    return onProgress(done, total)
  }
}
