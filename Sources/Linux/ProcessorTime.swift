// SPDX-License-Identifier: Apache-2.0
import CLinux

/// When a thread ran last, and how often it has gone to sleep: /proc/PID/task/TID/sched.
///
/// Kernels before 6.15 have that file only with CONFIG_SCHED_DEBUG, as those of distributions are built.
public struct LastRun: Sendable {
  /// Nanoseconds by the clock of the processor that it ran on.
  public var moment: UInt64
  public var voluntarySwitches: UInt64

  /// nil if the text is not one.
  public init?(_ text: [UInt8]) {
    guard let ran = Self.value(of: "se.exec_start", in: text),
      let switches = Self.value(of: "nr_voluntary_switches", in: text)
    else { return nil }
    var scanner = TextScanner(text, at: ran)
    // Milliseconds, a point, six digits.
    moment = scanner.number() * 1_000_000
    guard scanner.skip(".") else { return nil }
    moment += scanner.number()
    scanner = TextScanner(text, at: switches)
    voluntarySwitches = scanner.number()
  }

  public init?(of thread: ThreadID, _ process: ProcessID) {
    guard let text = try? ProcessFiles(thread, of: process).read("sched") else { return nil }
    self.init(text)
  }

  /// Where the number behind `name … :` begins.
  private static func value(of name: ByteString, in text: [UInt8]) -> Int? {
    var scanner = TextScanner(text)
    while !scanner.isAtEnd {
      if scanner.word() == name {
        scanner.skipBlanks()
        guard scanner.skip(":") else { return nil }
        scanner.skipBlanks()
        return scanner.position
      }
      scanner.skipLine()
    }
    return nil
  }
}

/// The clocks of the processors, by which the kernel counts what threads use, against CLOCK_MONOTONIC.
public struct ProcessorTime: ~Copyable {
  private var offsets: [Int: UInt64?] = [:]
  private let before = try? cpuAffinity(of: ThreadID(0))
  private var hasMoved = false

  public init() {}

  deinit {
    if hasMoved, let before { try? setCPUAffinity(before, of: ThreadID(0)) }
  }

  /// When a thread ran last, by CLOCK_MONOTONIC in nanoseconds, at the earliest; nil where nobody can tell.
  public mutating func monotonic(_ run: LastRun, on processor: Int) -> UInt64? {
    if offsets[processor] == nil { offsets[processor] = .some(offset(of: processor)) }
    guard let offset = offsets[processor], let offset else { return nil }
    return run.moment &+ offset
  }

  /// By running there: what the kernel shows of ourselves was true when we last came to run.
  private mutating func offset(of processor: Int) -> UInt64? {
    guard let before, processor >= 0, processor / 8 < before.count else { return nil }
    var one = [UInt8](repeating: 0, count: before.count)
    one[processor / 8] = 1 << UInt8(processor % 8)
    guard (try? setCPUAffinity(one, of: ThreadID(0))) != nil else { return nil }
    hasMoved = true
    _ = cr_syscall(Int(SYS_sched_yield), 0, 0, 0, 0, 0, 0)
    guard let own = LastRun(of: ThreadID(ProcessID.own.rawValue), .own) else { return nil }
    return Clock.monotonic.reading &- own.moment
  }
}
