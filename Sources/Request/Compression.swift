// SPDX-License-Identifier: Apache-2.0

/// How a context file is made smaller when it is written.
public struct Compression: Sendable {
  public enum Method: Sendable {
    case none
    /// Frames of Zstandard (RFC 8878) with a table to find them by.
    case zstd(level: Int32)
    /// Frames of LZ4 with such a table.
    case lz4
  }

  public var method = Method.none
  /// How many threads compress; 0 for one on each processor that we may use.
  public var threads = 0

  public init() {}

  public var isWanted: Bool {
    switch method {
    case .none: false
    case .zstd, .lz4: true
    }
  }
}
