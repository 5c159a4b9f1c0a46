// SPDX-License-Identifier: Apache-2.0
import CLinux
import Linux

/// A command line taken apart: options in the order given, then operands.
public struct ParsedArguments: Sendable {
  public struct Occurrence: Sendable {
    public var key: Int32
    public var argument: ByteString?
  }

  public var occurrences: [Occurrence] = []
  public var operands: [ByteString] = []
  /// An option was unknown, ambiguous, or lacked its argument; getopt_long has told which.
  public var isValid = true
}

extension Manual {
  /// Parses with getopt_long(3), so abbreviations, clusters and `--` are as in every GNU tool.
  ///
  /// Goes on after an error, so that a wrong option does not hide the ones behind it (hooks).
  /// `arguments` starts with the name the tool was called by.
  public func parse(_ arguments: [ByteString]) -> ParsedArguments {
    let table = options
    // getopt_long starts its messages with argv[0]; ours start with the tool's name, not its path.
    let words = [ByteString(tool)] + arguments.dropFirst()
    var vector: [UnsafeMutablePointer<CChar>?] = words.map { $0.withCString { strdup($0) } }
    vector.append(nil)
    // getopt_long moves the pointers about, so what is freed is remembered apart.
    let owned = vector
    defer { for pointer in owned { free(pointer) } }

    var long: [cr_long_option] = []
    for option in table {
      for name in option.names {
        long.append(
          cr_long_option(
            name: UnsafeRawPointer(name.utf8Start).assumingMemoryBound(to: CChar.self),
            argument: option.argument.getoptValue, value: option.key))
      }
    }
    var result = ParsedArguments()
    shortOptions(of: table).withCString { letters in
      vector.withUnsafeMutableBufferPointer { vector in
        var restart: Int32 = 1
        while true {
          let found = cr_getopt(
            Int32(words.count), vector.baseAddress, letters, long, Int32(long.count), restart)
          restart = 0
          if found == -1 { break }
          result.take(found, from: table)
        }
        for index in Int(cr_operand_index()) ..< words.count {
          result.operands.append(ByteString(cString: vector[index]))
        }
      }
    }
    return result
  }

  private func shortOptions(of table: [Option]) -> ByteString {
    var letters: ByteString = stopsAtOperand ? "+" : ""
    for option in table {
      guard let letter = option.letter else { continue }
      letters.bytes.append(UInt8(truncatingIfNeeded: letter.value))
      switch option.argument {
      case .none: break
      case .required: letters += ":"
      case .optional: letters += "::"
      }
    }
    return letters
  }
}

extension ParsedArguments {
  mutating func take(_ found: Int32, from table: [Option]) {
    for option in table where option.key == found || option.answers(to: found) {
      let argument = cr_option_argument()
      occurrences.append(
        Occurrence(key: option.key, argument: argument.map { ByteString(cString: $0) }))
      return
    }
    isValid = false
  }
}

extension Option {
  func answers(to found: Int32) -> Bool {
    guard let letter else { return false }
    return Int32(letter.value) == found
  }
}

extension Option.Argument {
  var getoptValue: Int32 {
    switch self {
    case .none: 0
    case .required: 1
    case .optional: 2
    }
  }
}
