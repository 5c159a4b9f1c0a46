// SPDX-License-Identifier: Apache-2.0
import Architecture

/// Writes the fields of a structure that the kernel reads from a target, in the target's own word
/// size and byte order.
struct TargetStructure {
  private(set) var bytes: [UInt8] = []
  private let machine: Machine

  init(for machine: Machine) { self.machine = machine }

  /// A `long` or a pointer.
  mutating func word(_ value: UInt64) { integer(value, machine.wordSize.bytes) }

  mutating func int32(_ value: UInt32) { integer(UInt64(value), 4) }
  mutating func int16(_ value: UInt16) { integer(UInt64(value), 2) }
  mutating func int64(_ value: UInt64) { integer(value, 8) }

  /// Up to the next multiple of a word.
  mutating func align() {
    while bytes.count % machine.wordSize.bytes != 0 { bytes.append(0) }
  }

  /// Signal sets are 64 bits wide everywhere; a big-endian 32-bit machine has the low word first.
  mutating func signalSet(_ value: UInt64) {
    if machine.wordSize == .bits64 { return word(value) }
    word(value & 0xffff_ffff)
    word(value >> 32)
  }

  private mutating func integer(_ value: UInt64, _ size: Int) {
    for index in 0 ..< size {
      let shift = machine.byteOrder == .little ? index : size - 1 - index
      bytes.append(UInt8(truncatingIfNeeded: value >> UInt64(8 * shift)))
    }
  }
}
