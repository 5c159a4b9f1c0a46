// SPDX-License-Identifier: Apache-2.0
import Linux

/// The kernel's `struct rt_sigframe_ia32` (asm/sigframe.h, uapi/asm/sigcontext.h): what rt_sigreturn(2)
/// loads a thread's whole state from.
extension I386 {
  /// Offsets from the stack pointer at `returningSystemCall`: the popped words, the return address,
  /// the number of a signal, two pointers, a `siginfo_t`, then `struct ucontext_ia32`.
  private enum Frame {
    static let returnAddress = I386.poppedBytes
    static let context = returnAddress + 16 + 128
    static let stackFlags = context + 12
    static let registers = context + 20
    static let floatingPoint = registers + 76
    static let mask = registers + 88
    static let size = mask + 8
  }

  /// `struct sigcontext_32`: gs fs es ds edi esi ebp esp ebx edx ecx eax trapno err eip cs eflags esp
  /// ss; -1 for what no register has.
  private static var contextOrder: InlineArray<19, Int> {
    [
      Index.gs, Index.fs, Index.es, Index.ds, Index.edi, Index.esi, Index.ebp, Index.esp,
      Index.ebx, Index.edx, Index.ecx, Index.eax, -1, -1, Index.eip, Index.cs, Index.flags,
      Index.esp, Index.ss,
    ]
  }

  public func lifeline(
    at address: UInt64, signalReturn: UInt64, mask: UInt64, extendedState: [UInt8]
  ) -> [UInt8]? {
    let area = ExtendedArea(extendedState)
    if area == nil, !extendedState.isEmpty { return nil }
    let place = Self.areaPlace(ofFrameAt: address)
    let offset = Int(place - address)
    var bytes = [UInt8](repeating: 0, count: Frame.size)
    if let area, let old = FloatingPoint32(xsave: extendedState) {
      bytes += [UInt8](repeating: 0, count: offset - bytes.count) + old.frameHead
      let xsave = bytes.count
      bytes += [UInt8](repeating: 0, count: area.framedSize)
      area.put(extendedState, into: &bytes, at: xsave)
    }
    putFrame(into: &bytes, signalReturn, mask, area: area == nil ? nil : place)
    return bytes
  }

  public func link(
    at address: UInt64, signalReturn: UInt64, mask: UInt64, toLifeline lifeline: UInt64
  ) -> [UInt8]? {
    var bytes = [UInt8](repeating: 0, count: Frame.size)
    putFrame(into: &bytes, signalReturn, mask, area: Self.areaPlace(ofFrameAt: lifeline))
    return bytes
  }

  /// The old form of the floating-point state, and directly behind it, on a multiple of 64 bytes, the
  /// xsave area.
  private static func areaPlace(ofFrameAt address: UInt64) -> UInt64 {
    let head = UInt64(FloatingPoint32.frameHeadSize)
    return (address + UInt64(Frame.size) + head + 63) & ~63 - head
  }

  /// - Parameter area: where the extended state is; without one the kernel clears it.
  private func putFrame(
    into bytes: inout [UInt8], _ signalReturn: UInt64, _ mask: UInt64, area: UInt64?
  ) {
    func put(_ value: UInt32, _ offset: Int) {
      bytes.withUnsafeMutableBytes {
        $0.storeBytes(of: value.littleEndian, toByteOffset: offset, as: UInt32.self)
      }
    }
    put(UInt32(truncatingIfNeeded: signalReturn), Frame.returnAddress)
    // UC_FP_XSTATE
    put(area == nil ? 0 : 1, Frame.context)
    // No such mode: the kernel ignores the error and leaves the alternate stack as it is.
    put(0x40, Frame.stackFlags)
    let order = Self.contextOrder
    for index in order.indices where order[index] >= 0 {
      put(values[order[index]], Frame.registers + 4 * index)
    }
    put(UInt32(truncatingIfNeeded: area ?? 0), Frame.floatingPoint)
    put(UInt32(truncatingIfNeeded: mask), Frame.mask)
    put(UInt32(truncatingIfNeeded: mask >> 32), Frame.mask + 4)
  }
}
