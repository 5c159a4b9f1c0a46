// SPDX-License-Identifier: Apache-2.0
import Linux

/// A JSON object that is written member by member, as RFC 8259 wants it, on one line.
public struct JSONObject: Sendable {
  private var members: ByteString = ""

  public init() {}

  public var text: ByteString { "{\(members)}" }

  public mutating func set(_ name: StaticString, _ value: ByteString) {
    add(name, Self.quoted(value))
  }

  public mutating func set<Number: BinaryInteger>(_ name: StaticString, _ value: Number) {
    add(name, "\(value)")
  }

  public mutating func set(_ name: StaticString, _ value: Bool) {
    add(name, value ? "true" : "false")
  }

  public mutating func setNull(_ name: StaticString) { add(name, "null") }

  public mutating func set(_ name: StaticString, _ object: JSONObject) { add(name, object.text) }

  public mutating func set(_ name: StaticString, _ values: [ByteString]) {
    add(name, Self.list(values.map { Self.quoted($0) }))
  }

  public mutating func set(_ name: StaticString, _ objects: [JSONObject]) {
    add(name, Self.list(objects.map { $0.text }))
  }

  public mutating func set(_ name: StaticString, _ processes: [ProcessID]) {
    add(name, Self.list(processes.map { "\($0)" }))
  }

  private mutating func add(_ name: StaticString, _ value: ByteString) {
    if !members.isEmpty { members += "," }
    members += "\"\(name)\":\(value)"
  }

  static func list(_ values: [ByteString]) -> ByteString {
    var text: ByteString = "["
    for (index, value) in values.enumerated() {
      if index > 0 { text += "," }
      text += value
    }
    return text + "]"
  }

  /// Bytes that are not UTF-8 become U+FFFD, since JSON is text and a Linux name need not be.
  static func quoted(_ value: ByteString) -> ByteString {
    var text: ByteString = "\""
    for scalar in value.text.unicodeScalars {
      switch scalar {
      case "\"": text += "\\\""
      case "\\": text += "\\\\"
      case "\n": text += "\\n"
      case "\t": text += "\\t"
      case "\r": text += "\\r"
      case _ where scalar.value < 0x20: text += "\\u\(hex: scalar.value, width: 4)"
      default: text.bytes += Array(String(scalar).utf8)
      }
    }
    return text + "\""
  }
}
