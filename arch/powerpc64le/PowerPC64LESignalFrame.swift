// SPDX-License-Identifier: Apache-2.0
import Linux

/// The kernel's `struct ucontext`, which heads `struct rt_sigframe` (arch/powerpc/kernel/signal_64.c,
/// uapi/asm/sigcontext.h): what rt_sigreturn(2) loads a thread's whole state from.
extension PowerPC64LE {
  private enum Frame {
    /// Behind what the vdso takes off the stack (__SIGNAL_FRAMESIZE).
    static let context = 128
    static let stackFlags = context + 24
    static let mask = context + 40
    /// `struct sigcontext` begins 128 bytes behind the mask, which has room for 1024 signals.
    static let registers = context + 168 + 64
    static let floats = registers + 48 * 8
    static let vectorPointer = floats + floatsSize
    static let vectors = vectorPointer + 8
    static let size = context + 1696

    /// 32 registers and fpscr; 32 registers, vscr and vrsave of 16 bytes each; the lower halves of
    /// the first 32 vector-scalar registers, whose upper ones are the floating-point registers.
    static let floatsSize = 33 * 8
    static let vectorsSize = 34 * 16
    static let halvesSize = 32 * 8
  }

  /// MSR_VEC and MSR_VSX: the frame has these registers.
  private static var hasVectors: UInt64 { 1 << 25 | 1 << 23 }
  /// MSR_TS: a second frame with the state before a transaction follows.
  private static var inTransaction: UInt64 { 3 << 33 }

  public func lifeline(
    at address: UInt64, signalReturn: UInt64, mask: UInt64, extendedState: [UInt8]
  ) -> [UInt8]? {
    let all = Frame.floatsSize + Frame.vectorsSize + Frame.halvesSize
    guard extendedState.isEmpty || extendedState.count == all, address % 8 == 0, !isInTransaction
    else { return nil }
    var bytes = [UInt8](repeating: 0, count: Frame.size)
    func put(_ value: UInt64, _ offset: Int) {
      bytes.withUnsafeMutableBytes {
        $0.storeBytes(of: value.littleEndian, toByteOffset: offset, as: UInt64.self)
      }
    }
    // No such mode: the kernel ignores the error and leaves the alternate stack as it is.
    put(0x40, Frame.stackFlags)
    put(mask, Frame.mask)
    for index in values.indices { put(values[index], Frame.registers + 8 * index) }
    let state = values[Index.machineState] & ~(Self.hasVectors | Self.inTransaction)
    put(
      extendedState.isEmpty ? state : state | Self.hasVectors,
      Frame.registers + 8 * Index.machineState)
    if extendedState.isEmpty { return bytes }
    let (floats, others) = (extendedState[..<Frame.floatsSize], extendedState[Frame.floatsSize...])
    bytes.replaceSubrange(Frame.floats ..< Frame.floats + floats.count, with: floats)
    // Aligned as vector registers are.
    let vectors = (address + UInt64(Frame.vectors) + 15) & ~15
    put(vectors, Frame.vectorPointer)
    let place = Int(vectors - address)
    bytes.replaceSubrange(place ..< place + others.count, with: others)
    return bytes
  }

  /// Each frame must hold the floating-point state itself, for which a chain has no room.
  public func link(
    at address: UInt64, signalReturn: UInt64, mask: UInt64, toLifeline lifeline: UInt64
  ) -> [UInt8]? { nil }
}
