// SPDX-License-Identifier: Apache-2.0
import Architecture
import Linux
import Request
import Snapshot
import Testing

@testable import ContextFile

struct RoundTripTests {
  @Test(arguments: machines, [false, true])
  func `a snapshot with something in every field comes back as it was`(
    machine: Machine, isComplete: Bool
  ) throws {
    var sample = Sample(machine)
    var snapshot = isComplete ? sample.complete() : sample.snapshot()
    let bytes = try contextFile(&snapshot)
    let back = try read(bytes)
    #expect(description(back) == description(snapshot))
  }

  @Test(arguments: machines, [Process.State.running, .stopped(signal: 19)])
  func `the end of a main thread comes back`(machine: Machine, state: Process.State) throws {
    var sample = Sample(machine)
    var snapshot = sample.snapshot()
    snapshot.processes[0].state = state
    snapshot.processes[0].leaderStatus = 0x700
    let bytes = try contextFile(&snapshot)
    let back = try read(bytes)
    #expect(back.processes[0].leaderStatus == 0x700)
    #expect(back.processes[1].leaderStatus == nil)
    #expect(description(back) == description(snapshot))
  }

  @Test func `contents stand at page boundaries and do not overlap`() throws {
    var sample = Sample(.powerpc64)
    var snapshot = sample.snapshot()
    let layout = Layout(planning: &snapshot)
    var extents = snapshot.processes.flatMap { $0.memory.regions.flatMap { $0.contents } }
    extents += snapshot.sharedMemories.flatMap { $0.contents }
    for open in snapshot.openFiles {
      if case .deleted(let deleted) = open.kind { extents += deleted.contents }
    }
    var end: UInt64 = 0
    for extent in extents {
      #expect(extent.fileOffset % 65536 == 0)
      #expect(extent.fileOffset >= end)
      end = extent.fileOffset + extent.count
    }
    #expect(end <= layout.parts[0].trailerOffset)
    #expect(layout.contentSize == extents.reduce(0) { $0 + $1.count })
  }

  @Test func `the size is as planned, and what an older file had does not shine through`() throws {
    var sample = Sample(.x86_64)
    var snapshot = sample.snapshot()
    let fresh = try contextFile(&snapshot)
    let file = try FileDescriptor(inMemoryNamed: "old")
    try file.write([UInt8](repeating: 0xaa, count: 3 << 20), at: 0)
    var again = sample.snapshot()
    again = snapshot
    try write(&again, to: file)
    let size = try file.status().size
    #expect(size == Layout(planning: &snapshot).totalSize)
    #expect(try file.read(Int(size), at: 0) == fresh)
  }

  @Test func `a pipe's bytes are written once and come back at every end`() throws {
    var sample = Sample(.x86_64)
    var snapshot = sample.snapshot()
    let mark: [UInt8] = Array("unread bytes in the pipe".utf8)
    let end = PipeEnd(pipe: 5, capacity: 4096, unread: mark)
    snapshot.openFiles[3].kind = .pipe(end)
    snapshot.openFiles[4].kind = .pipe(end)
    let bytes = try contextFile(&snapshot)
    let back = try read(bytes)
    for index in 3 ... 4 {
      guard case .pipe(let found) = back.openFiles[index].kind else {
        Issue.record("no pipe any more")
        return
      }
      #expect(found.unread == mark)
    }
    #expect(occurrences(of: mark, in: bytes) == 1)
  }

  private func occurrences(of needle: [UInt8], in bytes: [UInt8]) -> Int {
    (0 ... bytes.count - needle.count).count { start in
      bytes[start] == needle[0] && bytes[start ..< start + needle.count].elementsEqual(needle)
    }
  }

  @Test func `a context comes through a pipe`() throws {
    var sample = Sample(.x86_64)
    var snapshot = sample.snapshot()
    let bytes = try contextFile(&snapshot)
    let back = try throughPipe(bytes) { number in
      let reader = try Reader(.descriptor(number))
      try reader.verify()
      return reader.snapshot
    }
    #expect(description(back) == description(snapshot))
  }

  @Test func `70000 runs of pages are planned with PN_XNUM and read back`() throws {
    var sample = Sample(.x86_64)
    var snapshot = sample.snapshot()
    snapshot.processes[0].memory.regions.append(manyRuns(70_000))
    let file = try FileDescriptor(inMemoryNamed: "context")
    try write(&snapshot, to: file, filled: false)
    // e_phnum of <elf.h>.
    #expect(try file.read(2, at: 56) == [0xff, 0xff])
    let reader = try Reader(.descriptor(file.number))
    try reader.verify()
    let back = reader.snapshot.processes[0].memory.regions
    #expect(back.last?.contents == snapshot.processes[0].memory.regions.last?.contents)
  }
}
