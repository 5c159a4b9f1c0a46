// SPDX-License-Identifier: Apache-2.0
import Architecture
import Foundation
import Linux
import Request
import Snapshot
import Testing

@testable import ContextFile

/// What becomes of old files and new ones, when it works and when it does not.
struct DestinationTests {
  private let folder: Folder
  private var target: String { folder.file("context") }

  init() throws { folder = try Folder() }

  private func open(_ replacement: Replacement) throws -> Destination {
    try Destination(.file(ByteString(target)), replacement, isSynchronous: true)
  }

  /// Writes a whole context and commits it.
  private func save(_ replacement: Replacement) throws {
    var sample = Sample(.x86_64)
    var snapshot = sample.small()
    let layout = Layout(planning: &snapshot)
    var destination = try open(replacement)
    try destination.reserve(layout)
    try write(&snapshot, to: destination.part(0).file)
    try destination.commit()
  }

  /// Begins to write and gives up.
  private func begin(_ replacement: Replacement, writing: Bool = true) throws {
    var sample = Sample(.x86_64)
    var snapshot = sample.small()
    let layout = Layout(planning: &snapshot)
    var destination = try open(replacement)
    if writing {
      try destination.reserve(layout)
      try layout.writeHeads(to: destination.part(0).file)
    }
    _ = consume destination
  }

  private func commitFailure(_ destination: consuming Destination) -> Failure? {
    do {
      try destination.commit()
      return nil
    } catch {
      return error
    }
  }

  private func put(_ text: String, mode: Int = 0o644) throws {
    try Data(text.utf8).write(to: URL(fileURLWithPath: target))
    try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: target)
  }

  private func text(_ name: String) throws -> String {
    String(decoding: try Data(contentsOf: URL(fileURLWithPath: folder.file(name))), as: UTF8.self)
  }

  private func isContext(_ name: String) -> Bool {
    (try? Reader(.file(ByteString(folder.file(name)))).verify()) != nil
  }

  @Test(arguments: [Replacement.atomic, .backup(nil), .clobber, .noclobber])
  func `a new file is whole, for its owner to read only, and alone`(
    replacement: Replacement
  ) throws {
    try save(replacement)
    #expect(folder.names == ["context"])
    #expect(isContext("context"))
    #expect(try FileStatus.of(ByteString(target)).mode & 0o7777 == 0o400)
  }

  @Test(arguments: [Replacement.atomic, .backup(nil), .clobber, .noclobber])
  func `what was begun is removed`(replacement: Replacement) throws {
    try begin(replacement)
    #expect(folder.names == [])
  }

  @Test(arguments: [Replacement.atomic, .backup(nil)])
  func `a failure leaves the older file as it was`(replacement: Replacement) throws {
    try put("old")
    try begin(replacement)
    #expect(folder.names == ["context"])
    #expect(try text("context") == "old")
  }

  @Test func `with clobber the older file lasts until the writing begins`() throws {
    try put("old", mode: 0o640)
    try begin(.clobber, writing: false)
    #expect(try text("context") == "old")
    #expect(try FileStatus.of(ByteString(target)).mode & 0o7777 == 0o640)
    try begin(.clobber)
    #expect(folder.names == [])
  }

  @Test func `clobber writes over the same inode, a longer one too`() throws {
    try put(String(repeating: "x", count: 300_000))
    let before = try FileStatus.of(ByteString(target)).inode
    try save(.clobber)
    #expect(try FileStatus.of(ByteString(target)).inode == before)
    #expect(isContext("context"))
    // Once more over a read-only context file.
    try save(.clobber)
    #expect(isContext("context"))
  }

  @Test func `an old commit mark does not vouch for half a new file`() throws {
    try save(.clobber)
    var sample = Sample(.x86_64)
    var snapshot = sample.small()
    let layout = Layout(planning: &snapshot)
    var destination = try open(.clobber)
    try destination.reserve(layout)
    #expect(!isContext("context"))
    #expect(failure { _ = try Reader(.file(ByteString(target))) }?.message.text.contains("truncated") == true)
    _ = consume destination
  }

  @Test func `noclobber refuses at once, and a file that appeared meanwhile at the end`() throws {
    try put("old")
    let early = try #require(failure { try begin(.noclobber, writing: false) })
    #expect(early.errno == .exists)
    try FileManager.default.removeItem(atPath: target)
    var sample = Sample(.x86_64)
    var snapshot = sample.small()
    let destination = try open(.noclobber)
    try write(&snapshot, to: destination.part(0).file)
    try put("somebody else's")
    let unfinished = commitFailure(destination)
    let late = try #require(unfinished)
    #expect(late.errno == .exists)
    #expect(folder.names == ["context"])
    #expect(try text("context") == "somebody else's")
  }

  @Test func `backup keeps the old file under a number, or under a name`() throws {
    try put("first")
    try save(.backup(nil))
    try save(.backup(nil))
    #expect(folder.names == ["context", "context.~1~", "context.~2~"])
    #expect(try text("context.~1~") == "first")
    #expect(isContext("context.~2~"))
    try save(.backup(ByteString(folder.file("kept"))))
    #expect(isContext("kept") && isContext("context"))
    #expect(folder.names.count == 4)
  }

  @Test func `two writers to one name do not mix`() throws {
    for replacement in [Replacement.atomic, .clobber] {
      let first = try open(replacement)
      let second = try #require(failure { _ = try open(replacement) })
      #expect(second.errno == .busy)
      #expect(second.message.text.contains("another checkpoint"))
      _ = consume first
    }
    #expect(folder.names == [])
  }

  @Test func `what a killed run left behind is replaced`() throws {
    try Data("half".utf8).write(to: URL(fileURLWithPath: folder.file(".context.tmp")))
    try save(.atomic)
    #expect(folder.names == ["context"])
    // A link in that place is not followed.
    try put("precious")
    try FileManager.default.removeItem(atPath: target)
    let victim = folder.file("victim")
    try Data("precious".utf8).write(to: URL(fileURLWithPath: victim))
    try FileManager.default.createSymbolicLink(
      atPath: folder.file(".context.tmp"), withDestinationPath: victim)
    try save(.atomic)
    #expect(try text("victim") == "precious")
    #expect(folder.names == ["context", "victim"])
  }

  @Test func `a directory is no destination`() throws {
    try FileManager.default.createDirectory(atPath: target, withIntermediateDirectories: false)
    for replacement in [Replacement.atomic, .clobber] {
      #expect(failure { _ = try open(replacement) }?.errno.rawValue == EISDIR)
    }
    #expect(folder.names == ["context"])
    let missing = failure {
      _ = try Destination(
        .file(ByteString(folder.file("no/where"))), .atomic, isSynchronous: false)
    }
    #expect(missing?.errno == .noEntry)
  }

  @Test func `a file system without room is noticed before anything is written`() throws {
    var sample = Sample(.x86_64)
    var snapshot = sample.small()
    let page: UInt64 = 4096
    let base: UInt64 = 0x1000_0000_0000
    var huge = Region(
      range: MemoryRange(start: base, count: page << 40), protection: 3, isShared: false,
      backing: .anonymous)
    huge.contents = [Extent(position: base, count: page << 40)]
    snapshot.processes[0].memory.regions.append(huge)
    let layout = Layout(planning: &snapshot)
    var destination = try open(.atomic)
    let full = failure { try destination.reserve(layout) }
    #expect(full?.errno == .noSpace)
    _ = consume destination
    #expect(folder.names == [])
  }

  @Test func `a context goes into a descriptor that is a file`() throws {
    for flags in [O_RDWR, O_WRONLY, O_WRONLY | O_APPEND] {
      let number = Foundation.open(target, flags | O_CREAT | O_TRUNC, 0o600)
      defer { close(number) }
      var sample = Sample(.x86_64)
      var snapshot = sample.small()
      var destination = try Destination(
        .descriptor(number), .atomic, isSynchronous: true)
      try destination.reserve(Layout(planning: &snapshot))
      try write(&snapshot, to: destination.part(0).file)
      try destination.commit()
      #expect(isContext("context"))
    }
  }

  @Test func `a context goes through a pipe`() throws {
    var sample = Sample(.x86_64)
    var snapshot = sample.small()
    var ends: [Int32] = [0, 0]
    #expect(pipe(&ends) == 0)
    let (reading, writing) = (ends[0], ends[1])
    let planned = snapshot
    let writer = Foundation.Thread {
      var snapshot = planned
      if let destination = try? Destination(.descriptor(writing), .atomic, isSynchronous: true) {
        try? ContextFileTests.write(&snapshot, to: destination.part(0).file)
        try? destination.commit()
      }
      close(writing)
    }
    writer.start()
    let reader = try Reader(.descriptor(reading))
    try reader.verify()
    close(reading)
    _ = Layout(planning: &snapshot)
    #expect(description(reader.snapshot) == description(snapshot))
  }

  @Test func `a reader that goes away is an error and no signal`() throws {
    var ends: [Int32] = [0, 0]
    #expect(pipe(&ends) == 0)
    close(ends[0])
    defer { close(ends[1]) }
    let destination = try Destination(.descriptor(ends[1]), .atomic, isSynchronous: false)
    var sample = Sample(.x86_64)
    var snapshot = sample.small()
    try write(&snapshot, to: destination.part(0).file)
    let broken = commitFailure(destination)
    #expect(broken?.errno.rawValue == EPIPE)
  }

  @Test func `a descriptor that cannot be written is refused`() throws {
    let number = Foundation.open("/dev/null", O_RDONLY)
    defer { close(number) }
    #expect(
      failure {
        _ = try Destination(.descriptor(number), .atomic, isSynchronous: false)
      }?.errno == .badDescriptor)
    #expect(
      failure {
        _ = try Destination(.descriptor(987), .atomic, isSynchronous: false)
      }?.errno == .badDescriptor)
  }
}
