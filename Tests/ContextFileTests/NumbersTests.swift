// SPDX-License-Identifier: Apache-2.0
import Architecture
import Linux
import Snapshot
import Testing

@testable import ContextFile

/// Numbers that are wider than a word of the processor whose file it is, and places in the file.
struct NumbersTests {
  private static let afterWords = TimeValue(seconds: 1 << 33, nanoseconds: 999_999_999)

  /// What a file of `machine` says after a change to what it is made of.
  private func roundTrip(
    _ machine: Machine, _ change: (inout Snapshot) -> Void
  ) throws -> Snapshot {
    var sample = Sample(machine)
    var snapshot = sample.small()
    change(&snapshot)
    let back = try read(try contextFile(&snapshot))
    #expect(description(back) == description(snapshot))
    return back
  }

  @Test(arguments: machines)
  func `a time after 2038 is kept`(_ machine: Machine) throws {
    let back = try roundTrip(machine) { snapshot in
      snapshot.job.time = Self.afterWords
      snapshot.processes[0].executable.modified = TimeValue(seconds: -1, nanoseconds: 5)
      snapshot.processes[0].intervalTimers[0].remaining = 1 << 40
    }
    #expect(back.job.time.seconds == 1 << 33 && back.job.time.nanoseconds == 999_999_999)
    #expect(back.processes[0].executable.modified.seconds == -1)
    #expect(back.processes[0].intervalTimers[0].remaining == 1 << 40)
  }

  @Test(arguments: machines)
  func `files of more than four gibibytes are kept, and places in them`(_ machine: Machine) throws {
    let back = try roundTrip(machine) { snapshot in
      snapshot.processes[0].executable.size = 1 << 40
      snapshot.processes[0].executable.inode = 1 << 60
      snapshot.processes[0].memory.regions[0].offset = 1 << 33
      snapshot.openFiles[0].position = 1 << 42
      snapshot.processes[0].fileLocks[0].start = 1 << 34
      snapshot.processes[0].limits[0].soft = 1 << 36
      if case .deleted(var gone) = snapshot.openFiles[1].kind {
        gone.size = 5 << 30 + 4096
        gone.contents = [Extent(position: 5 << 30, count: 4096)]
        snapshot.openFiles[1].kind = .deleted(gone)
      }
    }
    #expect(back.processes[0].executable.size == 1 << 40)
    #expect(back.processes[0].memory.regions[0].offset == 1 << 33)
    #expect(back.openFiles[0].position == 1 << 42)
    guard case .deleted(let gone) = back.openFiles[1].kind else {
      Issue.record("it is another kind of file")
      return
    }
    #expect(gone.size == 5 << 30 + 4096 && gone.contents[0].position == 5 << 30)
  }

  @Test(arguments: machines, [4096, 16384, 65536] as [UInt64])
  func `contents stand at multiples of the page that they are of`(
    _ machine: Machine, _ page: UInt64
  ) throws {
    var sample = Sample(machine)
    var snapshot = sample.small()
    for index in snapshot.processes.indices {
      snapshot.processes[index].memory.pageSize = page
      snapshot.processes[index].memory.regions = []
    }
    let heap = MemoryRange(start: 16 * page, count: 4 * page)
    var region = Region(range: heap, protection: 3, isShared: false, backing: .anonymous)
    region.contents = [
      Extent(position: heap.start, count: page), Extent(position: heap.start + 2 * page, count: page),
    ]
    snapshot.processes[0].memory.regions = [region]
    let back = try read(try contextFile(&snapshot))
    #expect(back.processes[0].memory.pageSize == page)
    let contents = back.processes[0].memory.regions[0].contents
    #expect(contents.count == 2 && contents.allSatisfy { $0.fileOffset % page == 0 })
  }

  /// What a kernel with pages of 64 KiB could never have written.
  @Test func `a mapping that ends within a page is no sensible one`() throws {
    var sample = Sample(.powerpc64le)
    var snapshot = sample.small()
    for index in snapshot.processes.indices { snapshot.processes[index].memory.pageSize = 65536 }
    let bytes = try contextFile(&snapshot)
    let problem = failure { _ = try read(bytes) }
    #expect(problem?.message.text.contains("no sensible bounds") == true)
  }

  /// Notes begin at multiples of 4 bytes and each is as long as it says, in the byte order of the file.
  @Test(arguments: machines)
  func `records are aligned`(_ machine: Machine) throws {
    var sample = Sample(machine)
    var snapshot = sample.small()
    let bytes = try contextFile(&snapshot)
    func number(_ offset: Int, _ size: Int) -> Int {
      let some = bytes[offset ..< offset + size]
      let ordered = machine.byteOrder == .big ? Array(some) : some.reversed()
      return ordered.reduce(0) { $0 << 8 | Int($1) }
    }
    let isWide = machine.wordSize == .bits64
    let header = isWide ? number(32, 8) : number(28, 4)
    let word = isWide ? 8 : 4
    // PT_NOTE comes first.
    #expect(number(header, 4) == 4 && header % word == 0)
    let start = isWide ? number(header + 8, 8) : number(header + 4, 4)
    let size = isWide ? number(header + 32, 8) : number(header + 16, 4)
    var place = start
    var notes = 0
    while place < start + size {
      #expect(place % 4 == 0)
      let (name, contents) = (number(place, 4), number(place + 4, 4))
      #expect(name == 5 || name == 6, "CORE, LINUX or BLCR and a zero")
      place += 12 + (name + 3) / 4 * 4 + (contents + 3) / 4 * 4
      notes += 1
    }
    #expect(place == start + size && notes > 10)
  }
}
