// SPDX-License-Identifier: Apache-2.0

/// /proc/PID/status (or of a thread), the lines we use; see proc_pid_status(5).
public struct ProcessStatus: Sendable {
  /// The task's name; line ends and backslashes in it are unescaped.
  public var name: ByteString = ""
  public var umask: UInt32 = 0o022
  public var threadGroup = ProcessID(0)
  public var parent = ProcessID(0)
  /// The thread that traces this one; 0 for none.
  public var tracer = ThreadID(0)
  /// Real, effective, saved, file-system.
  public var userIDs: [UInt32] = [0, 0, 0, 0]
  public var groupIDs: [UInt32] = [0, 0, 0, 0]
  public var groups: [UInt32] = []
  /// Kilobytes locked in memory.
  public var lockedKilobytes: UInt64 = 0
  public var hugePagesEnabled = true
  /// Bit n−1 for signal n.
  public var ignoredSignals: UInt64 = 0
  public var caughtSignals: UInt64 = 0
  public var pendingSignals: UInt64 = 0
  public var sharedPendingSignals: UInt64 = 0
  public var inheritable: UInt64 = 0
  public var permitted: UInt64 = 0
  public var effective: UInt64 = 0
  public var bounding: UInt64 = 0
  public var ambient: UInt64 = 0
  public var noNewPrivileges = false
  /// 0 none, 1 strict, 2 filter.
  public var seccompMode: UInt32 = 0
  /// Return addresses are checked against a second stack (x86_Thread_features, Linux 6.6).
  public var hasShadowStack = false
  /// In a pid namespace below ours, where it has another id than the one we know (NSpid).
  public var hasOtherID = false
  /// Its id there.
  public var innermostID = ProcessID(0)

  public init(_ text: [UInt8]) {
    var scanner = TextScanner(text)
    while !scanner.isAtEnd {
      readLine(&scanner)
      scanner.skipLine()
    }
  }

  private mutating func readLine(_ scanner: inout TextScanner) {
    // The first letter spares most of the comparisons: this runs once per thread.
    switch scanner.next {
    case UInt8(ascii: "U"):
      if scanner.skip("Umask:") { umask = UInt32(scanner.number(radix: 8)) }
      if scanner.skip("Uid:") { userIDs = Self.four(&scanner) }
    case UInt8(ascii: "T"):
      if scanner.skip("Tgid:") { threadGroup = ProcessID(Int32(scanner.number())) }
      if scanner.skip("TracerPid:") { tracer = ThreadID(Int32(scanner.number())) }
      if scanner.skip("THP_enabled:") { hugePagesEnabled = scanner.number() != 0 }
    case UInt8(ascii: "P"):
      if scanner.skip("PPid:") { parent = ProcessID(Int32(scanner.number())) }
    case UInt8(ascii: "G"):
      if scanner.skip("Gid:") { groupIDs = Self.four(&scanner) }
      if scanner.skip("Groups:") { readGroups(&scanner) }
    case UInt8(ascii: "V"):
      if scanner.skip("VmLck:") { lockedKilobytes = scanner.number() }
    case UInt8(ascii: "S"): readSignals(&scanner)
    case UInt8(ascii: "C"): readCapabilities(&scanner)
    case UInt8(ascii: "N"):
      if scanner.skip("NSpid:") {
        innermostID = ProcessID(Int32(scanner.number()))
        scanner.skipBlanks()
        while scanner.next != UInt8(ascii: "\n") && !scanner.isAtEnd {
          hasOtherID = true
          innermostID = ProcessID(Int32(scanner.number()))
          scanner.skipBlanks()
        }
      }
      if scanner.skip("Name:\t") { name = Self.unescaped(scanner.textToLineEnd()) }
      if scanner.skip("NoNewPrivs:") { noNewPrivileges = scanner.number() != 0 }
    case UInt8(ascii: "x"):
      if scanner.skip("x86_Thread_features:") {
        scanner.skipBlanks()
        hasShadowStack = scanner.word() == "shstk"
      }
    default: break
    }
  }

  private mutating func readSignals(_ scanner: inout TextScanner) {
    if scanner.skip("SigPnd:") { pendingSignals = scanner.number(radix: 16) }
    if scanner.skip("ShdPnd:") { sharedPendingSignals = scanner.number(radix: 16) }
    if scanner.skip("SigIgn:") { ignoredSignals = scanner.number(radix: 16) }
    if scanner.skip("SigCgt:") { caughtSignals = scanner.number(radix: 16) }
    if scanner.skip("Seccomp:") { seccompMode = UInt32(scanner.number()) }
  }

  private mutating func readCapabilities(_ scanner: inout TextScanner) {
    if scanner.skip("CapInh:") { inheritable = scanner.number(radix: 16) }
    if scanner.skip("CapPrm:") { permitted = scanner.number(radix: 16) }
    if scanner.skip("CapEff:") { effective = scanner.number(radix: 16) }
    if scanner.skip("CapBnd:") { bounding = scanner.number(radix: 16) }
    if scanner.skip("CapAmb:") { ambient = scanner.number(radix: 16) }
  }

  private mutating func readGroups(_ scanner: inout TextScanner) {
    scanner.skipBlanks()
    while !scanner.isAtEnd, scanner.next != UInt8(ascii: "\n") {
      groups.append(UInt32(truncatingIfNeeded: scanner.number()))
      scanner.skipBlanks()
    }
  }

  /// seq_escape_str in fs/proc/array.c: `\n` for a line end, two backslashes for one.
  private static func unescaped(_ name: ByteString) -> ByteString {
    guard name.bytes.contains(UInt8(ascii: "\\")) else { return name }
    var bytes: [UInt8] = []
    var isEscape = false
    for byte in name.bytes {
      if !isEscape, byte == UInt8(ascii: "\\") {
        isEscape = true
      } else {
        bytes.append(isEscape && byte == UInt8(ascii: "n") ? UInt8(ascii: "\n") : byte)
        isEscape = false
      }
    }
    return ByteString(bytes)
  }

  private static func four(_ scanner: inout TextScanner) -> [UInt32] {
    var values: [UInt32] = []
    for _ in 0 ..< 4 { values.append(UInt32(truncatingIfNeeded: scanner.number())) }
    return values
  }
}
