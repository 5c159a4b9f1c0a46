// SPDX-License-Identifier: Apache-2.0

/// A thread group: what users call a process id.
public struct ProcessID: Hashable, Sendable {
  public var rawValue: Int32
  public init(_ rawValue: Int32) { self.rawValue = rawValue }

  /// The thread that bears the process's own number.
  public var leader: ThreadID { ThreadID(rawValue) }
}

/// One kernel task of a process.
public struct ThreadID: Hashable, Sendable {
  public var rawValue: Int32
  public init(_ rawValue: Int32) { self.rawValue = rawValue }
}

extension UInt64 {
  /// The next multiple of `unit`, or the last there is.
  public func roundedUp(to unit: UInt64) -> UInt64 {
    let (sum, isTooMuch) = addingReportingOverflow(unit - 1)
    return (isTooMuch ? .max : sum) / unit * unit
  }
}

/// A half-open range of a process's addresses, `start ..< end`, in bytes.
///
/// 64 bits wide whatever the target's word size is.
public struct MemoryRange: Hashable, Sendable {
  public var start: UInt64
  public var end: UInt64

  public init(start: UInt64, end: UInt64) {
    self.start = start
    self.end = end
  }

  public init(start: UInt64, count: UInt64) { self.init(start: start, end: start + count) }

  public var count: UInt64 { end - start }
  public func contains(_ address: UInt64) -> Bool { start <= address && address < end }
  public func overlaps(_ other: MemoryRange) -> Bool { start < other.end && other.start < end }
}
