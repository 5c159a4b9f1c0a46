// SPDX-License-Identifier: Apache-2.0
import CLinux

/// A sequence of bytes to be found in others.
public struct BytePattern: Sendable {
  public var bytes: [UInt8]

  public init(_ bytes: [UInt8]) { self.bytes = bytes }

  /// The offset of its first occurrence.
  public func firstOffset(in area: UnsafeRawBufferPointer) -> Int? {
    guard let start = area.baseAddress, !bytes.isEmpty else { return nil }
    let found = bytes.withUnsafeBytes { memmem(start, area.count, $0.baseAddress!, $0.count) }
    return found.map { UnsafeRawPointer($0) - start }
  }
}
