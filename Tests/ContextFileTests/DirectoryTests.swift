// SPDX-License-Identifier: Apache-2.0
import Architecture
import Foundation
import Linux
import Request
import Snapshot
import Testing

@testable import ContextFile

/// A context in a directory: a file for each process.
struct DirectoryTests {
  private let folder: Folder
  private var target: String { folder.file("job") }

  init() throws { folder = try Folder() }

  private var path: ByteString { ByteString(target) }

  private func begin(_ replacement: Replacement) throws -> Destination {
    try Destination(.directory(path), replacement, isSynchronous: true)
  }

  /// Writes a whole context, or gives it up before it has its name.
  @discardableResult
  private func save(
    _ replacement: Replacement = .atomic, _ machine: Machine = .x86_64, isSmall: Bool = false,
    commits: Bool = true
  ) throws -> Snapshot {
    var sample = Sample(machine)
    var snapshot = isSmall ? sample.small() : sample.snapshot()
    var destination = try begin(replacement)
    try write(&snapshot, to: &destination)
    if commits { try destination.commit() } else { _ = consume destination }
    return snapshot
  }

  private func names(_ directory: String = "job") -> [String] {
    ((try? FileManager.default.contentsOfDirectory(atPath: folder.file(directory))) ?? []).sorted()
  }

  private func file(of process: ProcessID) -> String { target + "/context.\(process.rawValue)" }

  private func put(_ text: String, at path: String) throws {
    try FileManager.default.createDirectory(
      atPath: (path as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
    try Data(text.utf8).write(to: URL(fileURLWithPath: path))
  }

  @Test(arguments: machines)
  func `what was written comes back`(machine: Machine) throws {
    let written = try save(.atomic, machine)
    let reader = try Reader(.directory(path))
    try reader.verify()
    #expect(description(reader.snapshot) == description(written))
    #expect(names() == written.processes.map { "context.\($0.id.rawValue)" }.sorted())
    #expect(reader.parts.count == written.processes.count && written.processes.count > 1)
  }

  @Test(arguments: [Replacement.atomic, .backup(nil), .clobber, .noclobber])
  func `what was begun is removed`(replacement: Replacement) throws {
    try save(replacement, isSmall: true, commits: false)
    #expect(folder.names == [])
  }

  @Test(arguments: [Replacement.atomic, .backup(nil)])
  func `a failure leaves the older context as it was`(replacement: Replacement) throws {
    let old = try save()
    try save(replacement, isSmall: true, commits: false)
    #expect(folder.names == ["job"])
    #expect(description(try Reader(.directory(path)).snapshot) == description(old))
  }

  @Test(arguments: [Replacement.atomic, .clobber])
  func `an older context is replaced with all of its files`(replacement: Replacement) throws {
    try save()
    let new = try save(replacement, isSmall: true)
    #expect(folder.names == ["job"])
    #expect(names() == new.processes.map { "context.\($0.id.rawValue)" }.sorted())
    try Reader(.directory(path)).verify()
  }

  @Test func `backup sets the older one aside`() throws {
    try save()
    try save(.backup(nil))
    try save(.backup(ByteString(folder.file("kept"))))
    #expect(folder.names == ["job", "job.~1~", "kept"])
    for name in folder.names { try Reader(.directory(ByteString(folder.file(name)))).verify() }
  }

  @Test func `nothing but a whole context is replaced`() throws {
    try put("precious", at: target + "/diary")
    for replacement in [Replacement.atomic, .clobber] {
      let refused = try #require(failure { _ = try begin(replacement) })
      #expect(refused.errno.rawValue == ENOTEMPTY)
      #expect(refused.message.text.contains("diary"))
    }
    try FileManager.default.removeItem(atPath: target + "/diary")
    // A file by the name that parts have, but a whole context of its own.
    var sample = Sample(.x86_64)
    var snapshot = sample.small()
    let number = Foundation.open(target + "/context.7", O_RDWR | O_CREAT, 0o600)
    let file = FileDescriptor(owning: number)
    try write(&snapshot, to: file)
    #expect(failure { _ = try begin(.atomic) }?.errno.rawValue == ENOTEMPTY)
    #expect(names() == ["context.7"])
    #expect(failure { _ = try begin(.noclobber) }?.errno == .exists)
    try FileManager.default.removeItem(atPath: target)
    try put("a file", at: target)
    #expect(failure { _ = try begin(.atomic) }?.errno.rawValue == ENOTDIR)
  }

  @Test func `two writers to one name do not mix, and what a killed one left is removed`() throws {
    for replacement in [Replacement.atomic, .clobber] {
      let first = try begin(replacement)
      #expect(failure { _ = try begin(replacement) }?.errno == .busy)
      _ = consume first
    }
    try put("half", at: folder.file(".job.tmp/context.5"))
    try save(isSmall: true)
    #expect(folder.names == ["job"])
  }

  @Test func `a missing file, and one of another context, are named`() throws {
    let saved = try save()
    let (first, second) = (saved.processes[0], saved.processes[1])
    let kept = try Data(contentsOf: URL(fileURLWithPath: file(of: second.id)))
    try FileManager.default.removeItem(atPath: file(of: second.id))
    #expect(complaint.contains("incomplete"))
    #expect(complaint.contains("context.\(second.id.rawValue) is missing"))
    // The same job, saved once more: its files have the same names.
    try kept.write(to: URL(fileURLWithPath: folder.file("second")))
    try FileManager.default.removeItem(atPath: target)
    try save()
    try FileManager.default.removeItem(atPath: file(of: second.id))
    try FileManager.default.moveItem(atPath: folder.file("second"), toPath: file(of: second.id))
    #expect(complaint.contains("context.\(second.id.rawValue)") && complaint.contains("another context"))
    try FileManager.default.removeItem(atPath: file(of: first.id))
    #expect(complaint.contains("file of its first process is missing"))
    try FileManager.default.removeItem(atPath: target)
    #expect(complaint.contains("cannot read the directory"))
    try put("", at: target + "/other")
    #expect(complaint.contains("no context in"))
  }

  /// Why the directory is refused.
  private var complaint: String {
    failure { try Reader(.directory(path)).verify() }?.message.text ?? ""
  }

  @Test func `damage in any file is found, and named`() throws {
    let saved = try save()
    for process in saved.processes.map({ $0.id }) {
      let whole = try Data(contentsOf: URL(fileURLWithPath: file(of: process)))
      for place in [8, whole.count / 2, whole.count - 1] {
        var bytes = whole
        bytes[place] ^= 0x10
        try replace(process, bytes)
        #expect(complaint.contains("context.\(process.rawValue)"), "byte \(place): \(complaint)")
        try replace(process, bytes.prefix(place))
        #expect(complaint.contains("context.\(process.rawValue)"), "cut at \(place): \(complaint)")
      }
      try replace(process, whole)
      #expect(complaint == "")
    }
  }

  private func replace(_ process: ProcessID, _ bytes: Data) throws {
    try FileManager.default.removeItem(atPath: file(of: process))
    try bytes.write(to: URL(fileURLWithPath: file(of: process)))
  }

  @Test func `one file alone is refused with the way to do it`() throws {
    for process in try save().processes {
      let alone = failure { _ = try Reader(.file(ByteString(file(of: process.id)))) }
      #expect(alone?.message.text.contains("--dir") == true)
    }
  }

  @Test func `a core file of any process has its memory and what it shares`() throws {
    let written = try save()
    var sample = Sample(.x86_64)
    var single = sample.snapshot()
    let bytes = try contextFile(&single)
    let number = try memoryFile(bytes)
    defer { close(number) }
    for process in written.processes {
      let one = try FileDescriptor(inMemoryNamed: "one")
      let other = try FileDescriptor(inMemoryNamed: "other")
      try Reader(.directory(path)).extractCore(of: process.id, to: one)
      try Reader(.descriptor(number)).extractCore(of: process.id, to: other)
      let size = try one.status().size
      #expect(try other.status().size == size)
    }
  }
}
