// SPDX-License-Identifier: Apache-2.0

/// /proc/PID/stat, the fields we use; numbered as in proc_pid_stat(5).
///
/// The addresses and the exit code read as 0 without the right to trace the process.
public struct ProcessStat: Sendable {
  public var name: ByteString
  /// R running, S sleeping, D uninterruptible, T job-control stop, t tracing stop, Z zombie, X dead.
  public var state: UInt8
  public var parent: ProcessID
  public var group: ProcessID
  public var session: ProcessID
  /// Device number of the controlling terminal, 0 for none.
  public var terminal: UInt64
  public var foregroundGroup: ProcessID
  /// PF_* of linux/sched.h.
  public var flags: UInt32
  public var nice: Int32
  public var threadCount: Int
  /// Clock ticks after boot: with the pid, which process this is.
  public var startTime: UInt64
  /// Bytes of address space, and pages that are in memory.
  public var virtualSize: UInt64
  public var residentPages: UInt64
  public var code: MemoryRange
  public var stackStart: UInt64
  public var exitSignal: Int32
  /// It ran there last.
  public var processor: Int
  public var policy: UInt32
  public var data: MemoryRange
  public var heapStart: UInt64
  public var arguments: MemoryRange
  public var environment: MemoryRange
  /// As wait4(2) will report it.
  public var exitStatus: Int32

  /// nil if the text is not one.
  public init?(_ text: [UInt8]) {
    // The name may hold anything, parentheses too: it ends at the last one.
    guard let open = text.firstIndex(of: UInt8(ascii: "(")),
      let close = text.lastIndex(of: UInt8(ascii: ")")), open < close, close + 2 < text.count
    else { return nil }
    name = ByteString(text[(open + 1) ..< close])
    state = text[close + 2]

    var scanner = TextScanner(text, at: close + 3)
    var fields: [Int64] = []
    while true {
      scanner.skipBlanks()
      let start = scanner.position
      let value = scanner.signedNumber()
      if scanner.position == start { break }
      fields.append(value)
    }
    // The first of `fields` is number 4.
    func field(_ number: Int) -> Int64 { number - 4 < fields.count ? fields[number - 4] : 0 }
    func address(_ number: Int) -> UInt64 { UInt64(bitPattern: field(number)) }
    func process(_ number: Int) -> ProcessID { ProcessID(Int32(truncatingIfNeeded: field(number))) }

    parent = process(4)
    group = process(5)
    session = process(6)
    terminal = Self.device(UInt32(truncatingIfNeeded: field(7)))
    foregroundGroup = process(8)
    flags = UInt32(truncatingIfNeeded: field(9))
    nice = Int32(truncatingIfNeeded: field(19))
    threadCount = Int(field(20))
    startTime = address(22)
    virtualSize = address(23)
    residentPages = address(24)
    code = MemoryRange(start: address(26), end: address(27))
    stackStart = address(28)
    exitSignal = Int32(truncatingIfNeeded: field(38))
    processor = Int(field(39))
    policy = UInt32(truncatingIfNeeded: field(41))
    data = MemoryRange(start: address(45), end: address(46))
    heapStart = address(47)
    arguments = MemoryRange(start: address(48), end: address(49))
    environment = MemoryRange(start: address(50), end: address(51))
    exitStatus = Int32(truncatingIfNeeded: field(52))
  }

  /// PF_KTHREAD: a thread of the kernel, which has no memory of its own to save.
  public var isKernelThread: Bool { flags & 0x0020_0000 != 0 }
  /// It has ended, as a whole.
  public var isZombie: Bool { isMainThreadDead && threadCount <= 1 }
  /// Its main thread has ended while others run on, or are about to end, too.
  public var hasLostLeader: Bool { isMainThreadDead && threadCount > 1 }
  private var isMainThreadDead: Bool { state == UInt8(ascii: "Z") || state == UInt8(ascii: "X") }

  /// tty_nr is the kernel's new_encode_dev: minor bits 31-20 and 7-0, major bits 19-8.
  private static func device(_ number: UInt32) -> UInt64 {
    number == 0
      ? 0
      : deviceNumber(
        major: number >> 8 & 0xfff, minor: number & 0xff | number >> 12 & 0xfff00)
  }
}
