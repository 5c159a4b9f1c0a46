// SPDX-License-Identifier: Apache-2.0

/// The x87 state in the form of `fsave`, as 32-bit signal frames and NT_FPREGSET have it
/// (`struct user_i387_ia32_struct`, asm/user32.h): control, status, tags, two pointers of two words
/// each, and eight registers of ten bytes.
struct FloatingPoint32 {
  let bytes: [UInt8]

  static var size: Int { 108 }
  /// In a signal frame `struct _fpstate_32` goes on with the status and a mark before the fxsave area.
  static var frameHeadSize: Int { 112 }

  /// From the fxsave image that heads NT_X86_XSTATE's bytes; nil if it is cut off.
  init?(xsave: [UInt8]) {
    guard xsave.count >= 512 else { return nil }
    func half(_ offset: Int) -> UInt32 { UInt32(xsave[offset]) | UInt32(xsave[offset + 1]) << 8 }
    func word(_ offset: Int) -> UInt32 { half(offset) | half(offset + 2) << 16 }

    let status = half(2)
    // The selectors are not kept by a 64-bit kernel; the opcode stands above the first.
    let words: [UInt32] = [
      0xffff_0000 | half(0), 0xffff_0000 | status, Self.tags(xsave, top: Int(status >> 11) & 7),
      word(8), half(12) | half(6) << 16, word(16), 0xffff_0000 | half(20),
    ]
    var bytes: [UInt8] = []
    for word in words {
      for shift in [UInt32(0), 8, 16, 24] { bytes.append(UInt8(truncatingIfNeeded: word >> shift)) }
    }
    for register in 0 ..< 8 { bytes += xsave[32 + 16 * register ..< 42 + 16 * register] }
    self.bytes = bytes
  }

  /// What stands before the fxsave area; the mark X86_FXSR_MAGIC is 0.
  var frameHead: [UInt8] { bytes + bytes[4 ..< 6] + [0, 0] }

  /// fxsave has one bit for each register that is not empty; fsave two: valid, zero, special, empty.
  private static func tags(_ xsave: [UInt8], top: Int) -> UInt32 {
    var tags: UInt32 = 0xffff_0000
    for register in 0 ..< 8 {
      var tag: UInt32 = 3
      if xsave[4] >> register & 1 != 0 {
        // Tags go by the register's own number, images by its distance from the top of the stack.
        let place = 32 + 16 * ((register - top) & 7)
        let exponent = UInt32(xsave[place + 8]) | UInt32(xsave[place + 9] & 0x7f) << 8
        let significand = xsave[place ..< place + 8]
        if exponent == 0 {
          tag = significand.allSatisfy { $0 == 0 } ? 1 : 2
        } else {
          tag = exponent != 0x7fff && xsave[place + 7] & 0x80 != 0 ? 0 : 2
        }
      }
      tags |= tag << UInt32(2 * register)
    }
    return tags
  }
}
