// SPDX-License-Identifier: Apache-2.0
import Linux

/// The kernel's `struct rt_sigframe` (arch/x86/include/asm/sigframe.h, uapi/asm/sigcontext.h):
/// what rt_sigreturn(2) loads a thread's whole state from.
extension X86_64 {
  /// Offsets in the frame, from the word that holds the return address.
  private enum Frame {
    static let flags = 8
    static let stackFlags = 8 + 24
    static let context = 8 + 40
    static let segments = context + 18 * 8
    static let floatingPoint = context + 23 * 8
    static let mask = context + 32 * 8
    /// A `siginfo_t` follows, which rt_sigreturn does not look at.
    static let size = mask + 8
  }

  /// Order of the general registers in `struct sigcontext_64`.
  private static var contextOrder: InlineArray<18, Int> {
    [
      Index.r8, Index.r9, Index.r10, Index.r11, Index.r12, Index.r13, Index.r14, Index.r15,
      Index.rdi, Index.rsi, Index.rbp, Index.rbx, Index.rdx, Index.rax, Index.rcx, Index.rsp,
      Index.rip, Index.flags,
    ]
  }

  public func lifeline(
    at address: UInt64, signalReturn: UInt64, mask: UInt64, extendedState: [UInt8]
  ) -> [UInt8]? {
    guard let floatingPoint = extendedState.isEmpty ? [] : Self.framedState(extendedState) else {
      return nil
    }
    // XRSTOR wants its area on a multiple of 64 bytes.
    let areaOffset = Int((address + UInt64(Frame.size) + 63) & ~63 - address)
    var bytes = [UInt8](repeating: 0, count: areaOffset + floatingPoint.count)
    bytes.replaceSubrange(areaOffset..., with: floatingPoint)

    func put(_ value: UInt64, _ offset: Int) {
      bytes.withUnsafeMutableBytes {
        $0.storeBytes(of: value.littleEndian, toByteOffset: offset, as: UInt64.self)
      }
    }
    put(signalReturn, 0)
    // UC_FP_XSTATE | UC_SIGCONTEXT_SS | UC_STRICT_RESTORE_SS
    put(floatingPoint.isEmpty ? 6 : 7, Frame.flags)
    // No such mode: the kernel ignores the error and leaves the alternate stack as it is.
    put(0x40, Frame.stackFlags)
    let order = Self.contextOrder
    for index in order.indices { put(values[order[index]], Frame.context + index * 8) }
    // cs, gs, fs, ss: 16 bits each.
    put(
      values[Index.cs] & 0xffff | (values[Index.gs] & 0xffff) << 16
        | (values[Index.fs] & 0xffff) << 32 | (values[Index.ss] & 0xffff) << 48, Frame.segments)
    // A null pointer makes the kernel clear the floating point state.
    if !floatingPoint.isEmpty { put(address + UInt64(areaOffset), Frame.floatingPoint) }
    put(mask, Frame.mask)
    return bytes
  }

  /// NT_X86_XSTATE's bytes with the marks by which the kernel knows a full xsave area in a frame.
  private static func framedState(_ state: [UInt8]) -> [UInt8]? {
    // FXSAVE image, header; the software-reserved bytes 464… hold XCR0 first.
    guard state.count >= 576 else { return nil }
    func load(_ offset: Int) -> UInt64 {
      state.withUnsafeBytes {
        UInt64(littleEndian: $0.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
      }
    }
    var features = load(464)
    let inUse = load(512)
    let tiles: UInt64 = 3 << 17
    var size = state.count
    if features & tiles != 0 && inUse & tiles == 0 {
      // A thread without permission for AMX has a smaller area; the kernel would refuse the big one.
      features &= ~tiles
      size = min(size, 2696)
    }
    var framed = Array(state[..<size])
    func put(_ value: UInt64, _ offset: Int, _ count: Int) {
      for index in 0 ..< count {
        framed[offset + index] = UInt8(truncatingIfNeeded: value >> UInt64(8 * index))
      }
    }
    put(0x4650_5853, 464, 4)  // FP_XSTATE_MAGIC1
    put(UInt64(size + 4), 468, 4)  // with the mark at the end
    put(features, 472, 8)
    put(UInt64(size), 480, 4)
    // FP_XSTATE_MAGIC2 "EPXF"
    framed += [0x45, 0x58, 0x50, 0x46]
    return framed
  }
}
