// SPDX-License-Identifier: Apache-2.0
import Linux

/// NT_ARM_SVE's bytes: `struct user_sve_header` (uapi/asm/ptrace.h), then the registers.
struct ScalableVectors {
  /// Bytes of a vector, and of the longest that there can be.
  let length: Int
  let longest: Int
  /// Whether more than the 128 bits of each vector that NT_PRFPREG has too are in use (SVE_PT_REGS_SVE).
  let isInUse: Bool

  /// nil for what is too short to have a header.
  init?(_ bytes: [UInt8]) {
    guard bytes.count >= 16 else { return nil }
    func half(_ offset: Int) -> Int { Int(bytes[offset]) | Int(bytes[offset + 1]) << 8 }
    length = half(8)
    longest = half(10)
    isInUse = bytes[12] & 1 != 0
  }
}
