// SPDX-License-Identifier: Apache-2.0
import Linux

/// 32-bit ARM (EABI): call number in r7, arguments in r0…r5, result in r0.
///
/// The fields keep the order of the kernel's `struct pt_regs` (uapi/asm/ptrace.h of arch/arm), which is
/// also that of NT_PRSTATUS: r0…r15, cpsr, and r0 as it was before the call that the thread is in (-1 outside
/// of calls). An AArch64 kernel shows a thread that runs 32-bit code in the same form.
///
/// As on AArch64 the kernel has hidden the interruption of a call before a tracer sees the thread
/// (arch/arm/kernel/signal.c, do_signal): the first argument is back, and the program counter on the `svc`. What
/// it will do, and with which number, it keeps in registers of its own; so a thread that made calls for us
/// has to make its own again at the end, see `callToMakeAgain`.
public struct ARM: Architecture {
  public static let registerCount = 18
  public var values: InlineArray<18, UInt32>
  /// The program counter is at an `svc`, whose call has been interrupted or is about to be made.
  private var standsAtCall = false

  enum Index {
    static let number = 7
    static let shownAtCalls = 12
    static let stackPointer = 13
    static let programCounter = 15
    static let status = 16
    static let originalR0 = 17
  }

  /// Bits of the status register.
  private enum Status {
    static let thumb: UInt32 = 1 << 5
    /// What else decides how instructions are read: Jazelle, and how far an IT block is done.
    static let state: UInt32 = thumb | 1 << 24 | 0x0600_fc00
    static let conditions: UInt32 = 0xf000_0000
  }

  public static var machine: Machine { .arm }

  /// `svc #0`
  public static var systemCallInstruction: [UInt8] { [0x00, 0x00, 0x00, 0xef] }

  /// The [sigpage] that the kernel maps into every program: an `svc`, after it two Thumb instructions that
  /// ARM code reads as one `svcle`, and the call of rt_sigreturn. So with clear flags a call made there goes
  /// on to rt_sigreturn. The second form is an AArch64 kernel's.
  public static var returningSystemCalls: [[UInt8]] {
    [
      [0x77, 0x00, 0x90, 0xef, 0x77, 0x27, 0x00, 0xdf, 0xad, 0x70, 0xa0, 0xe3, 0xad, 0x00, 0x90, 0xef],
      [0x77, 0x00, 0x00, 0xef, 0x77, 0x27, 0x77, 0xdf, 0xad, 0x70, 0xa0, 0xe3, 0xad, 0x00, 0x00, 0xef],
    ]
  }
  /// `mov r7, #173; svc`: of the [sigpage], and of C libraries.
  public static var signalReturns: [[UInt8]] {
    [[0x90, 0xef], [0x00, 0xef]].map { [0xad, 0x70, 0xa0, 0xe3, 0xad, 0x00] + $0 }
      + [[0xad, 0x70, 0xa0, 0xe3, 0x00, 0x00, 0x00, 0xef]]
  }

  /// NT_ARM_VFP: 32 registers of 64 bits, and fpscr. NT_ARM_TLS: the thread register, as AArch64 has it.
  public static var extraRegisterSets: [UInt32] { [0x400, 0x401] }
  public static func callSetting(_ noteType: UInt32) -> SystemCallName? {
    noteType == 0x401 ? .setTLS : nil
  }

  public init?(generalRegisters bytes: [UInt8]) {
    guard bytes.count >= Self.registerCount * 4 else { return nil }
    values = InlineArray { register in
      bytes.withUnsafeBytes {
        UInt32(littleEndian: $0.loadUnaligned(fromByteOffset: register * 4, as: UInt32.self))
      }
    }
  }

  public var generalRegisters: [UInt8] {
    [UInt8](unsafeUninitializedCapacity: Self.registerCount * 4) { buffer, count in
      for register in 0 ..< Self.registerCount {
        UnsafeMutableRawBufferPointer(buffer).storeBytes(
          of: values[register].littleEndian, toByteOffset: register * 4, as: UInt32.self)
      }
      count = Self.registerCount * 4
    }
  }

  public var programCounter: UInt64 {
    get { UInt64(values[Index.programCounter]) }
    set {
      values[Index.programCounter] = UInt32(truncatingIfNeeded: newValue)
      standsAtCall = false
    }
  }

  public var stackPointer: UInt64 {
    get { UInt64(values[Index.stackPointer]) }
    set { values[Index.stackPointer] = UInt32(truncatingIfNeeded: newValue) }
  }

  private var isThumb: Bool { values[Index.status] & Status.thumb != 0 }
  private var instructionSize: UInt64 { isThumb ? 2 : 4 }

  // MARK: Calls

  public mutating func prepare(_ call: SystemCall, at instruction: UInt64) {
    programCounter = instruction
    values[Index.status] &= ~(Status.state | Status.conditions)
    values[Index.number] = UInt32(truncatingIfNeeded: call.number)
    let arguments = Self.arguments(of: call)
    for index in arguments.indices.prefix(6) {
      values[index] = UInt32(truncatingIfNeeded: arguments[index])
    }
    values[Index.originalR0] = values[0]
  }

  /// 64-bit offsets take two registers, an even one and the next; but mmap2 counts pages of 4096 bytes, and vectored
  /// calls take two words wherever they stand.
  private static func arguments(of call: SystemCall) -> [UInt64] {
    let arguments = call.arguments
    let number = Optional(call.number)
    guard arguments.count > 3 else { return arguments }
    let (head, offset) = (Array(arguments[..<3]), arguments[3])
    if number == Self.number(of: .mmap), arguments.count > 5 {
      return arguments[..<5] + [arguments[5] >> 12]
    } else if number == Self.number(of: .pread64) {
      return head + [0, offset, offset >> 32]
    } else if number == Self.number(of: .preadv) || number == Self.number(of: .pwritev) {
      return head + [offset, offset >> 32]
    }
    return arguments
  }

  private var result: Int32 { Int32(bitPattern: values[0]) }

  public var outcome: Result<UInt64, Errno> {
    guard (-4095 ... -1).contains(result) else { return .success(UInt64(values[0])) }
    return .failure(Errno(rawValue: -result))
  }

  public mutating func setResult(_ value: Int64) {
    if standsAtCall { programCounter += instructionSize }
    values[0] = UInt32(truncatingIfNeeded: value)
  }

  public var wantsInstruction: Bool { true }

  /// Any `svc`: where the kernel takes the number from r7, nobody looks at the one in the instruction.
  public mutating func stand(at instruction: [UInt8]) {
    standsAtCall =
      isThumb
      ? instruction.count >= 2 && instruction[1] == 0xdf
      : instruction.count >= 4 && instruction[3] == 0xef
  }

  public var currentCall: SystemCall? {
    guard standsAtCall else { return nil }
    return SystemCall(
      number: UInt64(values[Index.number]), arguments: (0 ..< 6).map { UInt64(values[$0]) })
  }

  public var interruptedCall: InterruptedCall? {
    guard standsAtCall else { return nil }
    return hasRestartBlock ? .withRestartBlock : .again
  }

  /// Calls that the kernel continues by restart_syscall(2), unless they have not begun yet.
  private var hasRestartBlock: Bool {
    guard values[Index.originalR0] != .max else { return false }
    return switch values[Index.number] {
    case 162, 168: true  // nanosleep, poll
    // clock_nanosleep and its _time64: for a time, not until a moment (TIMER_ABSTIME).
    case 265, 407: values[1] & 1 == 0
    // futex and its _time64: FUTEX_WAIT and FUTEX_WAIT_BITSET with a time-out.
    case 240, 422: (values[1] & 0x7f == 0 || values[1] & 0x7f == 9) && values[3] != 0
    default: false
    }
  }

  /// Calls that end with EINTR at any stop, and whether this one would have waited for ever.
  private var isEndlessWait: Bool {
    switch values[Index.number] {
    case 3, 298: true  // read of inotify, semop
    case 252, 346: Int32(bitPattern: values[3]) < 0  // epoll_wait, epoll_pwait
    case 441, 312, 420: values[3] == 0  // epoll_pwait2, semtimedop, its _time64
    case 177, 421: values[2] == 0  // rt_sigtimedwait, its _time64
    case 245: values[4] == 0  // io_getevents
    default: false
    }
  }

  /// The first argument has given way to −EINTR, but stands in the last of the registers.
  public mutating func hideInterruption(of sleep: SleepingCall?) {
    guard !standsAtCall, result == -4, values[Index.originalR0] != .max, isEndlessWait else { return }
    values[0] = values[Index.originalR0]
    programCounter -= instructionSize
    standsAtCall = true
  }

  public mutating func repeatInterruptedCall() { standsAtCall = false }

  public mutating func repeatInterruptedCall(with arguments: [UInt64]) {
    repeatInterruptedCall()
    for index in arguments.indices.prefix(6) {
      values[index] = UInt32(truncatingIfNeeded: arguments[index])
    }
  }

  public mutating func setNumber(ofInterruptedCall number: UInt64) {}

  public static var resumesByRestartBlock: Bool { false }

  public mutating func abandonInterruptedCall() { setResult(-4) }

  public var callToMakeAgain: UInt64? {
    guard standsAtCall else { return nil }
    return hasRestartBlock ? Self.number(of: .restartSyscall) : UInt64(values[Index.number])
  }

  public mutating func interruptAgain(after call: UInt64) {
    guard result == -4, call == UInt64(values[Index.number]), isEndlessWait else { return }
    values[0] = UInt32(bitPattern: -514)  // ERESTARTNOHAND
  }

  /// At a stop in a call the kernel shows 0 or 1 in r12, for the way in and the way out, and puts back what the call
  /// began with (arch/arm/kernel/ptrace.c, report_syscall). And it would take a program's own -512 … -516 in r0
  /// for an interrupted call.
  public func mustBeOutside(ofCallFrom calling: ARM) -> Bool {
    let shown = calling.values[Index.shownAtCalls]
    return shown <= 1 || shown != values[Index.shownAtCalls]
      || !standsAtCall && (-516 ... -512).contains(result)
  }
}
