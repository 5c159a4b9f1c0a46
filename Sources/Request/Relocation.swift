// SPDX-License-Identifier: Apache-2.0
import Linux

/// One `--relocate OLDPATH=NEWPATH`: a path, or the directories a path starts with, and what stands
/// there at the restart.
public struct Relocation: Sendable, Equatable {
  /// Absolute, without trailing slashes; empty for the root directory.
  public var old: ByteString
  public var new: ByteString

  /// As in libcr.h: CR_MAX_RSTRT_RELOC.
  public static let limit = 16

  public enum Fault: Error, Sendable {
    /// Not exactly one `=` that is not escaped.
    case notAPair
    /// A backslash before something else than `\` or `=`, or at the end.
    case badEscape
    case notAbsolute
  }

  /// From `OLDPATH=NEWPATH`, in which `\=` and `\\` stand for `=` and `\`.
  public init(parsing text: ByteString) throws(Fault) {
    var parts: [[UInt8]] = [[]]
    var rest = text.bytes[...]
    while let byte = rest.popFirst() {
      switch byte {
      case UInt8(ascii: "="):
        parts.append([])
      case UInt8(ascii: "\\"):
        guard let next = rest.popFirst(),
          next == UInt8(ascii: "=") || next == UInt8(ascii: "\\")
        else { throw .badEscape }
        parts[parts.count - 1].append(next)
      default:
        parts[parts.count - 1].append(byte)
      }
    }
    guard parts.count == 2 else { throw .notAPair }
    guard parts[0].first == UInt8(ascii: "/"), parts[1].first == UInt8(ascii: "/") else {
      throw .notAbsolute
    }
    old = Self.withoutTrailingSlashes(parts[0])
    new = Self.withoutTrailingSlashes(parts[1])
  }

  /// Changes nothing.
  public var isIdentity: Bool { old == new }

  /// The path as it is now; nil if this relocation does not concern it. Whole components only:
  /// `/a/b` is in `/a/b` and `/a/b/c`, and not in `/a/bc`.
  public func applied(to path: ByteString) -> ByteString? {
    guard path.hasPrefix("/"), path.hasPrefix(old) else { return nil }
    let rest = path.dropFirst(old.count)
    guard rest.isEmpty || rest.hasPrefix("/") else { return nil }
    let result = rest == "/" && !new.isEmpty ? new : new + rest
    return result.isEmpty ? "/" : result
  }

  private static func withoutTrailingSlashes(_ bytes: [UInt8]) -> ByteString {
    var bytes = bytes
    while bytes.last == UInt8(ascii: "/") { bytes.removeLast() }
    return ByteString(bytes)
  }
}

extension [Relocation] {
  /// The path as it is now: the first relocation that concerns it wins.
  public func applied(to path: ByteString) -> ByteString {
    for relocation in self {
      if let moved = relocation.applied(to: path) { return moved }
    }
    return path
  }
}
