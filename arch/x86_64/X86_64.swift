// SPDX-License-Identifier: Apache-2.0
import Linux

/// 64-bit x86: call number in rax, arguments in rdi, rsi, rdx, r10, r8, r9, result in rax.
///
/// The fields keep the order of the kernel's `struct user_regs_struct` (asm/user_64.h), which is
/// also that of NT_PRSTATUS, so that the context file stores them as they are.
public struct X86_64: Architecture {
  public static let registerCount = 27
  /// r15 r14 r13 r12 rbp rbx r11 r10 r9 r8 rax rcx rdx rsi rdi orig_rax rip cs eflags rsp ss
  /// fs_base gs_base ds es fs gs
  public var values: InlineArray<27, UInt64>

  enum Index {
    static let r15 = 0
    static let r14 = 1
    static let r13 = 2
    static let r12 = 3
    static let rbp = 4
    static let rbx = 5
    static let r11 = 6
    static let r10 = 7
    static let r9 = 8
    static let r8 = 9
    static let rax = 10
    static let rcx = 11
    static let rdx = 12
    static let rsi = 13
    static let rdi = 14
    static let originalRax = 15
    static let rip = 16
    static let cs = 17
    static let flags = 18
    static let rsp = 19
    static let ss = 20
    static let fsBase = 21
    static let gsBase = 22
    static let fs = 25
    static let gs = 26
  }

  private static var argumentIndexes: InlineArray<6, Int> {
    [Index.rdi, Index.rsi, Index.rdx, Index.r10, Index.r8, Index.r9]
  }

  public static var machine: Machine { .x86_64 }

  /// `syscall`
  public static var systemCallInstruction: [UInt8] { [0x0f, 0x05] }
  /// `syscall; ret`
  public static var returningSystemCalls: [[UInt8]] { [[0x0f, 0x05, 0xc3]] }
  /// `mov $15, %rax; syscall`, the restorer of glibc, musl and Go; then the shorter form of it.
  public static var signalReturns: [[UInt8]] {
    [
      [0x48, 0xc7, 0xc0, 0x0f, 0, 0, 0, 0x0f, 0x05],
      [0xb8, 0x0f, 0, 0, 0, 0x0f, 0x05],
    ]
  }

  /// NT_FPREGSET comes with NT_X86_XSTATE (0x202), which holds all of it and everything newer.
  public static var extraRegisterSets: [UInt32] { [0x202] }

  /// The legacy area that heads every xsave image is `struct user_fpregs_struct` (fxsave, 512 bytes).
  public static func floatingPointNote(from set: (UInt32) -> [UInt8]) -> [UInt8] {
    Array(set(0x202).prefix(512))
  }

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
    get { values[Index.rip] }
    set { values[Index.rip] = newValue }
  }

  public var stackPointer: UInt64 {
    get { values[Index.rsp] }
    set { values[Index.rsp] = newValue }
  }

  /// The thread pointer, base of the FS segment.
  public var threadPointer: UInt64 { values[Index.fsBase] }

  public mutating func prepare(_ call: SystemCall, at instruction: UInt64) {
    values[Index.rip] = instruction
    values[Index.rax] = call.number
    // Not in a call as far as the kernel is concerned: it must not try to restart anything.
    values[Index.originalRax] = UInt64(bitPattern: -1)
    let places = Self.argumentIndexes
    for index in call.arguments.indices.prefix(places.count) {
      values[places[index]] = call.arguments[index]
    }
  }

  public var outcome: Result<UInt64, Errno> {
    let value = Int64(bitPattern: values[Index.rax])
    // Only -4095…-1 is an error; anything lower is an address that mmap may return.
    guard (-4095 ... -1).contains(value) else { return .success(values[Index.rax]) }
    return .failure(Errno(rawValue: Int32(-value)))
  }

  public mutating func setResult(_ value: Int64) {
    values[Index.rax] = UInt64(bitPattern: value)
    values[Index.originalRax] = UInt64(bitPattern: -1)
  }

  public var currentCall: SystemCall? {
    guard Int64(bitPattern: values[Index.originalRax]) >= 0 else { return nil }
    let places = Self.argumentIndexes
    return SystemCall(
      number: values[Index.originalRax], arguments: places.indices.map { values[places[$0]] })
  }

  public var interruptedCall: InterruptedCall? {
    guard Int64(bitPattern: values[Index.originalRax]) >= 0 else { return nil }
    switch Int64(bitPattern: values[Index.rax]) {
    case -512, -513, -514: return .again
    case -516: return .withRestartBlock
    default: return nil
    }
  }

  public mutating func hideInterruption(of sleep: SleepingCall?) {
    guard Int64(bitPattern: values[Index.rax]) == -4, isEndlessWait else { return }
    values[Index.rax] = UInt64(bitPattern: -514)  // ERESTARTNOHAND
  }

  /// Calls that end with EINTR at any stop, and whether this one would have waited for ever.
  private var isEndlessWait: Bool {
    switch values[Index.originalRax] {
    case 0, 65: true  // read of inotify, semop
    case 232, 281: Int32(truncatingIfNeeded: values[Index.r10]) < 0  // epoll_wait, epoll_pwait
    case 441, 220: values[Index.r10] == 0  // epoll_pwait2, semtimedop
    case 128: values[Index.rdx] == 0  // rt_sigtimedwait
    default: false
    }
  }

  public mutating func repeatInterruptedCall() {
    values[Index.rax] = values[Index.originalRax]
    reenterKernel()
  }

  public mutating func repeatInterruptedCall(with arguments: [UInt64]) {
    repeatInterruptedCall()
    for index in 0 ..< min(6, arguments.count) {
      values[Self.argumentIndexes[index]] = arguments[index]
    }
  }

  public mutating func setNumber(ofInterruptedCall number: UInt64) { values[Index.originalRax] = number }

  public static var resumesByRestartBlock: Bool { true }

  public mutating func abandonInterruptedCall() { setResult(-4) }

  private mutating func reenterKernel() {
    values[Index.rip] -= UInt64(Self.systemCallInstruction.count)
    values[Index.originalRax] = UInt64(bitPattern: -1)
  }
}
