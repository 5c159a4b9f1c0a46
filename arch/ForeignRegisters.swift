// SPDX-License-Identifier: Apache-2.0

/// Registers of a processor that this build can read about in a context file, but not run.
public struct ForeignRegisters: Sendable {
  public var machine: Machine
  /// The bytes of NT_PRSTATUS's pr_reg.
  public var generalRegisters: [UInt8]

  public init(machine: Machine, generalRegisters: [UInt8]) {
    self.machine = machine
    self.generalRegisters = generalRegisters
  }

  /// An engine only ever holds processes that have a backend; anything else is our own bug.
  static func cannotRun() -> Never {
    preconditionFailure("registers of a processor without a backend are being used to run")
  }
}
