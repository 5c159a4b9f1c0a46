// SPDX-License-Identifier: Apache-2.0
import Linux

/// The general registers of one thread, whatever its processor.
///
/// One tree may hold several (i386 beside x86_64), so this is decided once per thread, here.
public enum Registers: Sendable {
  case x86_64(X86_64)
  /// Of a processor without a backend: kept and shown, never run.
  case foreign(ForeignRegisters)

  /// From PTRACE_GETREGSET's bytes; nil for a processor that has no backend.
  public init?(generalRegisters bytes: [UInt8], machine: Machine) {
    if machine == .x86_64, let registers = X86_64(generalRegisters: bytes) {
      self = .x86_64(registers)
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
    guard bytes.count == X86_64.registerCount * 8, let registers = X86_64(generalRegisters: bytes)
    else { return nil }
    self = .x86_64(registers)
  }

  /// All zero, of a program for the processor that we were built for; nil without a backend.
  public static var native: Registers? {
    #if arch(x86_64)
      X86_64(generalRegisters: [UInt8](repeating: 0, count: X86_64.registerCount * 8))
        .map { .x86_64($0) }
    #else
      nil
    #endif
  }

  public var machine: Machine {
    switch self {
    case .x86_64: X86_64.machine
    case .foreign(let registers): registers.machine
    }
  }

  public func number(of name: SystemCallName) -> UInt64? {
    switch self {
    case .x86_64: X86_64.number(of: name)
    case .foreign: nil
    }
  }

  public var generalRegisters: [UInt8] {
    switch self {
    case .x86_64(let registers): registers.generalRegisters
    case .foreign(let registers): registers.generalRegisters
    }
  }

  public var extraRegisterSets: [UInt32] {
    switch self {
    case .x86_64: X86_64.extraRegisterSets
    case .foreign: []
    }
  }

  public var systemCallInstruction: [UInt8] {
    switch self {
    case .x86_64: X86_64.systemCallInstruction
    case .foreign: []
    }
  }

  public var returningSystemCall: [UInt8] {
    switch self {
    case .x86_64: X86_64.returningSystemCall
    case .foreign: []
    }
  }

  public var signalReturns: [[UInt8]] {
    switch self {
    case .x86_64: X86_64.signalReturns
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
    case .foreign: nil
    }
  }

  public func link(
    at address: UInt64, signalReturn: UInt64, mask: UInt64, toLifeline lifeline: UInt64
  ) -> [UInt8]? {
    switch self {
    case .x86_64(let registers):
      registers.link(at: address, signalReturn: signalReturn, mask: mask, toLifeline: lifeline)
    case .foreign: nil
    }
  }

  public var programCounter: UInt64 {
    get {
      switch self {
      case .x86_64(let registers): registers.programCounter
      case .foreign: 0
      }
    }
    set {
      switch self {
      case .x86_64(var registers):
        registers.programCounter = newValue
        self = .x86_64(registers)
      case .foreign: ForeignRegisters.cannotRun()
      }
    }
  }

  public var stackPointer: UInt64 {
    get {
      switch self {
      case .x86_64(let registers): registers.stackPointer
      case .foreign: 0
      }
    }
    set {
      switch self {
      case .x86_64(var registers):
        registers.stackPointer = newValue
        self = .x86_64(registers)
      case .foreign: ForeignRegisters.cannotRun()
      }
    }
  }

  public mutating func prepare(_ call: SystemCall, at instruction: UInt64) {
    switch self {
    case .x86_64(var registers):
      registers.prepare(call, at: instruction)
      self = .x86_64(registers)
    case .foreign: ForeignRegisters.cannotRun()
    }
  }

  public var outcome: Result<UInt64, Errno> {
    switch self {
    case .x86_64(let registers): registers.outcome
    case .foreign: .failure(.notImplemented)
    }
  }

  public mutating func setResult(_ value: Int64) {
    switch self {
    case .x86_64(var registers):
      registers.setResult(value)
      self = .x86_64(registers)
    case .foreign: ForeignRegisters.cannotRun()
    }
  }

  public var currentCall: SystemCall? {
    switch self {
    case .x86_64(let registers): registers.currentCall
    case .foreign: nil
    }
  }

  public var interruptedCall: InterruptedCall? {
    switch self {
    case .x86_64(let registers): registers.interruptedCall
    case .foreign: nil
    }
  }

  public mutating func repeatInterruptedCall() {
    switch self {
    case .x86_64(var registers):
      registers.repeatInterruptedCall()
      self = .x86_64(registers)
    case .foreign: ForeignRegisters.cannotRun()
    }
  }
  public mutating func repeatInterruptedCall(with arguments: [UInt64]) {
    switch self {
    case .x86_64(var registers):
      registers.repeatInterruptedCall(with: arguments)
      self = .x86_64(registers)
    case .foreign: ForeignRegisters.cannotRun()
    }
  }
  public mutating func hideInterruption() {
    switch self {
    case .x86_64(var registers):
      registers.hideInterruption()
      self = .x86_64(registers)
    case .foreign: ForeignRegisters.cannotRun()
    }
  }
  public mutating func abandonInterruptedCall() {
    switch self {
    case .x86_64(var registers):
      registers.abandonInterruptedCall()
      self = .x86_64(registers)
    case .foreign: ForeignRegisters.cannotRun()
    }
  }

  /// The bytes of NT_FPREGSET for a core file, where the processor keeps them inside another of its
  /// regsets; empty where they are a regset of their own. `set` gives a regset by its NT_* number.
  public func floatingPointNote(from set: (UInt32) -> [UInt8]) -> [UInt8] {
    switch self {
    case .x86_64: X86_64.floatingPointNote(from: set)
    case .foreign: []
    }
  }
}
