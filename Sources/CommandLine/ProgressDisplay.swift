// SPDX-License-Identifier: Apache-2.0
import Linux

/// Shows a `ProgressMeter` on stderr: on a terminal as one line that changes, else as lines.
public struct ProgressDisplay: Sendable {
  private var meter: ProgressMeter
  private let isTerminal: Bool
  private let isShown: Bool
  public var words: StaticString = "working"

  public init(_ when: ProgressMeter.When, isQuiet: Bool) {
    let terminal = Terminal(descriptor: StandardStream.error.rawValue)
    isTerminal = terminal != nil
    let now = Clock.monotonic.reading
    switch when {
    case .never:
      isShown = false
      meter = ProgressMeter(start: now)
    case .auto:
      isShown = isTerminal && !isQuiet
      meter = ProgressMeter(start: now, columns: terminal?.columns ?? 80)
    case .always:
      isShown = true
      // Into a log file a line a second is plenty.
      meter = ProgressMeter(
        start: now, columns: terminal?.columns ?? 80, delay: 0,
        interval: isTerminal ? 100_000_000 : 1_000_000_000)
    }
  }

  public mutating func update(done: UInt64, total: UInt64) {
    guard isShown,
      let line = meter.line(words, done: done, total: total, at: Clock.monotonic.reading)
    else { return }
    try? StandardStream.error.write(isTerminal ? "\r\u{1B}[K" + line : line + "\n")
  }

  /// Takes the line away, so that what is printed next stands alone.
  public mutating func finish() {
    if isTerminal && meter.wasShown { try? StandardStream.error.write("\r\u{1B}[K") }
  }
}
