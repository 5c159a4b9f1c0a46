// SPDX-License-Identifier: Apache-2.0
import Linux

/// The kernel's `struct rt_sigframe` (arch/arm64/kernel/signal.c, uapi/asm/sigcontext.h): what
/// rt_sigreturn(2) loads a thread's whole state from.
extension AArch64 {
  private enum Frame {
    /// Behind a `siginfo_t` and the flags, link and stack of `struct ucontext`.
    static let stackFlags = 128 + 16 + 8
    static let mask = 128 + 40
    /// The mask has room for 1024 signals; then comes `struct sigcontext`, aligned to 16 bytes.
    static let registers = 128 + 176 + 8
    static let records = 128 + 176 + 288
    /// `struct fpsimd_context` and the empty record at the end.
    static let size = records + 528 + 16
  }

  /// `user_fpsimd_state` from NT_PRFPREG or NT_ARM_SVE; nil if the thread uses SVE's longer registers,
  /// which such a frame cannot hold.
  private static func floatingPoint(_ state: [UInt8]) -> [UInt8]? {
    if state.isEmpty { return [UInt8](repeating: 0, count: 528) }
    if state.count == 528 { return state }
    // struct user_sve_header: size, max_size, vl, max_vl, flags (SVE_PT_REGS_SVE is 1).
    guard state.count >= 16 + 528, state[12] & 1 == 0 else { return nil }
    return Array(state[16 ..< 16 + 528])
  }

  public func lifeline(
    at address: UInt64, signalReturn: UInt64, mask: UInt64, extendedState: [UInt8]
  ) -> [UInt8]? {
    guard let floats = Self.floatingPoint(extendedState) else { return nil }
    var bytes = [UInt8](repeating: 0, count: Frame.size)
    bytes.withUnsafeMutableBytes { target in
      func put<Value: FixedWidthInteger>(_ value: Value, _ offset: Int) {
        target.storeBytes(of: value.littleEndian, toByteOffset: offset, as: Value.self)
      }
      // No such mode: the kernel ignores the error and leaves the alternate stack as it is.
      put(0x40 as UInt64, Frame.stackFlags)
      put(mask, Frame.mask)
      for index in values.indices { put(values[index], Frame.registers + 8 * index) }
      put(0x4650_8001 as UInt32, Frame.records)  // FPSIMD_MAGIC
      put(528 as UInt32, Frame.records + 4)
      // The record has fpsr and fpcr in front, the regset behind the 32 registers.
      let place = Frame.records + 8
      floats.withUnsafeBytes { source in
        target[place ..< place + 8].copyBytes(from: source[512 ..< 520])
        target[place + 8 ..< place + 520].copyBytes(from: source[..<512])
      }
    }
    return bytes
  }

  /// Each frame must hold the floating-point state itself, for which a chain has no room.
  public func link(
    at address: UInt64, signalReturn: UInt64, mask: UInt64, toLifeline lifeline: UInt64
  ) -> [UInt8]? { nil }
}
