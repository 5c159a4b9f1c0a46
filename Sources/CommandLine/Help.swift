// SPDX-License-Identifier: Apache-2.0
import Linux

extension Manual {
  /// What `--help` prints: every row that has words, in columns of a terminal of 80.
  public var help: ByteString {
    var text: ByteString = "Usage: \(tool) \(synopsis)\n\(summary)\n"
    for group in groups where group.title.utf8CodeUnitCount > 0 {
      text += "\n\(group.title):\n"
      for row in group.rows where row.words.utf8CodeUnitCount > 0 { text += row.help }
    }
    if notes.utf8CodeUnitCount > 0 { text += "\n\(notes)\n" }
    return text
  }

  /// What a wrong command line gets.
  public var usage: ByteString {
    "Usage: \(tool) \(synopsis)\nTry '\(tool) --help' for the options.\n"
  }
}

extension OptionRow {
  /// Where the words begin.
  static var column: Int { 30 }

  var help: ByteString {
    var line: ByteString = "  "
    for (index, option) in options.enumerated() {
      if index > 0 { line += ", " }
      line += option.spelling
    }
    if line.count > Self.column - 2 {
      line += "\n"
      line += spaces(Self.column)
    } else {
      line += spaces(Self.column - line.count)
    }
    let words = ByteString(words)
    for (index, part) in words.bytes.split(separator: UInt8(ascii: "\n")).enumerated() {
      if index > 0 { line += "\n" + spaces(Self.column) }
      line += ByteString(part)
    }
    return line + "\n"
  }

  private func spaces(_ count: Int) -> ByteString {
    ByteString([UInt8](repeating: UInt8(ascii: " "), count: count))
  }
}

extension Option {
  /// `-f, --file=FILE`
  var spelling: ByteString {
    var text: ByteString = ""
    if let letter { text += "-\(ByteString([UInt8(truncatingIfNeeded: letter.value)]))" }
    if let name = names.first {
      if letter != nil { text += ", " }
      text += "--\(name)"
    }
    switch argument {
    case .none: break
    case .required(let word): text += "=\(word)"
    case .optional(let word): text += "[=\(word)]"
    }
    return text
  }
}
