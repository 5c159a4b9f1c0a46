// SPDX-License-Identifier: Apache-2.0
import Architecture

/// Reads the fields of a structure that the kernel wrote for a target, in the target's own word
/// size and byte order. Missing bytes read as 0.
struct TargetWords {
  private let bytes: [UInt8]
  private let machine: Machine
  private var offset: Int

  init(_ bytes: [UInt8], at offset: Int = 0, of machine: Machine) {
    self.bytes = bytes
    self.machine = machine
    self.offset = offset
  }

  /// A `long` or a pointer.
  mutating func word() -> UInt64 { integer(machine.wordSize.bytes) }

  /// An `int`; the word after it is aligned again by `align`.
  mutating func int32() -> UInt32 { UInt32(truncatingIfNeeded: integer(4)) }

  mutating func align() {
    let size = machine.wordSize.bytes
    offset = (offset + size - 1) / size * size
  }

  /// Signal sets are 64 bits wide everywhere; a big-endian 32-bit machine has the low word first.
  mutating func signalSet() -> UInt64 {
    if machine.wordSize == .bits64 { return word() }
    let low = word()
    return low | word() << 32
  }

  private mutating func integer(_ size: Int) -> UInt64 {
    var value: UInt64 = 0
    for index in 0 ..< size {
      let place = offset + index
      let byte = place < bytes.count ? UInt64(bytes[place]) : 0
      let shift = machine.byteOrder == .little ? index : size - 1 - index
      value |= byte << UInt64(8 * shift)
    }
    offset += size
    return value
  }
}
