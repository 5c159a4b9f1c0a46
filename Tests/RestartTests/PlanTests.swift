// SPDX-License-Identifier: Apache-2.0
import Architecture
import Foundation
import Linux
import Request
import Snapshot
import Testing

@testable import Restart

/// The plan's answer for a job of one process; nil if nothing stands in its way.
private func problem(
  _ process: SavedProcess, _ request: RestartRequest = RestartRequest()
) throws -> Failure? {
  var plan = Plan(request, sampleSnapshot([process]), try Surroundings())
  var report = Report()
  do { try plan.check(&report) } catch let error as Failure { return error }
  return nil
}

private var anyIDs: RestartRequest {
  var request = RestartRequest()
  request.restoreProcessIDs = false
  return request
}

struct PlanTests {
  @Test func `a process like this one can be restarted`() throws {
    let found = try problem(sampleProcess(2_000_001), anyIDs)
    #expect(found == nil, "\(found?.message.text ?? "")")
  }

  @Test func `the holder of a pid is named`() throws {
    guard geteuid() == 0 else { return }
    let found = try #require(try problem(sampleProcess(1)))
    #expect(found.errno == .busy)
    #expect(found.message.text.contains("process id 1"))
    #expect(found.message.text.contains("--no-restore-pid"))
  }

  @Test func `another processor is refused by name of the process`() throws {
    var process = try sampleProcess(2_000_001)
    process.machine = .powerpc
    process.threads[0].registers = .foreign(
      ForeignRegisters(machine: .powerpc, generalRegisters: []))
    let found = try #require(try problem(process, anyIDs))
    #expect(found.message.text.contains("sleep"))
    #expect(found.message.text.contains("another processor"))
  }

  @Test func `other page sizes are refused`() throws {
    var process = try sampleProcess(2_000_001)
    process.memory.pageSize = 65536
    let found = try #require(try problem(process, anyIDs))
    #expect(found.message.text.contains("65536"))
  }

  @Test func `all problems are told at once`() throws {
    var process = try sampleProcess(2_000_001)
    process.memory.pageSize = 65536
    process.executable.path = "/nowhere/program"
    let found = try #require(try problem(process, anyIDs))
    #expect(found.message.text.contains("65536"))
    #expect(found.message.text.contains("/nowhere/program"))
  }

  @Test func `memory shared with a stranger is refused`() throws {
    var process = try sampleProcess(2_000_001)
    process.sharesMemoryWith = 0
    #expect(try problem(process, anyIDs)?.errno == .notSupported)
  }
}

struct FileCheckTests {
  private func check(_ change: (inout Snapshot) throws -> Void) throws -> FileCheck {
    var snapshot = sampleSnapshot([try sampleProcess(2_000_001)])
    try change(&snapshot)
    var files = FileCheck()
    files.check(snapshot)
    return files
  }

  @Test func `a missing program is told with its path and process`() throws {
    let files = try check { $0.processes[0].executable.path = "/nowhere/program" }
    #expect(files.problems.found.map { $0.errno } == [.noEntry])
    #expect(files.problems.found[0].message.text.contains("/nowhere/program"))
    #expect(files.problems.found[0].message.text.contains("2000001"))
  }

  @Test func `a program of another size is not the same`() throws {
    let files = try check { $0.processes[0].executable.size += 1 }
    #expect(files.problems.found.count == 1)
  }

  @Test func `an equal build-id outweighs another time of modification`() throws {
    let program = realpath("/bin/sleep")
    let id = try buildIDOf(program)
    try #require(!id.isEmpty)
    let files = try check {
      $0.processes[0].executable.modified.seconds += 1
      $0.processes[0].executable.buildID = id
    }
    #expect(files.problems.found.isEmpty)
    let other = try check {
      $0.processes[0].executable.modified.seconds += 1
      $0.processes[0].executable.buildID = id.reversed()
    }
    #expect(other.problems.found.count == 1)
  }

  @Test func `one library in many mappings is one problem`() throws {
    let files = try check { snapshot in
      for page in UInt64(0) ..< 4 {
        var mapped = region(0x5000_0000 + page * 4096)
        mapped.backing = .file(FileIdentity(path: "/nowhere/library"))
        snapshot.processes[0].memory.regions.append(mapped)
      }
    }
    #expect(files.problems.found.count == 1)
  }

  @Test func `a shared file may change but not shrink`() throws {
    let folder = try Folder()
    let path = try folder.file("shared", "0123456789")
    func mapped(_ change: (inout FileIdentity) -> Void) throws -> FileCheck {
      try check { snapshot in
        var saved = try identity(path)
        change(&saved)
        var mapping = region(0x5000_0000)
        mapping.isShared = true
        mapping.backing = .file(saved)
        snapshot.processes[0].memory.regions.append(mapping)
      }
    }
    #expect(try mapped { $0.modified.seconds -= 5 }.problems.found.isEmpty)
    #expect(try mapped { $0.size = 5 }.problems.found.isEmpty)
    #expect(try mapped { $0.size = 11 }.problems.found.count == 1)
  }

  @Test func `an open file must be there and should not be shorter`() throws {
    let folder = try Folder()
    let path = try folder.file("open", "0123456789")
    func open(_ kind: OpenFile.Kind) throws -> FileCheck {
      try check { snapshot in
        snapshot.openFiles = [OpenFile(kind: kind, flags: 0, position: 0)]
        snapshot.processes[0].descriptors = [
          Descriptor(number: 7, closeOnExec: false, openFile: 0)
        ]
      }
    }
    var longer = try identity(path)
    longer.size = 20
    let shorter = try open(.regular(longer))
    #expect(shorter.problems.found.isEmpty && shorter.warnings.count == 1)
    let gone = try open(.regular(FileIdentity(path: "/nowhere/file")))
    #expect(gone.problems.found.first?.message.text.contains("descriptor 7") == true)
    #expect(try open(.directory(path: ByteString(path))).problems.found.count == 1)
    #expect(try open(.characterDevice(path: "/dev/null", device: 0x105)).problems.found.count == 1)
    #expect(try open(.characterDevice(path: "/dev/null", device: 0x103)).problems.found.isEmpty)
  }
}

struct RelocatingTests {
  @Test func `every path that is looked up again is relocated`() throws {
    var process = try sampleProcess(2_000_001)
    process.executable.path = "/old/program"
    process.workingDirectory = "/old"
    process.memory.regions[0].backing = .file(FileIdentity(path: "/old/library"))
    var snapshot = sampleSnapshot([process])
    snapshot.openFiles = [
      OpenFile(kind: .regular(FileIdentity(path: "/old/log")), flags: 0, position: 0),
      OpenFile(kind: .directory(path: "/older"), flags: 0, position: 0),
    ]
    snapshot.relocate([try Relocation(parsing: "/old=/new/place")])
    #expect(snapshot.processes[0].executable.path == ByteString("/new/place/program"))
    #expect(snapshot.processes[0].workingDirectory == ByteString("/new/place"))
    guard case .file(let library) = snapshot.processes[0].memory.regions[0].backing,
      case .regular(let log) = snapshot.openFiles[0].kind,
      case .directory(let other) = snapshot.openFiles[1].kind
    else { Issue.record("kinds have changed"); return }
    #expect(library.path == ByteString("/new/place/library"))
    #expect(log.path == ByteString("/new/place/log"))
    #expect(other == ByteString("/older"))
  }
}
