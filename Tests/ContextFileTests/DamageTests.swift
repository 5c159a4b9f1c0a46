// SPDX-License-Identifier: Apache-2.0
import Architecture
import Linux
import Request
import Snapshot
import Testing

@testable import ContextFile

/// A file that is not as it was written is refused with words that say where; whatever the bytes,
/// nothing crashes or hangs.
struct DamageTests {
  private func sample(_ machine: Machine = .x86_64) throws -> [UInt8] {
    var sample = Sample(machine)
    var snapshot = sample.small()
    return try contextFile(&snapshot)
  }

  private func refusal(_ bytes: [UInt8]) -> Failure? { failure { _ = try read(bytes) } }

  @Test(arguments: [Machine.x86_64, .powerpc])
  func `a file cut short anywhere is refused as truncated`(machine: Machine) throws {
    let whole = try sample(machine)
    for size in stride(from: whole.count - 1, through: 300, by: -97) {
      let failure = try #require(refusal(Array(whole.prefix(size))))
      #expect(failure.message.text.contains("truncated"), "\(size): \(failure.message.text)")
      #expect(failure.message.text.contains("\(size)"))
    }
    for size in 0 ..< 300 { #expect(refusal(Array(whole.prefix(size))) != nil) }
  }

  @Test(arguments: [Machine.x86_64, .i386, .powerpc64])
  func `a bit flipped anywhere is noticed`(machine: Machine) throws {
    let whole = try sample(machine)
    var position = 0
    while position < whole.count {
      var bytes = whole
      bytes[position] ^= 1 << UInt8(position % 8)
      #expect(refusal(bytes) != nil, "byte \(position) of \(whole.count)")
      position += position < 1024 || position > whole.count - 256 ? 1 : 41
    }
  }

  @Test func `bytes after the commit mark are refused`() throws {
    #expect(refusal(try sample() + [0]) != nil)
  }

  @Test func `damage to page contents is told by process and address`() throws {
    var sample = Sample(.x86_64)
    var snapshot = sample.snapshot()
    var bytes = try contextFile(&snapshot)
    let run = snapshot.processes[0].memory.regions[1].contents[0]
    bytes[Int(run.fileOffset) + 5] ^= 1
    let failure = try #require(refusal(bytes))
    #expect(failure.errno == .io)
    #expect(failure.message.text.contains("memory of process 4711 at"))
    // Without verifying, reading the records works all the same.
    _ = try read(bytes, verifying: false)
  }

  @Test func `damage to records is told by process, without verifying`() throws {
    var bytes = try sample()
    bytes[3000] ^= 4
    let failure = try #require(ContextFileTests.failure { _ = try read(bytes, verifying: false) })
    #expect(failure.message.text.contains("records of process 4711"))
  }

  @Test func `what is no context file is told apart`() throws {
    let empty = try #require(refusal([]))
    #expect(empty.message.text.contains("not a context file"))
    let text = try #require(refusal(Array("#!/bin/sh\n".utf8)))
    #expect(text.message.text.contains("not a context file"))
    // An ordinary core file: the same, but whose first note is of another owner.
    var core = try sample()
    core[76] = UInt8(ascii: "X")
    let other = try #require(refusal(core))
    #expect(other.message.text.contains("another origin"))
    #expect(other.errno == .invalid)
  }

  @Test func `another major version is refused by its number`() throws {
    var bytes = try sample()
    // The version note's description: behind the ELF header, note header and owner.
    bytes[64 + 20] = 7
    let failure = try #require(refusal(bytes))
    #expect(failure.message.text.contains("version 7.\(Format.minorVersion)"))
    #expect(failure.errno.rawValue == 2357)
  }

  // MARK: Behind the checksums

  /// Bytes altered, and all checksums made right again, as only an enemy or a bug of ours does.
  func resealed(_ bytes: [UInt8], _ machine: Machine) throws -> [UInt8] {
    let order = machine.byteOrder
    guard let footer = Footer(Array(bytes.suffix(Format.footerSize)), order) else { return bytes }
    let end = Int(footer.trailerOffset)
    guard end > 0, end < bytes.count else { return bytes }
    var heads: [UInt64] = []
    var offset = 0
    for _ in 0 ..< 3 {
      let size = headSize(bytes, offset, machine)
      guard size <= UInt64(bytes.count - offset) else { return bytes }
      heads.append(hash(of: bytes[offset ..< offset + Int(size)]))
      offset += imageSize(bytes, offset, Int(size))
      guard offset + 256 < bytes.count else { break }
    }
    while heads.count < 3 { heads.append(0) }
    let blocks = stride(from: 0, to: end, by: Format.blockSize).map { start in
      hash(of: bytes[start ..< min(end, start + Format.blockSize)])
    }
    let trailer = Trailer(heads: heads, blocks: blocks)
    return Array(bytes[..<end])
      + trailer.bytes(order, totalSize: UInt64(bytes.count), offset: UInt64(end))
  }

  private func headerSize(_ machine: Machine) -> Int { machine.wordSize == .bits64 ? 64 : 52 }

  private func headSize(_ bytes: [UInt8], _ offset: Int, _ machine: Machine) -> UInt64 {
    let start = offset + headerSize(machine) + 20 + 32
    var reader = FieldReader(Array(bytes[start ..< start + 8]), machine.byteOrder)
    var size: UInt64 = 0
    reader.field(&size)
    return size
  }

  /// In the small sample only the root has contents: one page.
  private func imageSize(_ bytes: [UInt8], _ offset: Int, _ head: Int) -> Int {
    head + (offset == 0 ? 4096 : 0)
  }

  @Test func `checksums made right again let an unaltered file through`() throws {
    let whole = try sample()
    #expect(try resealed(whole, .x86_64) == whole)
  }

  @Test(arguments: [Machine.x86_64, .i386, .powerpc64])
  func `no bytes in the records crash the reader, even with right checksums`(
    machine: Machine
  ) throws {
    let whole = try sample(machine)
    let head = Int(headSize(whole, 0, machine))
    var refused = 0
    var tried = 0
    for value: UInt8 in [0xff, 0x00, 0x80, 0x01] {
      for position in stride(from: Int(value) % 3, to: head, by: 5) {
        var bytes = whole
        guard bytes[position] != value else { continue }
        bytes[position] = value
        tried += 1
        if refusal(try resealed(bytes, machine)) != nil { refused += 1 }
      }
    }
    // Plain numbers may be anything; lengths, counts, kinds and places may not.
    #expect(refused > tried / 20)
    #expect(refused < tried)
  }

  @Test func `four bytes at once, the size of a length, do not crash it either`() throws {
    let whole = try sample()
    let head = Int(headSize(whole, 0, .x86_64))
    for position in stride(from: 0, to: head - 8, by: 4) {
      for value: UInt8 in [0xff, 0x7f] {
        var bytes = whole
        for index in 0 ..< 4 { bytes[position + index] = value }
        _ = refusal(try resealed(bytes, .x86_64))
        for index in 4 ..< 8 { bytes[position + index] = value }
        _ = refusal(try resealed(bytes, .x86_64))
      }
    }
  }
}
