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
    let snapshot = try read(bytes)
    let machine = Self.names.first { name.hasPrefix("\($0.1)-") }!.0
    var sample = Sample(machine)
    var expected = sample.small()
    _ = Layout(planning: &expected)
    if name.hasSuffix("-1.0.context") {
      forgetWhatIsNewer(&expected)
      #expect(description(snapshot) == description(expected))
    } else {
      #expect(snapshot.processes.count == expected.processes.count)
    }
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

  @Test(.enabled(if: ProcessInfo.processInfo.environment["BLCR_NEW_GOLDEN"] != nil))
  func `golden files of a new format version are added`() throws {
    let version = try #require(ProcessInfo.processInfo.environment["BLCR_NEW_GOLDEN"])
    for (machine, name) in Self.names {
      let path = Self.folder.appendingPathComponent("\(name)-\(version).context")
      guard !FileManager.default.fileExists(atPath: path.path) else { continue }
      var sample = Sample(machine)
      var snapshot = sample.small()
      try Data(try contextFile(&snapshot)).write(to: path)
    }
  }
}
