// SPDX-License-Identifier: Apache-2.0
import Linux

/// NT_X86_XSTATE's bytes: the standard form of XSAVE, which begins with the FXSAVE image; behind that a header says
/// which components are not as they were at first. Bytes 464… tell which ones this processor and kernel have at all.
struct ExtendedState {
  private let bytes: [UInt8]

  private static var presentOffset: Int { 464 }
  private static var inUseOffset: Int { 512 }
  private static var smallestSize: Int { 576 }

  /// nil for what is too short to have a header.
  init?(_ bytes: [UInt8]) {
    guard bytes.count >= Self.smallestSize else { return nil }
    self.bytes = bytes
  }

  private func word(_ offset: Int) -> UInt64 {
    bytes.withUnsafeBytes {
      UInt64(littleEndian: $0.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
    }
  }

  var present: UInt64 { word(Self.presentOffset) }
  var inUse: UInt64 { word(Self.inUseOffset) }

  /// Components that are in use and that `other`'s processor does not have.
  func missing(in other: ExtendedState) -> [Int] {
    let missing = inUse & ~other.present
    return (0 ..< 63).filter { missing >> UInt64($0) & 1 != 0 }
  }

  /// With as many bytes as `other` has, since the kernel takes nothing else. What is cut off or added are
  /// components that are not in use.
  func fitted(to other: ExtendedState) -> [UInt8] {
    Array(bytes.prefix(other.bytes.count))
      + [UInt8](repeating: 0, count: max(0, other.bytes.count - bytes.count))
  }

  /// Intel 64 and IA-32 Architectures Software Developer's Manual, volume 1, 13.1.
  static func name(of component: Int) -> ByteString {
    switch component {
    case 0: "x87"
    case 1: "SSE"
    case 2: "AVX"
    case 3, 4: "MPX"
    case 5, 6, 7: "AVX-512"
    case 9: "protection keys"
    case 17, 18: "AMX"
    default: "component \(component) of XSAVE"
    }
  }

  static func names(of components: [Int]) -> ByteString {
    var names: [ByteString] = []
    for component in components where !names.contains(name(of: component)) {
      names.append(name(of: component))
    }
    var text: ByteString = ""
    for (index, name) in names.enumerated() { text = text + (index == 0 ? "" : ", ") + name }
    return text
  }
}
