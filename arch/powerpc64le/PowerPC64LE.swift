// SPDX-License-Identifier: Apache-2.0
import Linux

/// 64-bit PowerPC, little endian: call number in r0, arguments in r3…r8, result in r3.
///
/// The fields keep the order of the kernel's `struct user_pt_regs` (uapi/asm/ptrace.h), which is also
/// that of NT_PRSTATUS: r0…r31, nip, msr, orig_gpr3, ctr, link, xer, ccr, softe, trap, dar, dsisr,
/// result, and four that are empty.
///
/// There are two instructions that enter the kernel. `sc` says "failed" in a bit of the condition
/// register and leaves errno positive; `scv 0`, which glibc takes where AT_HWCAP2 has it, returns
/// -errno. `trap` tells which of them a stop is in, if any. As on x86 the tracer sees a call that the
/// stop interrupted before the kernel decides how it goes on (arch/powerpc/kernel/signal.c,
/// check_syscall_restart), by these very registers.
public struct PowerPC64LE: Architecture {
  public static let registerCount = 48
  public var values: InlineArray<48, UInt64>

  enum Index {
    static let stackPointer = 1
    static let result = 3
    static let programCounter = 32
    static let machineState = 33
    static let originalResult = 34
    static let linkRegister = 36
    static let condition = 38
    static let trap = 40
  }

  private enum Entry { case sc, scv }

  /// SO of cr0.
  private static var failed: UInt64 { 0x1000_0000 }
  /// r3…r8.
  private static var argumentCount: Int { 6 }

  public static var machine: Machine { .powerpc64le }

  /// `sc`
  public static var systemCallInstruction: [UInt8] { [0x02, 0x00, 0x00, 0x44] }
  /// All return by the link register, whether the call failed or not: `sc; blr`; `sc; mfcr r0; blr`, a
  /// function's last call in C; and the vdso's own calls, which every process has:
  /// `sc; bns+ 1f; neg r3, r3; 1: extsw r3, r3; blr`.
  public static var returningSystemCalls: [[UInt8]] {
    let blr: [UInt8] = [0x20, 0x00, 0x80, 0x4e]
    let negate: [UInt8] = [
      0x08, 0x00, 0xe3, 0x40, 0xd0, 0x00, 0x63, 0x7c, 0xb4, 0x07, 0x63, 0x7c,
    ]
    return [[], [0x26, 0x00, 0x00, 0x7c], negate].map { systemCallInstruction + $0 + blr }
  }
  /// `addi r1, r1, 128; li r0, 172; sc`: the vdso's __kernel_sigtramp_rt64. A frame for a stack
  /// therefore begins with 128 bytes that nobody needs.
  public static var signalReturns: [[UInt8]] {
    [[0x80, 0x00, 0x21, 0x38, 0xac, 0x00, 0x00, 0x38] + systemCallInstruction]
  }

  /// NT_PRFPREG, NT_PPC_VMX, NT_PPC_VSX, NT_PPC_TAR, NT_PPC_PPR, NT_PPC_DSCR, NT_PPC_TM_SPR. Not
  /// NT_PPC_EBB and NT_PPC_PMU, which belong to perf events, nor the other NT_PPC_TM_*, which are
  /// there within a transaction only.
  public static var extraRegisterSets: [UInt32] { [2, 0x100, 0x102, 0x103, 0x104, 0x105, 0x10c] }
  /// NT_PRFPREG, NT_PPC_VMX, NT_PPC_VSX: a signal frame has all three.
  public static var extendedStateSets: [[UInt32]] { [[2, 0x100, 0x102]] }

  /// `xxlor vs0, vs0, vs0`: a thread that has never used a vector register gets none in its signal
  /// frames, and rt_sigreturn(2) then clears what a tracer has set (signal_64.c, used_vr and used_vsr).
  public static var wakingInstruction: [UInt8] { [0x90, 0x04, 0x00, 0xf0] }

  /// PT_DSCR for NT_PPC_DSCR: only by this way the kernel also remembers that the thread has a value
  /// of its own (dscr_inherit), without which it is never loaded.
  public static func userWord(of noteType: UInt32) -> UInt64? { noteType == 0x105 ? 44 : nil }

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
    set { values[Index.programCounter] = newValue }
  }

  public var stackPointer: UInt64 {
    get { values[Index.stackPointer] }
    set { values[Index.stackPointer] = newValue }
  }

  public mutating func hang(on lifeline: UInt64, signalReturn: UInt64) {
    stackPointer = lifeline
    values[Index.linkRegister] = signalReturn
  }

  /// Whether it is inside a memory transaction, whose registers before the beginning the kernel
  /// keeps (MSR_TS).
  public var isInTransaction: Bool { values[Index.machineState] >> 33 & 3 != 0 }

  // MARK: Calls

  /// By the low bits of `trap` the kernel marks things of its own.
  private var entry: Entry? {
    switch values[Index.trap] & ~0xf {
    case 0xc00: .sc
    case 0x3000: .scv
    default: nil
    }
  }

  public mutating func prepare(_ call: SystemCall, at instruction: UInt64) {
    programCounter = instruction
    values[0] = call.number
    // Not in a call as far as the kernel is concerned: it must not try to restart anything.
    values[Index.trap] = 0
    for index in call.arguments.indices.prefix(Self.argumentCount) {
      values[Index.result + index] = call.arguments[index]
    }
  }

  private var errno: Int32? {
    let value = Int64(bitPattern: values[Index.result])
    if case .scv? = entry {
      return (-4095 ... -1).contains(value) ? Int32(-value) : nil
    }
    return values[Index.condition] & Self.failed == 0 ? nil : Int32(truncatingIfNeeded: value)
  }

  public var outcome: Result<UInt64, Errno> {
    errno.map { .failure(Errno(rawValue: $0)) } ?? .success(values[Index.result])
  }

  public mutating func setResult(_ value: Int64) {
    let isError = (-4095 ... -1).contains(value)
    if case .scv? = entry {
      values[Index.result] = UInt64(bitPattern: value)
    } else {
      values[Index.result] = UInt64(bitPattern: isError ? -value : value)
      values[Index.condition] = values[Index.condition] & ~Self.failed | (isError ? Self.failed : 0)
    }
  }

  public var currentCall: SystemCall? {
    guard entry != nil else { return nil }
    var arguments = (0 ..< Self.argumentCount).map { values[Index.result + $0] }
    arguments[0] = values[Index.originalResult]
    let call = SystemCall(number: values[0], arguments: arguments)
    return Self.direct(call) ?? call
  }

  /// What ipc(2) was asked for, as the call that a newer program makes instead; nil for every other
  /// call. Numbers of <linux/ipc.h>; the first argument is the kind of call.
  private static func direct(_ call: SystemCall) -> SystemCall? {
    guard call.number == 117 else { return nil }
    let name: SystemCallName
    switch call.arguments[0] & 0xffff {
    case 1, 4: name = .semtimedop
    case 11: name = .msgsnd
    case 12: name = .msgrcv
    default: return nil
    }
    guard let number = number(of: name) else { return nil }
    let rest = call.arguments
    return SystemCall(number: number, arguments: [rest[1], rest[4], rest[2], rest[5], 0, 0])
  }

  public var interruptedCall: InterruptedCall? {
    guard entry != nil else { return nil }
    switch errno {
    case 512, 513, 514: return .again
    case 516: return .withRestartBlock
    default: return nil
    }
  }

  public mutating func hideInterruption(of sleep: SleepingCall?) {
    guard entry != nil, errno == 4, isEndlessWait else { return }
    setResult(-514)  // ERESTARTNOHAND
  }

  /// Calls that end with EINTR at any stop, and whether this one would have waited for ever.
  private var isEndlessWait: Bool {
    switch values[0] {
    case 3: true  // read of inotify
    case 117:
      values[Index.originalResult] & 0xffff == 1  // ipc: semop
        || values[Index.originalResult] & 0xffff == 4 && values[8] == 0  // semtimedop
    case 238, 303: Int32(truncatingIfNeeded: values[6]) < 0  // epoll_wait, epoll_pwait
    case 441, 392: values[6] == 0  // epoll_pwait2, semtimedop
    case 176: values[5] == 0  // rt_sigtimedwait
    case 229: values[7] == 0  // io_getevents
    default: false
    }
  }

  public mutating func repeatInterruptedCall() {
    values[Index.result] = values[Index.originalResult]
    programCounter &-= UInt64(Self.systemCallInstruction.count)
    values[Index.trap] = 0
  }

  public mutating func repeatInterruptedCall(with arguments: [UInt64]) {
    repeatInterruptedCall()
    for index in arguments.indices.prefix(Self.argumentCount) {
      values[Index.result + index] = arguments[index]
    }
  }

  public mutating func setNumber(ofInterruptedCall number: UInt64) {}

  public static var resumesByRestartBlock: Bool { false }

  public mutating func abandonInterruptedCall() { setResult(-4) }
}
