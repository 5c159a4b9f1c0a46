// SPDX-License-Identifier: Apache-2.0
import Architecture
import Linux
import Request
import Snapshot
import Testing

@testable import ContextFile

/// Older readers and newer files, newer readers and older files.
struct EvolutionTests {
  @Test(arguments: [Machine.ByteOrder.little, .big])
  func `a longer record is read up to what is known`(order: Machine.ByteOrder) {
    var writer = FieldWriter(order)
    var values: [UInt32] = [1, 2]
    writer.list(&values, empty: 0) { value, coder in
      coder.field(&value)
      var appended: UInt64 = 99
      coder.field(&appended)
    }
    writer.put(UInt16(7))
    var reader = FieldReader(writer.bytes, order)
    var back: [UInt32] = []
    reader.list(&back, empty: 0) { $1.field(&$0) }
    var after: UInt16 = 0
    reader.field(&after)
    #expect(back == [1, 2])
    #expect(after == 7)
    #expect(!reader.isMalformed)
  }

  @Test func `what a shorter record lacks keeps its default`() {
    var writer = FieldWriter(.big)
    var value = 5
    writer.record(&value) { $1.field(&$0) }
    var reader = FieldReader(writer.bytes, .big)
    var lock = FileLock(kind: .flock, descriptor: 77, isExclusive: true, start: 1, count: 2)
    reader.record(&lock) { lock, coder in
      coder.field(&lock.descriptor)
      coder.field(&lock.count)
    }
    #expect(lock.descriptor == 5)
    #expect(lock.count == 2)
    #expect(!reader.isMalformed)
  }

  @Test func `a record that ends within a number is malformed`() {
    var reader = FieldReader([0, 0, 0, 2, 1, 2], .big)
    var value: UInt32 = 0
    reader.record(&value) { $1.field(&$0) }
    #expect(reader.isMalformed)
  }

  @Test func `a count that the bytes cannot hold is not believed`() {
    var reader = FieldReader([0xff, 0xff, 0xff, 0x7f, 0, 0, 0, 0], .little)
    var values: [UInt32] = []
    reader.list(&values, empty: 0) { $1.field(&$0) }
    #expect(reader.isMalformed)
    #expect(values.isEmpty)
  }

  @Test func `a note that is not known is passed over if it is optional`() {
    var notes = ProcessNotes(ProcessID(1), .x86_64)
    let owner: [UInt8] = Array("BLCR".utf8)
    let optional = Note(
      owner: owner[...], type: Format.noteBase | 0x123, description: [1, 2, 3])
    let isFine = notes.take(optional)
    #expect(isFine)
    #expect(NoteKind(type: optional.type) == nil)
  }

  @Test func `a required note that is not known is an error that names it`() throws {
    var sample = Sample(.x86_64)
    var snapshot = sample.small()
    var bytes = try contextFile(&snapshot)
    // Turns the note of signal actions, whose type is at a place we look for, into a new one.
    let type: [UInt8] = [0x13, 0x80, 0x43, 0x42]
    let place = try #require(
      (0 ..< 8192).first { bytes[$0 ..< $0 + 4].elementsEqual(type) })
    bytes[place + 1] = 0x81
    let number = try memoryFile(try DamageTests().sealedAgain(bytes))
    let failure = try #require(
      ContextFileTests.failure { _ = try Reader(.descriptor(number)) })
    #expect(failure.message.text.contains("0x42438113"))
    #expect(failure.message.text.contains("newer version"))
  }
}

extension DamageTests {
  func sealedAgain(_ bytes: [UInt8]) throws -> [UInt8] { try resealed(bytes, .x86_64) }
}
