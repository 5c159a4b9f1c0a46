// SPDX-License-Identifier: Apache-2.0
import Linux
import Request

/// What a tool tells a person, on stderr: every line starts with the tool's name.
public struct Messages: Sendable {
  public let tool: StaticString
  /// −1 quiet, 0 as usual, 1 with steps and times.
  public var verbosity: Int
  private let start: UInt64
  private let hasColour: Bool

  public init(tool: StaticString, verbosity: Int = 0) {
    self.tool = tool
    self.verbosity = verbosity
    start = Clock.monotonic.reading
    // no-color.org: set and not empty.
    let refused = Invocation.variable("NO_COLOR").map { !$0.isEmpty } ?? false
    hasColour = !refused && Terminal(descriptor: StandardStream.error.rawValue) != nil
  }

  public func error(_ text: ByteString) { say(text, colour: "31;1", from: 0) }
  public func warning(_ text: ByteString) { say("warning: " + text, colour: "33", from: 0) }
  /// Worth knowing at a terminal, not an event.
  public func note(_ text: ByteString) { say(text, colour: "", from: 0) }

  /// A step begins; shown with `-v`, with the time since the tool was started.
  public func step(_ words: StaticString) {
    let elapsed = Clock.monotonic.reading - start
    say("[\(Duration.short(nanoseconds: elapsed))] \(words)", colour: "2", from: 1)
  }

  private func say(_ text: ByteString, colour: StaticString, from level: Int) {
    guard verbosity >= level else { return }
    let coloured = hasColour && colour.utf8CodeUnitCount > 0
    var lines: ByteString = ""
    // A message of several reasons has a line for each.
    for part in text.bytes.split(separator: UInt8(ascii: "\n")) {
      lines += "\(tool): "
      if coloured { lines += "\u{1B}[\(colour)m" }
      lines += ByteString(part)
      if coloured { lines += "\u{1B}[0m" }
      lines += "\n"
    }
    // Nobody is left to be told that stderr cannot be written to.
    try? StandardStream.error.write(lines)
  }
}
