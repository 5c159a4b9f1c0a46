// SPDX-License-Identifier: Apache-2.0
import Linux
import Request

/// `--engine`.
public enum EngineChoice: Sendable {
  /// From user space, until the kernel's has been through as many tests.
  case automatic
  case user
  case kernel
}

/// `--kmsg-*`: which of the engine's messages are shown.
public enum EngineMessages: Sendable {
  case none
  /// When the request fails. Losses are told in any case: they are results and not messages.
  case error
  case warning
}

/// What an option's argument must be.
enum OptionArgument {
  /// A decimal number in a range.
  static func number(
    _ argument: ByteString?, of option: StaticString, in range: ClosedRange<Int32>,
    meaning: StaticString
  ) throws(ArgumentError) -> Int32 {
    let text = argument ?? ""
    guard let number = text.decimalNumber, range.contains(number) else {
      throw .usage(
        "\(option): '\(text)' is not \(meaning) (\(range.lowerBound) to \(range.upperBound))")
    }
    return number
  }

  /// A path; an empty one names nothing.
  static func path(
    _ argument: ByteString?, of option: StaticString
  ) throws(ArgumentError) -> ByteString {
    guard let path = argument, !path.isEmpty else { throw .usage("\(option): the name is empty") }
    return path
  }

  static func signal(_ argument: ByteString?) throws(ArgumentError) -> Int32 {
    try number(argument, of: "--signal", in: 1 ... 64, meaning: "a signal number")
  }

  static func descriptor(_ argument: ByteString?) throws(ArgumentError) -> Int32 {
    try number(argument, of: "--fd", in: 0 ... .max, meaning: "a file descriptor")
  }

  static func engine(_ argument: ByteString?) throws(ArgumentError) -> EngineChoice {
    let word = argument ?? ""
    if word == "auto" { return .automatic }
    if word == "user" { return .user }
    if word == "kernel" { return .kernel }
    throw .usage("--engine: '\(word)' is none of user, kernel, auto")
  }

  static func compression(_ argument: ByteString?) throws(ArgumentError) -> Compression.Method {
    guard let word = argument else { return .zstd(level: 3) }
    if word == "none" { return .none }
    if word == "zstd" { return .zstd(level: 3) }
    if word == "lz4" { return .lz4 }
    if word.hasPrefix("zstd:") {
      return .zstd(
        level: try number(
          ByteString(word.bytes.dropFirst(5)), of: "--compress", in: 1 ... 22, meaning: "a level"))
    }
    throw .usage("--compress: '\(word)' is none of zstd, zstd:LEVEL, lz4, none")
  }

  static func progress(_ argument: ByteString?) throws(ArgumentError) -> ProgressMeter.When {
    guard let word = argument else { return .always }
    if word == "auto" { return .auto }
    if word == "always" { return .always }
    if word == "never" { return .never }
    throw .usage("--progress: '\(word)' is none of auto, always, never")
  }
}

/// Signals that have an option of their own.
enum NamedSignal {
  static let abort: Int32 = 6
  static let kill: Int32 = 9
  static let term: Int32 = 15
  static let cont: Int32 = 18
  static let stop: Int32 = 19
}
