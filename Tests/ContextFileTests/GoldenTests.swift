// SPDX-License-Identifier: Apache-2.0
import Architecture
import Foundation
import Linux
import Request
import Snapshot
import Testing

@testable import ContextFile

/// Files that an earlier version wrote. They are never made anew: a reader that cannot read them any
/// more is wrong. `BLCR_NEW_GOLDEN=1.1 swift test` adds those of a new format version.
struct GoldenTests {
  static var folder: URL {
    URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .appendingPathComponent("ContextFiles")
  }

  static var files: [String] {
    ((try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? [])
      .filter { $0.hasSuffix(".context") }.sorted()
  }

  static var folders: [String] {
    ((try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? [])
      .filter { $0.hasSuffix(".directory") }.sorted()
  }

  static let names: [(Machine, String)] = [
    (.x86_64, "x86_64"), (.i386, "i386"), (.arm, "arm"), (.aarch64, "aarch64"),
    (.powerpc, "powerpc"), (.powerpc64, "powerpc64"), (.powerpc64le, "powerpc64le"),
  ]

  @Test func `there is a file of every processor`() {
    for (_, name) in Self.names {
      #expect(Self.files.contains { $0.hasPrefix("\(name)-") })
    }
  }

  @Test(arguments: files)
  func `a file of an earlier version reads as it did`(name: String) throws {
    let bytes = [UInt8](try Data(contentsOf: Self.folder.appendingPathComponent(name)))
    #expect(description(try read(bytes)) == description(expected(name)))
  }

  @Test(arguments: folders)
  func `a folder of an earlier version reads as it did`(name: String) throws {
    let reader = try Reader(.directory(ByteString(Self.folder.appendingPathComponent(name).path)))
    try reader.verify()
    var forgetful = reader.snapshot
    var expected = expected(name)
    // Where the contents are differs from those of a file.
    forgetPlaces(&forgetful)
    forgetPlaces(&expected)
    #expect(description(forgetful) == description(expected))
  }

  private func expected(_ name: String) -> Snapshot {
    var sample = Sample(Self.names.first { name.hasPrefix("\($0.1)-") }!.0)
    let isOldest = name.contains("-1.0.")
    var expected = isOldest ? sample.small() : sample.complete()
    _ = Layout(planning: &expected)
    if isOldest { forgetWhatIsNewer(&expected) }
    return expected
  }

  /// What version 1.0 had no fields for.
  private func forgetWhatIsNewer(_ snapshot: inout Snapshot) {
    for place in snapshot.processes.indices {
      snapshot.processes[place].controlGroups = []
      snapshot.processes[place].membarrierCommands = 0
      snapshot.processes[place].seccompFilters = []
      for thread in snapshot.processes[place].threads.indices {
        snapshot.processes[place].threads[thread].seccompFilters = []
      }
    }
  }

  private func forgetPlaces(_ snapshot: inout Snapshot) {
    func forget(_ extents: inout [Extent]) {
      for index in extents.indices { extents[index].fileOffset = 0 }
    }
    for process in snapshot.processes.indices {
      for region in snapshot.processes[process].memory.regions.indices {
        forget(&snapshot.processes[process].memory.regions[region].contents)
      }
    }
    for memory in snapshot.sharedMemories.indices { forget(&snapshot.sharedMemories[memory].contents) }
    for file in snapshot.openFiles.indices {
      guard case .deleted(var deleted) = snapshot.openFiles[file].kind else { continue }
      forget(&deleted.contents)
      snapshot.openFiles[file].kind = .deleted(deleted)
    }
  }

  @Test(.enabled(if: ProcessInfo.processInfo.environment["BLCR_NEW_GOLDEN"] != nil))
  func `golden files of a new format version are added`() throws {
    let version = try #require(ProcessInfo.processInfo.environment["BLCR_NEW_GOLDEN"])
    for (machine, name) in Self.names {
      let path = Self.folder.appendingPathComponent("\(name)-\(version).context")
      guard !FileManager.default.fileExists(atPath: path.path) else { continue }
      var sample = Sample(machine)
      var snapshot = sample.complete()
      try Data(try contextFile(&snapshot)).write(to: path)
    }
    try addFolder(version)
  }

  /// A context in a folder, of one processor.
  private func addFolder(_ version: String) throws {
    let path = Self.folder.appendingPathComponent("x86_64-\(version).directory").path
    guard !FileManager.default.fileExists(atPath: path) else { return }
    var sample = Sample(.x86_64)
    var snapshot = sample.complete()
    var destination = try Destination(.directory(ByteString(path)), .atomic, isSynchronous: false)
    try write(&snapshot, to: &destination)
    try destination.commit()
  }
}
