// SPDX-License-Identifier: Apache-2.0
import Linux

/// The kernel's `struct rt_sigframe` (arch/arm/include/asm/ucontext.h and kernel/signal.h, uapi/asm/sigcontext.h):
/// what rt_sigreturn(2) loads a thread's whole state from.
extension ARM {
  private enum Frame {
    /// Behind a `siginfo_t`: flags and link of `struct ucontext`, then the alternate stack.
    static let stackFlags = 128 + 8 + 4
    /// `struct sigcontext` has three words in front of r0…r15 and cpsr, and one behind.
    static let registers = 128 + 20 + 12
    static let mask = 128 + 104
    /// The mask has room for 1024 signals; then come the coprocessors' records.
    static let floatingPoint = 128 + 232
    /// `struct vfp_sigframe`.
    static let floatingPointSize = 288
    /// 128 words of records and four of code.
    static let size = floatingPoint + 512 + 16
  }

  /// The registers of NT_ARM_VFP, 32 of 64 bits and fpscr, stand in the frame as they are.
  private static var floatingPointCount: Int { 32 * 8 + 4 }

  public func lifeline(
    at address: UInt64, signalReturn: UInt64, mask: UInt64, extendedState: [UInt8]
  ) -> [UInt8]? {
    // The kernel refuses others.
    guard address % 8 == 0, extendedState.isEmpty || extendedState.count == Self.floatingPointCount
    else { return nil }
    var bytes = [UInt8](repeating: 0, count: Frame.size)
    bytes.withUnsafeMutableBytes { target in
      func put(_ value: UInt32, _ offset: Int) {
        target.storeBytes(of: value.littleEndian, toByteOffset: offset, as: UInt32.self)
      }
      // No such mode: the kernel ignores the error and leaves the alternate stack as it is.
      put(0x40, Frame.stackFlags)
      for index in 0 ... Index.status { put(values[index], Frame.registers + 4 * index) }
      put(UInt32(truncatingIfNeeded: mask), Frame.mask)
      put(UInt32(truncatingIfNeeded: mask >> 32), Frame.mask + 4)
      put(0x5646_5001, Frame.floatingPoint)  // VFP_MAGIC
      put(UInt32(Frame.floatingPointSize), Frame.floatingPoint + 4)
      let place = Frame.floatingPoint + 8
      extendedState.withUnsafeBytes { source in
        target[place ..< place + source.count].copyBytes(from: source)
      }
      // Behind it fpexc, whose FPEXC_EN says that the unit is on.
      put(0x4000_0000, place + Self.floatingPointCount + 4)
    }
    return bytes
  }

  /// Each frame must hold the floating-point state itself, for which a chain has no room.
  public func link(
    at address: UInt64, signalReturn: UInt64, mask: UInt64, toLifeline lifeline: UInt64
  ) -> [UInt8]? { nil }
}
