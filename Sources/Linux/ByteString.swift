// SPDX-License-Identifier: Apache-2.0

/// Bytes that Linux treats as a name: a path, a command name, an environment string, a message.
///
/// Linux paths are bytes, not text, and Embedded Swift's `String` comparison needs Unicode tables
/// that not every target has; so names are compared, stored and printed as they are.
public struct ByteString: Hashable, Sendable {
  public var bytes: [UInt8]

  public init() { bytes = [] }
  public init(_ bytes: [UInt8]) { self.bytes = bytes }
  public init(_ bytes: ArraySlice<UInt8>) { self.bytes = Array(bytes) }

  /// The text of a literal, without copying it through `String`.
  public init(_ literal: StaticString) {
    bytes = literal.withUTF8Buffer { Array($0) }
  }

  public init(_ text: String) { bytes = Array(text.utf8) }

  /// Copies a NUL-terminated C string; a null pointer gives an empty one.
  public init(cString pointer: UnsafePointer<CChar>?) {
    bytes = []
    guard var next = pointer else { return }
    while next.pointee != 0 {
      bytes.append(UInt8(bitPattern: next.pointee))
      next += 1
    }
  }

  public var count: Int { bytes.count }
  public var isEmpty: Bool { bytes.isEmpty }

  /// For printing on a terminal; invalid UTF-8 is repaired.
  public var text: String { String(decoding: bytes, as: UTF8.self) }

  public static func + (left: ByteString, right: ByteString) -> ByteString {
    ByteString(left.bytes + right.bytes)
  }

  public static func += (left: inout ByteString, right: ByteString) {
    left.bytes += right.bytes
  }

  public static func == (left: ByteString, right: StaticString) -> Bool {
    left.bytes.elementsEqual(right.withUTF8Buffer { Array($0) })
  }

  public func hasPrefix(_ prefix: ByteString) -> Bool { bytes.starts(with: prefix.bytes) }

  public func hasSuffix(_ suffix: ByteString) -> Bool {
    bytes.count >= suffix.bytes.count
      && bytes[(bytes.count - suffix.bytes.count)...].elementsEqual(suffix.bytes)
  }

  public func dropFirst(_ count: Int) -> ByteString { ByteString(bytes.dropFirst(count)) }
  public func dropLast(_ count: Int) -> ByteString { ByteString(bytes.dropLast(count)) }

  /// Calls `body` with the bytes followed by a NUL, as system calls want paths.
  public func withCString<R>(_ body: (UnsafePointer<CChar>) -> R) -> R {
    let terminated = bytes + [0]
    return terminated.withUnsafeBufferPointer { buffer in
      buffer.baseAddress!.withMemoryRebound(to: CChar.self, capacity: buffer.count) { body($0) }
    }
  }
}

extension ByteString: ExpressibleByStringInterpolation {
  public init(stringLiteral value: StaticString) { self.init(value) }
  public init(stringInterpolation: Interpolation) { bytes = stringInterpolation.bytes }

  /// `"cannot open \(path): \(errno)"` builds a message from bytes, numbers and kernel reasons.
  public struct Interpolation: StringInterpolationProtocol {
    var bytes: [UInt8] = []

    public init(literalCapacity: Int, interpolationCount: Int) {
      bytes.reserveCapacity(literalCapacity + 16 * interpolationCount)
    }

    public mutating func appendLiteral(_ literal: StaticString) {
      literal.withUTF8Buffer { bytes.append(contentsOf: $0) }
    }

    public mutating func appendInterpolation(_ value: ByteString) { bytes += value.bytes }

    public mutating func appendInterpolation(_ value: StaticString) { appendLiteral(value) }

    public mutating func appendInterpolation<N: BinaryInteger>(_ value: N) {
      bytes += ByteString.digits(of: value, radix: 10)
    }

    /// Lower-case hexadecimal without a prefix, padded with zeros to `width`.
    public mutating func appendInterpolation<N: BinaryInteger>(hex value: N, width: Int = 1) {
      let digits = ByteString.digits(of: value, radix: 16)
      for _ in 0 ..< max(0, width - digits.count) { bytes.append(UInt8(ascii: "0")) }
      bytes += digits
    }

    public mutating func appendInterpolation(_ value: ProcessID) {
      appendInterpolation(value.rawValue)
    }

    public mutating func appendInterpolation(_ value: ThreadID) {
      appendInterpolation(value.rawValue)
    }

    /// The kernel's reason, for people: `No such process`.
    public mutating func appendInterpolation(_ value: Errno) {
      bytes += value.reason.bytes
    }
  }

  static func digits<N: BinaryInteger>(of value: N, radix: UInt64) -> [UInt8] {
    let negative = value < 0
    var rest = UInt64(value.magnitude)
    var reversed: [UInt8] = []
    repeat {
      let digit = UInt8(rest % radix)
      reversed.append(digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "a") + digit - 10)
      rest /= radix
    } while rest != 0
    if negative { reversed.append(UInt8(ascii: "-")) }
    return reversed.reversed()
  }
}
