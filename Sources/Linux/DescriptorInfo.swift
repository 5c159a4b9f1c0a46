// SPDX-License-Identifier: Apache-2.0

/// /proc/PID/fdinfo/N: see proc_pid_fdinfo(5).
public struct DescriptorInfo: Sendable {
  public var position: UInt64 = 0
  /// open(2) flags in this kernel's values, O_CLOEXEC of the descriptor included.
  public var flags: UInt32 = 0
  public var mount: UInt64 = 0
  public var locks: [LockInfo] = []

  public init(_ text: [UInt8]) {
    var scanner = TextScanner(text)
    while !scanner.isAtEnd {
      if scanner.skip("pos:") {
        position = scanner.number()
      } else if scanner.skip("flags:") {
        flags = UInt32(truncatingIfNeeded: scanner.number(radix: 8))
      } else if scanner.skip("mnt_id:") {
        mount = scanner.number()
      } else if scanner.skip("lock:"), let lock = LockInfo(&scanner) {
        locks.append(lock)
      }
      scanner.skipLine()
    }
  }
}

/// A `lock:` line of fdinfo: `1: POSIX  ADVISORY  WRITE 4711 08:01:1234 0 EOF`.
public struct LockInfo: Sendable {
  public enum Kind: Sendable { case posix, flock, openFileDescription, lease }

  public var kind: Kind
  public var isWrite: Bool
  /// A lease whose holder was told to give it up.
  public var isBreaking: Bool
  /// Of a POSIX lock; −1 for a lock of an open file description.
  public var owner: ProcessID
  public var start: UInt64
  /// The last byte; all bits set for "to the end of the file".
  public var last: UInt64

  init?(_ scanner: inout TextScanner) {
    _ = scanner.number()
    guard scanner.skip(":") else { return nil }
    let word = scanner.word()
    if word == "POSIX" {
      kind = .posix
    } else if word == "FLOCK" {
      kind = .flock
    } else if word == "OFDLCK" {
      kind = .openFileDescription
    } else {
      kind = .lease
    }
    // ACTIVE, BREAKING or, for one who waits for the end of a lease, BREAKER.
    isBreaking = scanner.word().hasPrefix("BREAK")
    isWrite = scanner.word() == "WRITE"
    owner = ProcessID(Int32(truncatingIfNeeded: scanner.signedNumber()))
    _ = scanner.word()
    start = scanner.number()
    scanner.skipBlanks()
    last = scanner.skip("EOF") ? .max : scanner.number()
  }
}
