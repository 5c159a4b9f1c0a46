// SPDX-License-Identifier: Apache-2.0
import Linux

/// The general registers of one thread, whatever its processor.
///
/// One tree may hold several (i386 beside x86_64), so this is decided once per thread, here.
public enum Registers: Sendable {
  case x86_64(X86_64)
  case i386(I386)
  case aarch64(AArch64)
  case powerpc64le(PowerPC64LE)
  case arm(ARM)
  /// Of a processor without a backend: kept and shown, never run.
  case foreign(ForeignRegisters)

  /// From PTRACE_GETREGSET's bytes; nil for a processor that has no backend.
  public init?(generalRegisters bytes: [UInt8], machine: Machine) {
    if machine == .x86_64, let registers = X86_64(generalRegisters: bytes) {
      self = .x86_64(registers)
    } else if machine == .i386, let registers = I386(generalRegisters: bytes) {
      self = .i386(registers)
    } else if machine == .aarch64, let registers = AArch64(generalRegisters: bytes) {
      self = .aarch64(registers)
    } else if machine == .powerpc64le, let registers = PowerPC64LE(generalRegisters: bytes) {
      self = .powerpc64le(registers)
    } else if machine == .arm, let registers = ARM(generalRegisters: bytes) {
      self = .arm(registers)
    } else {
      return nil
    }
  }

  /// From a context file, whatever its processor: one without a backend gives `foreign`.
  public init(stored bytes: [UInt8], machine: Machine) {
    self =
      Registers(generalRegisters: bytes, machine: machine)
      ?? .foreign(ForeignRegisters(machine: machine, generalRegisters: bytes))
  }

  /// From PTRACE_GETREGSET's bytes of a thread that runs here: their length tells the processor.
  public init?(traced bytes: [UInt8]) {
    switch (Machine.native, bytes.count) {
    case (.x86_64, X86_64.registerCount * 8): self.init(generalRegisters: bytes, machine: .x86_64)
    case (.x86_64, I386.registerCount * 4), (.i386, I386.registerCount * 4):
      self.init(generalRegisters: bytes, machine: .i386)
    case (.aarch64, AArch64.registerCount * 8): self.init(generalRegisters: bytes, machine: .aarch64)
    case (.arm, ARM.registerCount * 4): self.init(generalRegisters: bytes, machine: .arm)
    case (.powerpc64le, PowerPC64LE.registerCount * 8):
      self.init(generalRegisters: bytes, machine: .powerpc64le)
    default: return nil
    }
  }

  /// All zero, of a program for the processor that we were built for; nil without a backend.
  public static var native: Registers? {
    let machine = Machine.native
    let count =
      switch machine {
      case .aarch64: AArch64.registerCount
      case .powerpc64le: PowerPC64LE.registerCount
      case .arm: ARM.registerCount
      case .i386: I386.registerCount
      default: X86_64.registerCount
      }
    return Registers(
      generalRegisters: [UInt8](repeating: 0, count: count * machine.wordSize.bytes),
      machine: machine)
  }

  /// Whether a person can be told what is in them.
  public var areUnderstood: Bool {
    if case .foreign(let registers) = self { registers.isUnderstood } else { true }
  }

  public var machine: Machine {
    switch self {
    case .x86_64: X86_64.machine
    case .i386: I386.machine
    case .aarch64: AArch64.machine
    case .powerpc64le: PowerPC64LE.machine
    case .arm: ARM.machine
    case .foreign(let registers): registers.machine
    }
  }

  public func number(of name: SystemCallName) -> UInt64? {
    switch self {
    case .x86_64: X86_64.number(of: name)
    case .i386: I386.number(of: name)
    case .aarch64: AArch64.number(of: name)
    case .powerpc64le: PowerPC64LE.number(of: name)
    case .arm: ARM.number(of: name)
    case .foreign: nil
    }
  }

  public var generalRegisters: [UInt8] {
    switch self {
    case .x86_64(let registers): registers.generalRegisters
    case .i386(let registers): registers.generalRegisters
    case .aarch64(let registers): registers.generalRegisters
    case .powerpc64le(let registers): registers.generalRegisters
    case .arm(let registers): registers.generalRegisters
    case .foreign(let registers): registers.generalRegisters
    }
  }

  public var extraRegisterSets: [UInt32] {
    switch self {
    case .x86_64: X86_64.extraRegisterSets
    case .i386: I386.extraRegisterSets
    case .aarch64: AArch64.extraRegisterSets
    case .powerpc64le: PowerPC64LE.extraRegisterSets
    case .arm: ARM.extraRegisterSets
    case .foreign: []
    }
  }

  public var extendedStateSets: [[UInt32]] {
    switch self {
    case .x86_64: X86_64.extendedStateSets
    case .i386: I386.extendedStateSets
    case .aarch64: AArch64.extendedStateSets
    case .powerpc64le: PowerPC64LE.extendedStateSets
    case .arm: ARM.extendedStateSets
    case .foreign: []
    }
  }

  public var setDiscardedByCalls: UInt32? {
    switch self {
    case .x86_64: X86_64.setDiscardedByCalls
    case .i386: I386.setDiscardedByCalls
    case .aarch64: AArch64.setDiscardedByCalls
    case .powerpc64le: PowerPC64LE.setDiscardedByCalls
    case .arm: ARM.setDiscardedByCalls
    case .foreign: nil
    }
  }

  public func userWord(of noteType: UInt32) -> UInt64? {
    if case .powerpc64le = self { PowerPC64LE.userWord(of: noteType) } else { nil }
  }

  public var wakingInstruction: [UInt8] {
    if case .powerpc64le = self { PowerPC64LE.wakingInstruction } else { [] }
  }

  public var losesFirstArgument: Bool {
    switch self {
    case .x86_64: X86_64.losesFirstArgument
    case .i386: I386.losesFirstArgument
    case .aarch64: AArch64.losesFirstArgument
    case .powerpc64le: PowerPC64LE.losesFirstArgument
    case .arm: ARM.losesFirstArgument
    case .foreign: false
    }
  }

  public var systemCallInstruction: [UInt8] {
    switch self {
    case .x86_64: X86_64.systemCallInstruction
    case .i386: I386.systemCallInstruction
    case .aarch64: AArch64.systemCallInstruction
    case .powerpc64le: PowerPC64LE.systemCallInstruction
    case .arm: ARM.systemCallInstruction
    case .foreign: []
    }
  }

  public var returningSystemCalls: [[UInt8]] {
    switch self {
    case .x86_64: X86_64.returningSystemCalls
    case .i386: I386.returningSystemCalls
    case .aarch64: AArch64.returningSystemCalls
    case .powerpc64le: PowerPC64LE.returningSystemCalls
    case .arm: ARM.returningSystemCalls
    case .foreign: []
    }
  }

  public var signalReturns: [[UInt8]] {
    switch self {
    case .x86_64: X86_64.signalReturns
    case .i386: I386.signalReturns
    case .aarch64: AArch64.signalReturns
    case .powerpc64le: PowerPC64LE.signalReturns
    case .arm: ARM.signalReturns
    case .foreign: []
    }
  }

  public func lifeline(
    at address: UInt64, signalReturn: UInt64, mask: UInt64, extendedState: [UInt8]
  ) -> [UInt8]? {
    switch self {
    case .x86_64(let registers):
      registers.lifeline(
        at: address, signalReturn: signalReturn, mask: mask, extendedState: extendedState)
    case .i386(let registers):
      registers.lifeline(
        at: address, signalReturn: signalReturn, mask: mask, extendedState: extendedState)
    case .aarch64(let registers):
      registers.lifeline(
        at: address, signalReturn: signalReturn, mask: mask, extendedState: extendedState)
    case .powerpc64le(let registers):
      registers.lifeline(
        at: address, signalReturn: signalReturn, mask: mask, extendedState: extendedState)
    case .arm(let registers):
      registers.lifeline(
        at: address, signalReturn: signalReturn, mask: mask, extendedState: extendedState)
    case .foreign: nil
    }
  }

  public func link(
    at address: UInt64, signalReturn: UInt64, mask: UInt64, toLifeline lifeline: UInt64
  ) -> [UInt8]? {
    switch self {
    case .x86_64(let registers):
      registers.link(at: address, signalReturn: signalReturn, mask: mask, toLifeline: lifeline)
    case .i386(let registers):
      registers.link(at: address, signalReturn: signalReturn, mask: mask, toLifeline: lifeline)
    case .aarch64(let registers):
      registers.link(at: address, signalReturn: signalReturn, mask: mask, toLifeline: lifeline)
    case .powerpc64le(let registers):
      registers.link(at: address, signalReturn: signalReturn, mask: mask, toLifeline: lifeline)
    case .arm(let registers):
      registers.link(at: address, signalReturn: signalReturn, mask: mask, toLifeline: lifeline)
    case .foreign: nil
    }
  }

  public var programCounter: UInt64 {
    get {
      switch self {
      case .x86_64(let registers): registers.programCounter
      case .i386(let registers): registers.programCounter
      case .aarch64(let registers): registers.programCounter
      case .powerpc64le(let registers): registers.programCounter
      case .arm(let registers): registers.programCounter
      case .foreign(let registers): registers.programCounter
      }
    }
    set {
      switch self {
      case .x86_64(var registers):
        registers.programCounter = newValue
        self = .x86_64(registers)
      case .i386(var registers):
        registers.programCounter = newValue
        self = .i386(registers)
      case .aarch64(var registers):
        registers.programCounter = newValue
        self = .aarch64(registers)
      case .powerpc64le(var registers):
        registers.programCounter = newValue
        self = .powerpc64le(registers)
      case .arm(var registers):
        registers.programCounter = newValue
        self = .arm(registers)
      case .foreign: ForeignRegisters.cannotRun()
      }
    }
  }

  public var stackPointer: UInt64 {
    get {
      switch self {
      case .x86_64(let registers): registers.stackPointer
      case .i386(let registers): registers.stackPointer
      case .aarch64(let registers): registers.stackPointer
      case .powerpc64le(let registers): registers.stackPointer
      case .arm(let registers): registers.stackPointer
      case .foreign(let registers): registers.stackPointer
      }
    }
    set {
      switch self {
      case .x86_64(var registers):
        registers.stackPointer = newValue
        self = .x86_64(registers)
      case .i386(var registers):
        registers.stackPointer = newValue
        self = .i386(registers)
      case .aarch64(var registers):
        registers.stackPointer = newValue
        self = .aarch64(registers)
      case .powerpc64le(var registers):
        registers.stackPointer = newValue
        self = .powerpc64le(registers)
      case .arm(var registers):
        registers.stackPointer = newValue
        self = .arm(registers)
      case .foreign: ForeignRegisters.cannotRun()
      }
    }
  }

  public mutating func hang(on lifeline: UInt64, signalReturn: UInt64) {
    switch self {
    case .x86_64(var registers):
      registers.hang(on: lifeline, signalReturn: signalReturn)
      self = .x86_64(registers)
    case .i386(var registers):
      registers.hang(on: lifeline, signalReturn: signalReturn)
      self = .i386(registers)
    case .aarch64(var registers):
      registers.hang(on: lifeline, signalReturn: signalReturn)
      self = .aarch64(registers)
    case .powerpc64le(var registers):
      registers.hang(on: lifeline, signalReturn: signalReturn)
      self = .powerpc64le(registers)
    case .arm(var registers):
      registers.hang(on: lifeline, signalReturn: signalReturn)
      self = .arm(registers)
    case .foreign: ForeignRegisters.cannotRun()
    }
  }

  /// The bytes of NT_FPREGSET for a core file, where the processor keeps them inside another of its
  /// regsets; empty where they are a regset of their own. `set` gives a regset by its NT_* number.
  public func floatingPointNote(from set: (UInt32) -> [UInt8]) -> [UInt8] {
    switch self {
    case .x86_64: X86_64.floatingPointNote(from: set)
    case .i386: I386.floatingPointNote(from: set)
    case .aarch64, .powerpc64le, .arm, .foreign: []
    }
  }
}
