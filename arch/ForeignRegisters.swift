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

  /// Whether we know what they mean.
  public var isUnderstood: Bool { RegisterLayout.of(machine) != nil }

  var programCounter: UInt64 { RegisterLayout.of(machine).flatMap { word($0.programCounter) } ?? 0 }
  var stackPointer: UInt64 { RegisterLayout.of(machine).flatMap { word($0.stackPointer) } ?? 0 }

  /// Without its arguments.
  var currentCall: SystemCall? {
    guard let layout = RegisterLayout.of(machine), let trap = word(layout.trap),
      layout.entries.contains(trap & ~0xf), let number = word(layout.callNumber)
    else { return nil }
    return SystemCall(number: number, arguments: [])
  }

  /// In the byte order of its processor.
  private func word(_ index: Int) -> UInt64? {
    let size = machine.wordSize.bytes
    guard (index + 1) * size <= generalRegisters.count else { return nil }
    let bytes = generalRegisters[index * size ..< (index + 1) * size]
    let fold = { (value: UInt64, byte: UInt8) in value << 8 | UInt64(byte) }
    return machine.byteOrder == .big ? bytes.reduce(0, fold) : bytes.reversed().reduce(0, fold)
  }

  /// An engine only ever holds processes that have a backend; anything else is our own bug.
  static func cannotRun() -> Never {
    preconditionFailure("registers of a processor without a backend are being used to run")
  }
}
