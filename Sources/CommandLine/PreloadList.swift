// SPDX-License-Identifier: Apache-2.0
import Linux

/// The value of LD_PRELOAD: libraries separated by colons or spaces (ld.so(8)).
public struct PreloadList: Sendable {
  public var entries: [ByteString]

  /// Empty items are dropped.
  public init(_ value: ByteString) {
    entries = value.bytes.split { $0 == UInt8(ascii: ":") || $0 == UInt8(ascii: " ") }
      .map { ByteString($0) }
  }

  public var value: ByteString {
    var text: ByteString = ""
    for (index, entry) in entries.enumerated() {
      if index > 0 { text += ":" }
      text += entry
    }
    return text
  }

  /// Puts one of our stubs first and takes out an earlier one, wherever it was found: so cr_run
  /// may be nested, and the innermost one says what holds.
  public mutating func putFirst(_ library: ByteString) {
    entries.removeAll { Self.isStub($0) }
    entries.insert(library, at: 0)
  }

  static func isStub(_ entry: ByteString) -> Bool {
    let slash = entry.bytes.lastIndex(of: UInt8(ascii: "/"))
    let name = slash.map { entry.dropFirst($0 + 1) } ?? entry
    for stub: ByteString in ["libcr_run.so", "libcr_omit.so"] where name.hasPrefix(stub) {
      let rest = name.dropFirst(stub.count)
      return rest.isEmpty || rest.hasPrefix(".")
    }
    return false
  }

  /// Whether the dynamic linker would read this path as one entry.
  public static func canHold(_ path: ByteString) -> Bool {
    !path.bytes.contains { $0 == UInt8(ascii: ":") || $0 == UInt8(ascii: " ") }
  }
}
