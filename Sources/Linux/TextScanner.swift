// SPDX-License-Identifier: Apache-2.0
import CLinux

/// Walks over the text of a /proc file, whose numbers and words it reads one after the other.
///
/// Nothing fails: a number that is not there reads as 0, a word as empty. The kernel writes these
/// files, and a field that an older kernel does not know yet is simply absent.
public struct TextScanner {
  private let bytes: [UInt8]
  public private(set) var position: Int

  public init(_ bytes: [UInt8], at position: Int = 0) {
    self.bytes = bytes
    self.position = position
  }

  public var isAtEnd: Bool { position >= bytes.count }

  /// The byte at the present place; 0 at the end.
  public var next: UInt8 { isAtEnd ? 0 : bytes[position] }

  public mutating func advance(_ count: Int = 1) { position = min(bytes.count, position + count) }

  /// Blanks and tabs, not line ends.
  public mutating func skipBlanks() {
    while next == UInt8(ascii: " ") || next == UInt8(ascii: "\t") { position += 1 }
  }

  /// An unsigned number in `radix`; leading blanks are skipped.
  public mutating func number(radix: UInt64 = 10) -> UInt64 {
    skipBlanks()
    var value: UInt64 = 0
    while let digit = Self.digit(next), digit < radix {
      value = value &* radix &+ digit
      position += 1
    }
    return value
  }

  public mutating func signedNumber() -> Int64 {
    skipBlanks()
    let negative = next == UInt8(ascii: "-")
    if negative { position += 1 }
    let magnitude = Int64(bitPattern: number())
    return negative ? 0 &- magnitude : magnitude
  }

  /// Up to the next blank or line end.
  public mutating func word() -> ByteString {
    skipBlanks()
    let start = position
    while !isAtEnd, !Self.isBlank(next), next != UInt8(ascii: "\n") { position += 1 }
    return ByteString(bytes[start ..< position])
  }

  /// The rest of the line; its end comes next.
  public mutating func textToLineEnd() -> ByteString {
    let start = position
    position = lineEnd
    return ByteString(bytes[start ..< position])
  }

  /// The rest of the line without its end, which is passed.
  public mutating func restOfLine() -> ByteString {
    defer { advance() }
    return textToLineEnd()
  }

  public mutating func skipLine() {
    position = lineEnd
    advance()
  }

  /// Most of smaps is lines that nobody reads: memchr passes them ten times faster than a loop.
  private var lineEnd: Int {
    guard !isAtEnd else { return bytes.count }
    return bytes.withUnsafeBytes { buffer in
      let start = buffer.baseAddress! + position
      guard let found = memchr(start, 10, buffer.count - position) else { return buffer.count }
      return UnsafeRawPointer(found) - buffer.baseAddress!
    }
  }

  /// Passes `text` if it stands here.
  public mutating func skip(_ text: StaticString) -> Bool {
    let length = text.utf8CodeUnitCount
    guard position + length <= bytes.count else { return false }
    let matches = text.withUTF8Buffer { wanted in
      for index in 0 ..< length where bytes[position + index] != wanted[index] { return false }
      return true
    }
    if matches { position += length }
    return matches
  }

  private static func isBlank(_ byte: UInt8) -> Bool {
    byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t")
  }

  private static func digit(_ byte: UInt8) -> UInt64? {
    switch byte {
    case UInt8(ascii: "0") ... UInt8(ascii: "9"): UInt64(byte - UInt8(ascii: "0"))
    case UInt8(ascii: "a") ... UInt8(ascii: "f"): UInt64(byte - UInt8(ascii: "a") + 10)
    case UInt8(ascii: "A") ... UInt8(ascii: "F"): UInt64(byte - UInt8(ascii: "A") + 10)
    default: nil
    }
  }
}

extension ByteString {
  /// A path or name of decimal digits only, as directories of /proc are named; nil for others.
  public var decimalNumber: Int32? {
    guard !isEmpty, count <= 10 else { return nil }
    var value: Int64 = 0
    for byte in bytes {
      guard (UInt8(ascii: "0") ... UInt8(ascii: "9")).contains(byte) else { return nil }
      value = value * 10 + Int64(byte - UInt8(ascii: "0"))
    }
    return Int32(exactly: value)
  }
}
