// SPDX-License-Identifier: Apache-2.0

extension RegisterLayout {
  /// `struct user_pt_regs` (uapi/asm/ptrace.h), of big-endian PowerPC with 32 and with 64 bits alike:
  /// the words are those of `PowerPC64LE`.
  static let powerpc = RegisterLayout(
    programCounter: 32, stackPointer: 1, trap: 40, entries: [0xc00, 0x3000], callNumber: 0)
}
