// SPDX-License-Identifier: Apache-2.0
import Linux

/// AArch64: call number in x8, arguments in x0…x5, result in x0.
///
/// The fields keep the order of the kernel's `struct user_pt_regs` (uapi/asm/ptrace.h), which is also
/// that of NT_PRSTATUS: x0…x30, sp, pc, pstate.
///
/// Unlike on x86 nothing in these registers tells that the stop interrupted a call: before any tracer
/// sees the thread, the kernel (arch/arm64/kernel/signal.c, do_signal) has put the first argument
/// back and the program counter on the `svc` again, and keeps what it will do to itself. So whether
/// the thread stands at a call is learnt from the instruction there, and what the kernel would do
/// from the number of the call.
public struct AArch64: Architecture {
  public static let registerCount = 34
  public var values: InlineArray<34, UInt64>
  /// The program counter is at an `svc`, whose call has been interrupted or is about to be made.
  var standsAtCall = false
  /// That call had ended with EINTR because of the stop.
  private var hidesInterruption = false

  enum Index {
    static let linkRegister = 30
    static let stackPointer = 31
    static let programCounter = 32
    static let status = 33
  }

  public static var machine: Machine { .aarch64 }

  /// `svc #0`
  public static var systemCallInstruction: [UInt8] { [0x01, 0x00, 0x00, 0xd4] }
  /// `svc #0; ret`, as in the vdso's own calls; `ret` goes where x30 says.
  public static var returningSystemCalls: [[UInt8]] { [systemCallInstruction + [0xc0, 0x03, 0x5f, 0xd6]] }
  /// `mov x8, #139; svc #0`: the vdso's __kernel_rt_sigreturn.
  public static var signalReturns: [[UInt8]] { [[0x68, 0x11, 0x80, 0xd2] + systemCallInstruction] }

  /// In the order in which they are set: NT_PRFPREG, NT_ARM_TLS, NT_ARM_SVE (which holds the first again
  /// where SVE exists), NT_ARM_PACA_KEYS, NT_ARM_PACG_KEYS, NT_ARM_TAGGED_ADDR_CTRL,
  /// NT_ARM_PAC_ENABLED_KEYS. Break- and watchpoints are a debugger's, not the thread's.
  public static var extraRegisterSets: [UInt32] {
    [2, 0x401, 0x405, 0x407, 0x408, 0x409, 0x40a]
  }
  /// NT_ARM_SVE, else NT_PRFPREG.
  public static var extendedStateSets: [[UInt32]] { [[0x405], [2]] }
  /// NT_ARM_SVE: what goes beyond NT_PRFPREG is lost (Documentation/arm64/sve.rst, section 3).
  public static var setDiscardedByCalls: UInt32? { 0x405 }

  public init?(generalRegisters bytes: [UInt8]) {
    guard bytes.count >= Self.registerCount * 8 else { return nil }
    values = InlineArray { register in
      bytes.withUnsafeBytes {
        UInt64(littleEndian: $0.loadUnaligned(fromByteOffset: register * 8, as: UInt64.self))
      }
    }
  }

  public var generalRegisters: [UInt8] {
    [UInt8](unsafeUninitializedCapacity: Self.registerCount * 8) { buffer, count in
      for register in 0 ..< Self.registerCount {
        UnsafeMutableRawBufferPointer(buffer).storeBytes(
          of: values[register].littleEndian, toByteOffset: register * 8, as: UInt64.self)
      }
      count = Self.registerCount * 8
    }
  }

  public var programCounter: UInt64 {
    get { values[Index.programCounter] }
    set {
      values[Index.programCounter] = newValue
      standsAtCall = false
    }
  }

  public var stackPointer: UInt64 {
    get { values[Index.stackPointer] }
    set { values[Index.stackPointer] = newValue }
  }

  public mutating func hang(on lifeline: UInt64, signalReturn: UInt64) {
    stackPointer = lifeline
    values[Index.linkRegister] = signalReturn
  }

  // MARK: Calls

  public mutating func prepare(_ call: SystemCall, at instruction: UInt64) {
    programCounter = instruction
    values[8] = call.number
    for index in call.arguments.indices.prefix(6) { values[index] = call.arguments[index] }
  }

  public var outcome: Result<UInt64, Errno> {
    let value = Int64(bitPattern: values[0])
    guard (-4095 ... -1).contains(value) else { return .success(values[0]) }
    return .failure(Errno(rawValue: Int32(-value)))
  }

  public mutating func setResult(_ value: Int64) {
    if standsAtCall { programCounter += 4 }
    values[0] = UInt64(bitPattern: value)
  }

  public var wantsInstruction: Bool { true }

  public mutating func stand(at instruction: [UInt8]) {
    standsAtCall = instruction == Self.systemCallInstruction
  }

  public var currentCall: SystemCall? {
    guard standsAtCall else { return nil }
    return SystemCall(number: values[8], arguments: (0 ..< 6).map { values[$0] })
  }

  public var interruptedCall: InterruptedCall? {
    guard standsAtCall else { return nil }
    return interruption == .restartBlock ? .withRestartBlock : .again
  }

  /// What the kernel's functions return when these calls are interrupted (include/linux/errno.h).
  private enum Interruption: Int64 {
    case system = -512  // ERESTARTSYS
    case noHandler = -514  // ERESTARTNOHAND
    case restartBlock = -516  // ERESTART_RESTARTBLOCK
  }

  /// Calls that end with EINTR at any stop, and whether this one would have waited for ever.
  private var isEndlessWait: Bool {
    switch values[8] {
    case 63, 193: true  // read of inotify, semop
    case 22: Int32(truncatingIfNeeded: values[3]) < 0  // epoll_pwait
    case 441, 192: values[3] == 0  // epoll_pwait2, semtimedop
    case 137: values[2] == 0  // rt_sigtimedwait
    case 4: values[4] == 0  // io_getevents
    default: false
    }
  }

  private var interruption: Interruption {
    if hidesInterruption { return .noHandler }
    return switch values[8] {
    // ppoll, pselect6, rt_sigsuspend, msgrcv
    case 73, 72, 133, 188: .noHandler
    case 101: .restartBlock  // nanosleep
    // clock_nanosleep: until a moment (TIMER_ABSTIME), or for a time.
    case 115: values[1] & 1 != 0 ? .noHandler : .restartBlock
    // futex: FUTEX_WAIT and FUTEX_WAIT_BITSET with a time-out.
    case 98: (values[1] & 0x7f == 0 || values[1] & 0x7f == 9) && values[3] != 0 ? .restartBlock : .system
    default: .system
    }
  }

  public mutating func repeatInterruptedCall() { standsAtCall = false }

  public mutating func repeatInterruptedCall(with arguments: [UInt64]) {
    repeatInterruptedCall()
    for index in 0 ..< min(6, arguments.count) { values[index] = arguments[index] }
  }

  public static var losesFirstArgument: Bool { true }

  /// The first argument has given way to −EINTR. It is what it was when the thread was seen
  /// asleep, in the same call with the same stack.
  public mutating func hideInterruption(of sleep: SleepingCall?) {
    guard let sleep, !standsAtCall, values[0] == UInt64(bitPattern: -4), isEndlessWait,
      sleep.call.number == values[8], sleep.stackPointer == stackPointer,
      sleep.programCounter == programCounter
    else { return }
    values[0] = sleep.call.arguments[0]
    values[Index.programCounter] -= 4
    standsAtCall = true
    hidesInterruption = true
  }

  public mutating func setNumber(ofInterruptedCall number: UInt64) {}

  public static var resumesByRestartBlock: Bool { false }

  public mutating func abandonInterruptedCall() { setResult(-4) }

  /// The kernel restores x7 after a stop in a call, and decides about an interrupted call by x0 and
  /// by the first argument of the last one (pt_regs.orig_x0), which we have no other way to set: so the last
  /// call of all is one that looks at no argument and has both.
  public func farewell(from calling: AArch64) -> Farewell<AArch64>? {
    if !standsAtCall, calling.values[7] == values[7] { return nil }
    var before = calling
    before.values[7] = values[7]
    var after = self
    var inCall: Int32 = -1
    if standsAtCall {
      after.values[0] = UInt64(bitPattern: interruption.rawValue)
      after.values[Index.programCounter] += 4
      inCall = Int32(truncatingIfNeeded: values[8])
    }
    return Farewell(
      call: SystemCall(number: 172, arguments: [values[0]]), before: before, after: after,
      // NT_ARM_SYSTEM_CALL
      set: (0x404, withUnsafeBytes(of: inCall.littleEndian) { Array($0) }))
  }
}
