// SPDX-License-Identifier: Apache-2.0
import Linux

/// The general registers of one thread, whatever its processor.
///
/// One tree may hold several (i386 beside x86_64), so this is decided once per thread, here.
public enum Registers: Sendable {
  case x86_64(X86_64)

  /// From PTRACE_GETREGSET's bytes; nil for a processor that has no backend.
  public init?(generalRegisters bytes: [UInt8], machine: Machine) {
    if machine == .x86_64, let registers = X86_64(generalRegisters: bytes) {
      self = .x86_64(registers)
    } else {
      return nil
    }
  }

  public var machine: Machine {
    switch self {
    case .x86_64: X86_64.machine
    }
  }

  public func number(of name: SystemCallName) -> UInt64? {
    switch self {
    case .x86_64: X86_64.number(of: name)
    }
  }

  public var generalRegisters: [UInt8] {
    switch self {
    case .x86_64(let registers): registers.generalRegisters
    }
  }

  public var extraRegisterSets: [UInt32] {
    switch self {
    case .x86_64: X86_64.extraRegisterSets
    }
  }

  public var systemCallInstruction: [UInt8] {
    switch self {
    case .x86_64: X86_64.systemCallInstruction
    }
  }

  public var programCounter: UInt64 {
    get {
      switch self {
      case .x86_64(let registers): registers.programCounter
      }
    }
    set {
      switch self {
      case .x86_64(var registers):
        registers.programCounter = newValue
        self = .x86_64(registers)
      }
    }
  }

  public var stackPointer: UInt64 {
    get {
      switch self {
      case .x86_64(let registers): registers.stackPointer
      }
    }
    set {
      switch self {
      case .x86_64(var registers):
        registers.stackPointer = newValue
        self = .x86_64(registers)
      }
    }
  }

  public mutating func prepare(_ call: SystemCall, at instruction: UInt64) {
    switch self {
    case .x86_64(var registers):
      registers.prepare(call, at: instruction)
      self = .x86_64(registers)
    }
  }

  public var outcome: Result<UInt64, Errno> {
    switch self {
    case .x86_64(let registers): registers.outcome
    }
  }

  public mutating func setResult(_ value: Int64) {
    switch self {
    case .x86_64(var registers):
      registers.setResult(value)
      self = .x86_64(registers)
    }
  }

  public var currentCall: SystemCall? {
    switch self {
    case .x86_64(let registers): registers.currentCall
    }
  }

  public var interruptedCall: InterruptedCall? {
    switch self {
    case .x86_64(let registers): registers.interruptedCall
    }
  }

  public mutating func repeatInterruptedCall() {
    switch self {
    case .x86_64(var registers):
      registers.repeatInterruptedCall()
      self = .x86_64(registers)
    }
  }
  public mutating func continueInterruptedCall() {
    switch self {
    case .x86_64(var registers):
      registers.continueInterruptedCall()
      self = .x86_64(registers)
    }
  }
  public mutating func abandonInterruptedCall() {
    switch self {
    case .x86_64(var registers):
      registers.abandonInterruptedCall()
      self = .x86_64(registers)
    }
  }

}
