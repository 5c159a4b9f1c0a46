// SPDX-License-Identifier: Apache-2.0

extension Machine {
  /// A program that does nothing but end: an ELF file for a processor of which we are no program
  /// ourselves, though its processes run here. nil where our own program serves.
  public var smallProgram: [UInt8]? {
    self == .i386 && Machine.native != .i386 ? SmallProgram32.bytes : nil
  }
}

/// An i386 executable of one page (elf(5)): a header, two program headers, and exit(0).
private enum SmallProgram32 {
  private static var base: UInt32 { 0x0804_8000 }
  /// `mov $1, %eax; xor %ebx, %ebx; int $0x80`
  private static var code: [UInt8] { [0xb8, 1, 0, 0, 0, 0x31, 0xdb, 0xcd, 0x80] }

  static var bytes: [UInt8] {
    let headers: UInt32 = 52 + 2 * 32
    let size = headers + UInt32(code.count)
    // ELFCLASS32, ELFDATA2LSB, EV_CURRENT.
    var bytes: [UInt8] = [0x7f, 0x45, 0x4c, 0x46, 1, 1, 1] + [UInt8](repeating: 0, count: 9)
    func half(_ value: UInt16) {
      bytes.append(UInt8(truncatingIfNeeded: value))
      bytes.append(UInt8(truncatingIfNeeded: value >> 8))
    }
    func word(_ value: UInt32) {
      half(UInt16(truncatingIfNeeded: value))
      half(UInt16(truncatingIfNeeded: value >> 16))
    }
    half(2)  // ET_EXEC
    half(Machine.i386.number)
    word(1)
    // Entry, program headers, no section headers, no flags.
    for value in [base + headers, 52, 0, 0] { word(value) }
    for value in [UInt16(52), 32, 2, 0, 0, 0] { half(value) }
    // PT_LOAD of the whole file, readable and executable.
    for value in [1, 0, base, base, size, size, 5, 0x1000] { word(value) }
    // PT_GNU_STACK: without it the kernel makes all memory executable that can be read.
    for value in [UInt32(0x6474_e551), 0, 0, 0, 0, 0, 6, 16] { word(value) }
    return bytes + code
  }
}
