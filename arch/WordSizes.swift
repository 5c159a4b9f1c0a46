// SPDX-License-Identifier: Apache-2.0
import Linux

/// One kernel may run programs of two word sizes, and the tool that holds them has one of these.
extension Registers {
  /// Whether they are of a thread that runs 64-bit code, and we are a 32-bit program, which cannot do so.
  public static func isOfWiderCode(traced bytes: [UInt8]) -> Bool {
    Machine.native == .i386 && bytes.count == X86_64.registerCount * 8
  }

  /// Whether they are of a thread that runs 32-bit code, which the tools for this processor do not hold: ARM's,
  /// under an AArch64 kernel.
  public static func isOfNarrowerCode(traced bytes: [UInt8]) -> Bool {
    Machine.native == .aarch64 && bytes.count == ARM.registerCount * 4
  }

  /// A `siginfo_t` in the program's own form, from what a tracer is shown: that has the form of the tracer.
  public func signalInformation(traced bytes: [UInt8]) -> [UInt8] {
    guard case .i386 = self, Machine.native.wordSize == .bits64 else { return bytes }
    return SignalInformation32.narrowed(bytes)
  }

  /// Why a program that stands so cannot be brought back, in words that follow "its thread"; nil if it
  /// can.
  public var unsupportedReason: StaticString? {
    switch self {
    case .i386(let registers) where registers.usesLocalDescriptors:
      "uses a segment of its own making (modify_ldt)"
    case .powerpc64le(let registers) where registers.isInTransaction:
      "is inside a memory transaction"
    default: nil
    }
  }
}
