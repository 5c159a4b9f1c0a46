// SPDX-License-Identifier: Apache-2.0
import Linux

/// How far a long step is: decides when there is something to show, and what.
///
/// Computes only; times come in as nanoseconds of any clock.
public struct ProgressMeter: Sendable {
  public enum When: Sendable {
    case never
    /// On a terminal, for anything that takes over a second.
    case auto
    case always
  }

  /// Characters of the line, the terminal's width.
  public var columns: Int
  private let start: UInt64
  private let delay: UInt64
  private let interval: UInt64
  private var shown: UInt64?

  /// `delay` before the first line, `interval` between lines, in nanoseconds.
  public init(
    start: UInt64, columns: Int = 80, delay: UInt64 = 1_000_000_000,
    interval: UInt64 = 100_000_000
  ) {
    self.start = start
    self.columns = columns
    self.delay = delay
    self.interval = interval
  }

  /// Whether a line was ever shown.
  public var wasShown: Bool { shown != nil }

  /// The line to show at `now`, without a line end; nil when it is too early.
  public mutating func line(
    _ words: StaticString, done: UInt64, total: UInt64, at now: UInt64
  ) -> ByteString? {
    // Before anything is counted there is nothing to show.
    guard now >= start + delay, done | total != 0 else { return nil }
    if let shown, now < shown + interval, done < total || total == 0 { return nil }
    shown = now
    return render(words, done: done, total: total, elapsed: now - start)
  }

  func render(
    _ words: StaticString, done: UInt64, total: UInt64, elapsed: UInt64
  ) -> ByteString {
    let rate = Self.rate(done, nanoseconds: elapsed)
    if total == 0 { return "\(words) \(Size.short(done)), \(Size.short(rate))/s" }
    let percent = Self.percent(done, of: total)
    var numbers: ByteString = "\(percent)% of \(Size.short(total)), \(Size.short(rate))/s"
    if let rest = Self.remaining(done: done, total: total, nanoseconds: elapsed), percent < 100 {
      numbers += ", \(Duration.long(seconds: rest)) left"
    }
    let width = min(columns - ByteString(words).count - numbers.count - 5, 40)
    guard width >= 10 else { return "\(words) \(numbers)" }
    return "\(words) [\(Self.bar(percent: percent, width: width))] \(numbers)"
  }

  /// 0…100, rounded down: 100 only when all is done.
  static func percent(_ done: UInt64, of total: UInt64) -> Int {
    guard done < total else { return 100 }
    // Whichever way does not overflow.
    return total > UInt64.max / 128 ? Int(done / (total / 100)) : Int(done * 100 / total)
  }

  /// Bytes per second.
  static func rate(_ done: UInt64, nanoseconds: UInt64) -> UInt64 {
    let milliseconds = max(nanoseconds / 1_000_000, 1)
    return done > UInt64.max / 1000 ? done / milliseconds * 1000 : done * 1000 / milliseconds
  }

  /// Seconds until the end at the rate so far, rounded up; nil when nothing was done yet.
  static func remaining(done: UInt64, total: UInt64, nanoseconds: UInt64) -> UInt64? {
    let rate = rate(done, nanoseconds: nanoseconds)
    guard rate > 0, done <= total else { return nil }
    return (total - done + rate - 1) / rate
  }

  static func bar(percent: Int, width: Int) -> ByteString {
    let full = width * percent / 100
    return ByteString(
      [UInt8](repeating: UInt8(ascii: "#"), count: full)
        + [UInt8](repeating: UInt8(ascii: "."), count: width - full))
  }
}
