// SPDX-License-Identifier: Apache-2.0
import Linux

/// A thread's system calls: those it is made to do, and the one it was interrupted in.
extension Registers {
  public mutating func prepare(_ call: SystemCall, at instruction: UInt64) {
    switch self {
    case .x86_64(var registers):
      registers.prepare(call, at: instruction)
      self = .x86_64(registers)
    case .i386(var registers):
      registers.prepare(call, at: instruction)
      self = .i386(registers)
    case .aarch64(var registers):
      registers.prepare(call, at: instruction)
      self = .aarch64(registers)
    case .powerpc64le(var registers):
      registers.prepare(call, at: instruction)
      self = .powerpc64le(registers)
    case .arm(var registers):
      registers.prepare(call, at: instruction)
      self = .arm(registers)
    case .foreign: ForeignRegisters.cannotRun()
    }
  }

  public var outcome: Result<UInt64, Errno> {
    switch self {
    case .x86_64(let registers): registers.outcome
    case .i386(let registers): registers.outcome
    case .aarch64(let registers): registers.outcome
    case .powerpc64le(let registers): registers.outcome
    case .arm(let registers): registers.outcome
    case .foreign: .failure(.notImplemented)
    }
  }

  public mutating func setResult(_ value: Int64) {
    switch self {
    case .x86_64(var registers):
      registers.setResult(value)
      self = .x86_64(registers)
    case .i386(var registers):
      registers.setResult(value)
      self = .i386(registers)
    case .aarch64(var registers):
      registers.setResult(value)
      self = .aarch64(registers)
    case .powerpc64le(var registers):
      registers.setResult(value)
      self = .powerpc64le(registers)
    case .arm(var registers):
      registers.setResult(value)
      self = .arm(registers)
    case .foreign: ForeignRegisters.cannotRun()
    }
  }

  public var currentCall: SystemCall? {
    switch self {
    case .x86_64(let registers): registers.currentCall
    case .i386(let registers): registers.currentCall
    case .aarch64(let registers): registers.currentCall
    case .powerpc64le(let registers): registers.currentCall
    case .arm(let registers): registers.currentCall
    case .foreign(let registers): registers.currentCall
    }
  }

  public var interruptedCall: InterruptedCall? {
    switch self {
    case .x86_64(let registers): registers.interruptedCall
    case .i386(let registers): registers.interruptedCall
    case .aarch64(let registers): registers.interruptedCall
    case .powerpc64le(let registers): registers.interruptedCall
    case .arm(let registers): registers.interruptedCall
    case .foreign: nil
    }
  }

  public mutating func repeatInterruptedCall() {
    switch self {
    case .x86_64(var registers):
      registers.repeatInterruptedCall()
      self = .x86_64(registers)
    case .i386(var registers):
      registers.repeatInterruptedCall()
      self = .i386(registers)
    case .aarch64(var registers):
      registers.repeatInterruptedCall()
      self = .aarch64(registers)
    case .powerpc64le(var registers):
      registers.repeatInterruptedCall()
      self = .powerpc64le(registers)
    case .arm(var registers):
      registers.repeatInterruptedCall()
      self = .arm(registers)
    case .foreign: ForeignRegisters.cannotRun()
    }
  }

  public mutating func repeatInterruptedCall(with arguments: [UInt64]) {
    switch self {
    case .x86_64(var registers):
      registers.repeatInterruptedCall(with: arguments)
      self = .x86_64(registers)
    case .i386(var registers):
      registers.repeatInterruptedCall(with: arguments)
      self = .i386(registers)
    case .aarch64(var registers):
      registers.repeatInterruptedCall(with: arguments)
      self = .aarch64(registers)
    case .powerpc64le(var registers):
      registers.repeatInterruptedCall(with: arguments)
      self = .powerpc64le(registers)
    case .arm(var registers):
      registers.repeatInterruptedCall(with: arguments)
      self = .arm(registers)
    case .foreign: ForeignRegisters.cannotRun()
    }
  }

  public mutating func hideInterruption(of sleep: SleepingCall?) {
    switch self {
    case .x86_64(var registers):
      registers.hideInterruption(of: sleep)
      self = .x86_64(registers)
    case .i386(var registers):
      registers.hideInterruption(of: sleep)
      self = .i386(registers)
    case .aarch64(var registers):
      registers.hideInterruption(of: sleep)
      self = .aarch64(registers)
    case .powerpc64le(var registers):
      registers.hideInterruption(of: sleep)
      self = .powerpc64le(registers)
    case .arm(var registers):
      registers.hideInterruption(of: sleep)
      self = .arm(registers)
    case .foreign: ForeignRegisters.cannotRun()
    }
  }

  public mutating func abandonInterruptedCall() {
    switch self {
    case .x86_64(var registers):
      registers.abandonInterruptedCall()
      self = .x86_64(registers)
    case .i386(var registers):
      registers.abandonInterruptedCall()
      self = .i386(registers)
    case .aarch64(var registers):
      registers.abandonInterruptedCall()
      self = .aarch64(registers)
    case .powerpc64le(var registers):
      registers.abandonInterruptedCall()
      self = .powerpc64le(registers)
    case .arm(var registers):
      registers.abandonInterruptedCall()
      self = .arm(registers)
    case .foreign: ForeignRegisters.cannotRun()
    }
  }

  public var wantsInstruction: Bool {
    switch self {
    case .x86_64(let registers): registers.wantsInstruction
    case .i386(let registers): registers.wantsInstruction
    case .aarch64(let registers): registers.wantsInstruction
    case .powerpc64le(let registers): registers.wantsInstruction
    case .arm(let registers): registers.wantsInstruction
    case .foreign: false
    }
  }

  public mutating func stand(at instruction: [UInt8]) {
    switch self {
    case .x86_64(var registers):
      registers.stand(at: instruction)
      self = .x86_64(registers)
    case .i386(var registers):
      registers.stand(at: instruction)
      self = .i386(registers)
    case .aarch64(var registers):
      registers.stand(at: instruction)
      self = .aarch64(registers)
    case .powerpc64le(var registers):
      registers.stand(at: instruction)
      self = .powerpc64le(registers)
    case .arm(var registers):
      registers.stand(at: instruction)
      self = .arm(registers)
    case .foreign: break
    }
  }
}

/// How a thread that was interrupted in a call of its own goes on, where setting its registers does not tell the
/// kernel enough.
extension Registers {
  public func farewell(from calling: Registers) -> Farewell<Registers>? {
    guard case .aarch64(let registers) = self, case .aarch64(let calling) = calling,
      let farewell = registers.farewell(from: calling)
    else { return nil }
    return Farewell(
      call: farewell.call, before: .aarch64(farewell.before), after: .aarch64(farewell.after),
      set: farewell.set)
  }

  public var callToMakeAgain: UInt64? {
    guard case .arm(let registers) = self else { return nil }
    return registers.callToMakeAgain
  }

  public mutating func interruptAgain(after call: UInt64) {
    guard case .arm(var registers) = self else { return }
    registers.interruptAgain(after: call)
    self = .arm(registers)
  }

  public func mustBeOutside(ofCallFrom calling: Registers) -> Bool {
    guard case .arm(let registers) = self, case .arm(let calling) = calling else { return false }
    return registers.mustBeOutside(ofCallFrom: calling)
  }
}

/// Regsets that ptrace(2) does not treat as such.
extension Registers {
  public func callSetting(_ noteType: UInt32) -> SystemCallName? {
    switch self {
    case .x86_64, .i386, .aarch64, .powerpc64le, .foreign: nil
    case .arm: ARM.callSetting(noteType)
    }
  }

  /// Whether PTRACE_GET_THREAD_AREA gives it: a kernel for 32-bit ARM has no regset for the thread register.
  public static func isThreadArea(_ noteType: UInt32) -> Bool {
    Machine.native == .arm && ARM.callSetting(noteType) != nil
  }

  /// Whether the kernel stops a thread after one instruction; 32-bit ARM's does not (PTRACE_SINGLESTEP).
  public static var canStep: Bool { Machine.native != .arm }
}
