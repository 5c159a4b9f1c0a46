// SPDX-License-Identifier: Apache-2.0
import Foundation
import Linux
import Request
import Snapshot
import Testing

@testable import ContextFile

/// An unnamed file in memory with these bytes; the caller closes the number.
func memoryFile(_ bytes: [UInt8] = []) throws -> Int32 {
  let file = try FileDescriptor(inMemoryNamed: "test")
  try file.write(bytes, at: 0)
  return file.disown()
}

func contents(of number: Int32) throws -> [UInt8] {
  let file = FileDescriptor(owning: number)
  let result = Result { try file.read(Int(try file.status().size), at: 0) }
  _ = file.disown()
  return try result.get()
}

/// The byte that stands at an offset of the file, as contents in these tests.
func filling(_ offset: UInt64) -> UInt8 { UInt8(truncatingIfNeeded: offset / 4096 &* 31 &+ offset) }

/// Writes a snapshot to a file as a checkpoint does, with made-up contents or with holes.
func write(
  _ snapshot: inout Snapshot, to file: borrowing FileDescriptor, filled: Bool = true
) throws {
  let layout = Layout(planning: &snapshot)
  let sealer = try Sealer(layout, file)
  var extents = snapshot.processes.flatMap { $0.memory.regions.flatMap { $0.contents } }
  extents += snapshot.sharedMemories.flatMap { $0.contents }
  for open in snapshot.openFiles {
    if case .deleted(let deleted) = open.kind { extents += deleted.contents }
  }
  for extent in extents where filled {
    let bytes = (extent.fileOffset ..< extent.fileOffset + extent.count).map { filling($0) }
    try file.write(bytes, at: extent.fileOffset)
    sealer.written(below: extent.fileOffset + extent.count)
  }
  try sealer.seal()
}

/// Writes a snapshot to a file or directory; the caller commits.
func write(_ snapshot: inout Snapshot, to destination: inout Destination) throws {
  let layout = Layout(planning: &snapshot, dividedAs: destination.mark)
  try destination.reserve(layout)
  let sealers = try destination.sealers(of: layout)
  for (index, process) in snapshot.processes.enumerated() {
    try fill(process.memory.regions.flatMap { $0.contents }, destination.part(index))
  }
  try fill(snapshot.sharedMemories.flatMap { $0.contents }, destination.part(0))
  for open in snapshot.openFiles {
    if case .deleted(let deleted) = open.kind { try fill(deleted.contents, destination.part(0)) }
  }
  for sealer in sealers { try sealer.seal() }
}

private func fill(_ extents: [Extent], _ file: DestinationFile) throws {
  for extent in extents {
    let bytes = (extent.fileOffset ..< extent.fileOffset + extent.count).map { filling($0) }
    try file.file.write(bytes, at: extent.fileOffset)
  }
}

/// A context file in memory.
func contextFile(_ snapshot: inout Snapshot) throws -> [UInt8] {
  let file = try FileDescriptor(inMemoryNamed: "context")
  try write(&snapshot, to: file)
  return try file.read(Int(try file.status().size), at: 0)
}

/// Reads a context file from bytes, with or without verifying it.
func read(_ bytes: [UInt8], verifying: Bool = true) throws -> Snapshot {
  let number = try memoryFile(bytes)
  defer { close(number) }
  let reader = try Reader(.descriptor(number))
  if verifying { try reader.verify() }
  return reader.snapshot
}

/// The failure of something that must fail.
func failure(_ body: () throws -> Void) -> Failure? {
  do {
    try body()
    return nil
  } catch {
    return error as? Failure
  }
}

/// A directory of this test's own, removed at the end.
final class Folder {
  let path: String

  init() throws {
    var template = Array("/tmp/contextfile-test-XXXXXX".utf8CString)
    _ = mkdtemp(&template)
    path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  func file(_ name: String) -> String { "\(path)/\(name)" }
  var names: [String] {
    ((try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []).sorted()
  }
}

/// Gives `body` the reading end of a pipe into which another thread writes `bytes`.
func throughPipe<R>(_ bytes: [UInt8], _ body: (Int32) throws -> R) throws -> R {
  var ends: [Int32] = [0, 0]
  #expect(pipe(&ends) == 0)
  let (reading, writing) = (ends[0], ends[1])
  let thread = Foundation.Thread {
    var done = 0
    while done < bytes.count {
      let count = bytes.withUnsafeBytes {
        Foundation.write(writing, $0.baseAddress! + done, bytes.count - done)
      }
      if count <= 0 { break }
      done += count
    }
    close(writing)
  }
  thread.start()
  defer { close(reading) }
  return try body(reading)
}
