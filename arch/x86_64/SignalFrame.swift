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
    let area = ExtendedArea(extendedState)
    if area == nil, !extendedState.isEmpty { return nil }
    let place = Self.areaPlace(ofFrameAt: address)
    let areaOffset = Int(place - address)
    var bytes = [UInt8](repeating: 0, count: areaOffset + (area?.framedSize ?? 0))
    area?.put(extendedState, into: &bytes, at: areaOffset)
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

  /// XRSTOR wants its area on a multiple of 64 bytes.
  private static func areaPlace(ofFrameAt address: UInt64) -> UInt64 {
    (address + UInt64(Frame.size) + 63) & ~63
  }

  /// - Parameter area: where the extended state is; without one the kernel clears it.
  private func putFrame(
    into bytes: inout [UInt8], _ signalReturn: UInt64, _ mask: UInt64, area: UInt64?
  ) {
    func put(_ value: UInt64, _ offset: Int) {
      bytes.withUnsafeMutableBytes {
        $0.storeBytes(of: value.littleEndian, toByteOffset: offset, as: UInt64.self)
      }
    }
    put(signalReturn, 0)
    // UC_FP_XSTATE | UC_SIGCONTEXT_SS | UC_STRICT_RESTORE_SS
    put(area == nil ? 6 : 7, Frame.flags)
    // No such mode: the kernel ignores the error and leaves the alternate stack as it is.
    put(0x40, Frame.stackFlags)
    let order = Self.contextOrder
    for index in order.indices { put(values[order[index]], Frame.context + index * 8) }
    // cs, gs, fs, ss: 16 bits each.
    put(
      values[Index.cs] & 0xffff | (values[Index.gs] & 0xffff) << 16
        | (values[Index.fs] & 0xffff) << 32 | (values[Index.ss] & 0xffff) << 48, Frame.segments)
    put(area ?? 0, Frame.floatingPoint)
    put(mask, Frame.mask)
  }
}

/// How NT_X86_XSTATE's bytes stand in a signal frame: with the marks by which the kernel knows a full
/// xsave area.
struct ExtendedArea {
  private let features: UInt64
  private let size: Int

  /// With the mark at the end.
  var framedSize: Int { size + 4 }

  init?(_ state: [UInt8]) {
    // FXSAVE image, header; the software-reserved bytes 464… hold XCR0 first.
    guard state.count >= 576 else { return nil }
    func load(_ offset: Int) -> UInt64 {
      state.withUnsafeBytes {
        UInt64(littleEndian: $0.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
      }
    }
    let present = load(464)
    let inUse = load(512)
    let tiles: UInt64 = 3 << 17
    // A thread without permission for AMX has a smaller area; the kernel would refuse the big one.
    let isWithoutTiles = present & tiles != 0 && inUse & tiles == 0
    features = isWithoutTiles ? present & ~tiles : present
    size = isWithoutTiles ? min(state.count, 2696) : state.count
  }

  func put(_ state: [UInt8], into bytes: inout [UInt8], at offset: Int) {
    bytes.withUnsafeMutableBytes { target in
      let area = UnsafeMutableRawBufferPointer(rebasing: target[offset...])
      state.withUnsafeBytes {
        area.copyMemory(from: UnsafeRawBufferPointer(rebasing: $0[..<size]))
      }
      func put<Value: FixedWidthInteger>(_ value: Value, _ place: Int) {
        area.storeBytes(of: value.littleEndian, toByteOffset: place, as: Value.self)
      }
      put(0x4650_5853 as UInt32, 464)  // FP_XSTATE_MAGIC1
      put(UInt32(framedSize), 468)
      put(features, 472)
      put(UInt32(size), 480)
      put(0x4650_5845 as UInt32, size)  // FP_XSTATE_MAGIC2
    }
  }
}
