// SPDX-License-Identifier: Apache-2.0

/// One line of /proc/PID/maps, with what /proc/PID/smaps adds to it.
public struct MappedRegion: Sendable {
  public var range: MemoryRange
  /// PROT_READ 1, PROT_WRITE 2, PROT_EXEC 4.
  public var protection: UInt32
  public var isShared: Bool
  public var offset: UInt64
  /// Of the file, as `FileStatus.device`; 0 with inode 0 for memory without one.
  public var device: UInt64
  public var inode: UInt64
  /// Path, [heap] and the like, or empty; line ends in a path are unescaped.
  public var name: ByteString
  /// VmFlags, two letters each, separated by single spaces; empty if read from maps.
  public var flags: ByteString = ""
  public var protectionKey: UInt32 = 0
  /// Swap of smaps, in bytes: for shared memory what the object has in swap.
  public var swapped: UInt64 = 0
  /// Bytes of its pages: KernelPageSize of smaps, 0 if read from maps.
  public var pageSize: UInt64 = 0

  /// Whether it shows a file or an object of the kernel's. The first System V segment of a machine has
  /// the inode number 0.
  public var hasFile: Bool { device != 0 || inode != 0 }

  /// All regions in the text of maps or smaps.
  public static func parse(_ text: [UInt8]) -> [MappedRegion] {
    var regions: [MappedRegion] = []
    var scanner = TextScanner(text)
    while !scanner.isAtEnd {
      // An attribute line starts with a capital letter, a region with a lower-case hex digit.
      if (UInt8(ascii: "A") ... UInt8(ascii: "Z")).contains(scanner.next) {
        if !regions.isEmpty { regions[regions.count - 1].readAttribute(&scanner) }
        scanner.skipLine()
      } else {
        regions.append(MappedRegion(line: &scanner))
      }
    }
    return regions
  }

  private init(line scanner: inout TextScanner) {
    let start = scanner.number(radix: 16)
    scanner.advance()
    range = MemoryRange(start: start, end: scanner.number(radix: 16))
    let permissions = scanner.word().bytes
    protection = 0
    isShared = false
    if permissions.count >= 4 {
      if permissions[0] == UInt8(ascii: "r") { protection |= 1 }
      if permissions[1] == UInt8(ascii: "w") { protection |= 2 }
      if permissions[2] == UInt8(ascii: "x") { protection |= 4 }
      isShared = permissions[3] == UInt8(ascii: "s")
    }
    offset = scanner.number(radix: 16)
    let major = UInt32(truncatingIfNeeded: scanner.number(radix: 16))
    scanner.advance()
    let minor = UInt32(truncatingIfNeeded: scanner.number(radix: 16))
    device = deviceNumber(major: major, minor: minor)
    inode = scanner.number()
    scanner.skipBlanks()
    name = Self.unescaped(scanner.restOfLine())
  }

  private mutating func readAttribute(_ scanner: inout TextScanner) {
    switch scanner.next {
    case UInt8(ascii: "V"):
      guard scanner.skip("VmFlags:") else { return }
      scanner.skipBlanks()
      let text = scanner.textToLineEnd()
      flags = text.bytes.last == UInt8(ascii: " ") ? text.dropLast(1) : text
    case UInt8(ascii: "P"):
      if scanner.skip("ProtectionKey:") {
        protectionKey = UInt32(truncatingIfNeeded: scanner.number())
      }
    case UInt8(ascii: "K"):
      if scanner.skip("KernelPageSize:") { pageSize = scanner.number() * 1024 }
    case UInt8(ascii: "S"):
      if scanner.skip("Swap:") { swapped = scanner.number() * 1024 }
    default: break
    }
  }

  /// Bytes of a page of hugetlbfs; 0 for ordinary pages, and if read from maps.
  public var hugePageSize: UInt64 { hasFlag("ht") ? pageSize : 0 }

  /// Stands at the same address in every process, outside of its own memory.
  public var isImmovable: Bool { name.namesImmovable }

  /// Whether VmFlags has this two-letter word.
  public func hasFlag(_ flag: StaticString) -> Bool {
    let wanted = flag.withUTF8Buffer { ($0[0], $0[1]) }
    let bytes = flags.bytes
    var index = 0
    while index + 1 < bytes.count {
      if bytes[index] == wanted.0, bytes[index + 1] == wanted.1 { return true }
      index += 3
    }
    return false
  }

  /// seq_path escapes a line end in a path as \012, and nothing else.
  private static func unescaped(_ name: ByteString) -> ByteString {
    let escape: [UInt8] = [0x5c, 0x30, 0x31, 0x32]
    guard name.bytes.contains(0x5c) else { return name }
    var bytes: [UInt8] = []
    var index = 0
    while index < name.count {
      if name.bytes[index...].starts(with: escape) {
        bytes.append(UInt8(ascii: "\n"))
        index += escape.count
      } else {
        bytes.append(name.bytes[index])
        index += 1
      }
    }
    return ByteString(bytes)
  }
}

extension ByteString {
  /// Of the mappings that are nobody's own: x86's [vsyscall], ARM's [vectors].
  public var namesImmovable: Bool { self == "[vsyscall]" || self == "[vectors]" }
}
