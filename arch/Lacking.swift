// SPDX-License-Identifier: Apache-2.0
import Linux

/// Registers that were saved on a processor with more than this one has.
extension Registers {
  /// Whether it is not one that every processor of the kind has in the same form: NT_X86_XSTATE; NT_ARM_SVE,
  /// NT_ARM_PACA_KEYS and NT_ARM_PACG_KEYS.
  public func mayLack(_ noteType: UInt32) -> Bool {
    switch self {
    case .x86_64, .i386: noteType == 0x202
    case .aarch64: [0x405, 0x407, 0x408].contains(noteType)
    case .powerpc64le, .arm, .foreign: false
    }
  }

  /// What is in a saved regset that this processor has no place for: in words that follow "uses", with what it has
  /// instead. `present` is the same regset of a thread that runs here, empty where there is none.
  public func lacking(_ noteType: UInt32, saved: [UInt8], present: [UInt8]) -> ByteString? {
    switch (self, noteType) {
    case (.x86_64, 0x202), (.i386, 0x202):
      guard let saved = ExtendedState(saved), let present = ExtendedState(present) else { return nil }
      let missing = saved.missing(in: present)
      if missing.isEmpty { return nil }
      let own = (0 ..< 63).filter { present.present >> UInt64($0) & 1 != 0 }
      return "\(ExtendedState.names(of: missing)), and this processor has "
        + ExtendedState.names(of: own)
    case (.aarch64, 0x405):
      guard let saved = ScalableVectors(saved) else { return nil }
      guard let present = ScalableVectors(present) else {
        return saved.isInUse ? "SVE, and this processor has none" : nil
      }
      if saved.length <= present.longest { return nil }
      return "vectors of \(saved.length) bytes (SVE), and this processor's have at most "
        + "\(present.longest)"
    case (.aarch64, 0x407), (.aarch64, 0x408):
      if saved.isEmpty || !present.isEmpty { return nil }
      return "signed pointers, and this processor does not sign them"
    default:
      return nil
    }
  }

  /// The saved regset in the form in which the kernel takes it here; nil where it has no such set, and nothing in the
  /// saved one is in use.
  public func fitted(_ noteType: UInt32, saved: [UInt8], present: [UInt8]) -> [UInt8]? {
    switch (self, noteType) {
    case (.x86_64, 0x202), (.i386, 0x202):
      guard let state = ExtendedState(saved), let other = ExtendedState(present) else { return saved }
      return state.fitted(to: other)
    case (.aarch64, 0x405):
      return present.isEmpty ? nil : saved
    default:
      return saved
    }
  }
}
