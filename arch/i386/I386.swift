// SPDX-License-Identifier: Apache-2.0
import Linux

/// 32-bit x86: call number in eax, arguments in ebx, ecx, edx, esi, edi, ebp, result in eax.
///
/// The fields keep the order of the kernel's `struct user_regs_struct` (asm/user_32.h), which is also
/// that of NT_PRSTATUS. A 64-bit kernel shows a thread that runs 32-bit code in the same form.
public struct I386: Architecture {
  public static let registerCount = 17
  /// ebx ecx edx esi edi ebp eax ds es fs gs orig_eax eip cs eflags esp ss
  public var values: InlineArray<17, UInt32>

  enum Index {
    static let ebx = 0
    static let ecx = 1
    static let edx = 2
    static let esi = 3
    static let edi = 4
    static let ebp = 5
    static let eax = 6
    static let ds = 7
    static let es = 8
    static let fs = 9
    static let gs = 10
    static let originalEax = 11
    static let eip = 12
    static let cs = 13
    static let flags = 14
    static let esp = 15
    static let ss = 16
  }

  /// ebx, ecx, edx, esi, edi and ebp, which stand at the beginning in this order.
  private static var argumentCount: Int { 6 }

  public static var machine: Machine { .i386 }

  /// `int $0x80`: also where a program enters by sysenter or syscall, the kernel lets it return behind
  /// such an instruction in the vdso (arch/x86/entry/vdso/vdso32/system_call.S), made for making an
  /// interrupted call again.
  public static var systemCallInstruction: [UInt8] { [0xcd, 0x80] }

  /// `int $0x80; pop %ebp; pop %edx; pop %ecx; ret`, the end of the vdso's __kernel_vsyscall. A frame
  /// for a stack therefore begins with three words that nobody needs.
  public static var returningSystemCalls: [[UInt8]] { [systemCallInstruction + [0x5d, 0x5a, 0x59, 0xc3]] }
  static var poppedBytes: Int { 12 }

  /// `mov $173, %eax; int $0x80`: the vdso's __kernel_rt_sigreturn, and restorers of C libraries.
  public static var signalReturns: [[UInt8]] { [[0xb8, 173, 0, 0, 0, 0xcd, 0x80]] }

  /// NT_386_TLS, since a selector in gs is looked up there when it is loaded; then NT_X86_XSTATE.
  public static var extraRegisterSets: [UInt32] { [0x200, 0x202] }
  public static var extendedStateSets: [[UInt32]] { [[0x202]] }

  /// `struct user_i387_struct` (fsave, 108 bytes), made from what heads every xsave image.
  public static func floatingPointNote(from set: (UInt32) -> [UInt8]) -> [UInt8] {
    FloatingPoint32(xsave: set(0x202))?.bytes ?? []
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
    get { UInt64(values[Index.eip]) }
    set { values[Index.eip] = UInt32(truncatingIfNeeded: newValue) }
  }

  public var stackPointer: UInt64 {
    get { UInt64(values[Index.esp]) }
    set { values[Index.esp] = UInt32(truncatingIfNeeded: newValue) }
  }

  /// Whether a segment register selects from the local descriptor table (modify_ldt(2)), bit 2 of a
  /// selector.
  public var usesLocalDescriptors: Bool {
    for index in [Index.cs, Index.ds, Index.es, Index.fs, Index.gs, Index.ss]
    where values[index] & 4 != 0 { return true }
    return false
  }

  // MARK: Calls

  public mutating func prepare(_ call: SystemCall, at instruction: UInt64) {
    programCounter = instruction
    values[Index.eax] = UInt32(truncatingIfNeeded: call.number)
    // Not in a call as far as the kernel is concerned: it must not try to restart anything.
    values[Index.originalEax] = .max
    let arguments = Self.arguments(of: call)
    for index in arguments.indices.prefix(Self.argumentCount) {
      values[index] = UInt32(truncatingIfNeeded: arguments[index])
    }
  }

  /// 64-bit offsets take two registers, but mmap2 counts pages of 4096 bytes.
  private static func arguments(of call: SystemCall) -> [UInt64] {
    var arguments = call.arguments
    let number = Optional(call.number)
    if number == Self.number(of: .mmap) {
      if arguments.count > 5 { arguments[5] >>= 12 }
    } else if number == Self.number(of: .pread64) || number == Self.number(of: .preadv)
      || number == Self.number(of: .pwritev)
    {
      if arguments.count > 3 {
        arguments = Array(arguments[..<4]) + [arguments[3] >> 32]
      }
    }
    return arguments
  }

  private var result: Int32 { Int32(bitPattern: values[Index.eax]) }
  private var isInCall: Bool { Int32(bitPattern: values[Index.originalEax]) >= 0 }

  public var outcome: Result<UInt64, Errno> {
    guard (-4095 ... -1).contains(result) else { return .success(UInt64(values[Index.eax])) }
    return .failure(Errno(rawValue: -result))
  }

  public mutating func setResult(_ value: Int64) {
    values[Index.eax] = UInt32(truncatingIfNeeded: value)
    values[Index.originalEax] = .max
  }

  public var currentCall: SystemCall? {
    guard isInCall else { return nil }
    let call = SystemCall(
      number: UInt64(values[Index.originalEax]),
      arguments: (0 ..< Self.argumentCount).map { UInt64(values[$0]) })
    return Self.direct(call) ?? call
  }

  /// What ipc(2) was asked for, as the call that a newer program makes instead; nil for every other
  /// call. Numbers of <linux/ipc.h>; the first argument is behind the kind of call.
  private static func direct(_ call: SystemCall) -> SystemCall? {
    guard call.number == 117 else { return nil }
    let first = call.arguments[1]
    let pointer = call.arguments[4]
    let name: SystemCallName
    switch call.arguments[0] & 0xffff {
    case 1, 4: name = .semop
    case 11: name = .msgsnd
    case 12: name = .msgrcv
    default: return nil
    }
    guard let number = number(of: name) else { return nil }
    return SystemCall(
      number: number, arguments: [first, pointer, call.arguments[2], call.arguments[5], 0, 0])
  }

  public var interruptedCall: InterruptedCall? {
    guard isInCall else { return nil }
    switch result {
    case -512, -513, -514: return .again
    case -516: return .withRestartBlock
    default: return nil
    }
  }

  public mutating func hideInterruption(of sleep: SleepingCall?) {
    guard isInCall, result == -4, isEndlessWait else { return }
    values[Index.eax] = UInt32(bitPattern: -514)  // ERESTARTNOHAND
  }

  /// Calls that end with EINTR at any stop, and whether this one would have waited for ever.
  private var isEndlessWait: Bool {
    switch values[Index.originalEax] {
    case 3: true  // read of inotify
    case 117:
      values[Index.ebx] & 0xffff == 1  // ipc: semop
        || values[Index.ebx] & 0xffff == 4 && values[Index.ebp] == 0  // semtimedop
    case 256, 319: Int32(bitPattern: values[Index.esi]) < 0  // epoll_wait, epoll_pwait
    case 441, 420: values[Index.esi] == 0  // epoll_pwait2, semtimedop_time64
    case 177, 421: values[Index.edx] == 0  // rt_sigtimedwait, its _time64
    default: false
    }
  }

  public mutating func repeatInterruptedCall() {
    values[Index.eax] = values[Index.originalEax]
    values[Index.eip] &-= UInt32(Self.systemCallInstruction.count)
    values[Index.originalEax] = .max
  }

  public mutating func repeatInterruptedCall(with arguments: [UInt64]) {
    repeatInterruptedCall()
    for index in arguments.indices.prefix(Self.argumentCount) {
      values[index] = UInt32(truncatingIfNeeded: arguments[index])
    }
  }

  public mutating func setNumber(ofInterruptedCall number: UInt64) {
    values[Index.originalEax] = UInt32(truncatingIfNeeded: number)
  }

  public static var resumesByRestartBlock: Bool { true }

  public mutating func abandonInterruptedCall() { setResult(-4) }
}
