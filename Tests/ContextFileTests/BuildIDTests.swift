// SPDX-License-Identifier: Apache-2.0
import Architecture
import CElf
import Linux
import Testing

@testable import ContextFile

struct BuildIDTests {
  @Test func `a program's build-id is what readelf says`() throws {
    let file = try FileDescriptor(opening: "/usr/bin/gdb", flags: 0)
    let text = buildID(of: file).map { byte in
      (byte < 16 ? "0" : "") + String(byte, radix: 16)
    }.joined()
    #expect(text.count == 40)
    let (notes, _, _) = try run("/usr/bin/readelf", ["-n", "/usr/bin/gdb"])
    #expect(notes.contains("Build ID: \(text)"))
  }

  @Test func `what is no ELF file has none`() throws {
    let text = try FileDescriptor(opening: "/etc/passwd", flags: 0)
    #expect(buildID(of: text) == [])
    let directory = try FileDescriptor(opening: "/", flags: 0)
    #expect(buildID(of: directory) == [])
    let empty = try FileDescriptor(inMemoryNamed: "empty")
    #expect(buildID(of: empty) == [])
  }

  /// An ELF file that is nothing but a note at `offset`.
  private func file(_ machine: Machine, noteAt offset: Int) throws -> FileDescriptor {
    let form = cr_elf_form(
      class_of_words: machine.wordSize.rawValue, byte_order: machine.byteOrder.rawValue,
      machine: machine.number)
    let size = cr_elf_header_size(form.class_of_words)
    var header = cr_elf_header()
    header.form = form
    header.type = 3
    header.program_header_offset = UInt64(size)
    header.program_header_count = 1
    var notes = NoteWriter(machine.byteOrder)
    notes.add("stapsdt", 3, [1, 2, 3])
    notes.add("GNU", 3, [0xab, 0xcd, 0xef])
    var segment = cr_elf_segment()
    segment.type = 4
    segment.offset = UInt64(offset)
    segment.file_size = UInt64(notes.bytes.count)
    segment.alignment = 4
    var bytes = [UInt8](repeating: 0, count: 256)
    bytes.withUnsafeMutableBytes { out in
      _ = cr_elf_put_header(&header, out.baseAddress)
      _ = cr_elf_put_segments(form, &segment, 1, out.baseAddress! + size)
    }
    let file = try FileDescriptor(inMemoryNamed: "elf")
    try file.write(bytes, at: 0)
    try file.write(notes.bytes, at: UInt64(offset))
    return file
  }

  @Test(arguments: machines, [512, 100_000])
  func `it is found in every class and byte order, near and far`(
    machine: Machine, offset: Int
  ) throws {
    #expect(buildID(of: try file(machine, noteAt: offset)) == [0xab, 0xcd, 0xef])
  }

  @Test func `lengths that lead out of the file are not believed`() throws {
    let file = try file(.x86_64, noteAt: 512)
    let whole = try file.read(Int(try file.status().size), at: 0)
    for position in 0 ..< whole.count {
      for value: UInt8 in [0xff, 0x7f, 0] {
        var bytes = whole
        bytes[position] = value
        try file.write(bytes, at: 0)
        #expect(buildID(of: file).count <= 64)
      }
    }
  }
}
