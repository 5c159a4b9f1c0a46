// SPDX-License-Identifier: Apache-2.0

/// A `siginfo_t` of a 32-bit program from one in the form that a 64-bit tracer is shown
/// (copy_siginfo_to_external32 in the kernel's signal.c does the same).
enum SignalInformation32 {
  static var size: Int { 128 }

  /// - Parameter wide: 128 bytes, little endian.
  static func narrowed(_ wide: [UInt8]) -> [UInt8] {
    guard wide.count == size else { return wide }
    func word(_ offset: Int) -> UInt32 {
      wide.withUnsafeBytes {
        UInt32(littleEndian: $0.loadUnaligned(fromByteOffset: offset, as: UInt32.self))
      }
    }
    let signal = Int32(bitPattern: word(0))
    let code = Int32(bitPattern: word(8))
    // Number, errno, code; the union begins at 16, since it has pointers in it, and here at 12.
    var words = [word(0), word(4), word(8)]
    switch (signal, code) {
    case (17, 1 ... 6):  // SIGCHLD: pid, uid, status; two clock_t
      words += [word(16), word(20), word(24), word(32), word(40)]
    case (29, 1 ... 6):  // SIGIO: a long band, a descriptor
      words += [word(16), word(24)]
    case (4, 1...), (5, 1...), (7, 1...), (8, 1...), (11, 1...):  // faults: an address
      words += [word(16)]
    case (31, 1...):  // SIGSYS: an address, a call, a processor
      words += [word(16), word(24), word(28)]
    default:
      // Sent by somebody, or by a timer (its id, its overruns): two numbers and a value, which the
      // program gave as a pointer or a number.
      words += [word(16), word(20), word(24)]
    }
    var bytes: [UInt8] = []
    for word in words {
      for shift in [UInt32(0), 8, 16, 24] { bytes.append(UInt8(truncatingIfNeeded: word >> shift)) }
    }
    return bytes + [UInt8](repeating: 0, count: size - bytes.count)
  }
}
