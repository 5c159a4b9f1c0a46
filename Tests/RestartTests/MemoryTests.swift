// SPDX-License-Identifier: Apache-2.0
import Architecture
import Foundation
import Linux
import Snapshot
import Testing

@testable import Restart

struct FreeSpaceTests {
  @Test func `a program with few gaps has several places in each`() {
    let regions = [region(0x5650_0000, pages: 16), region(0xf7f0_0000, pages: 16)]
    let places = FreeSpace(besides: regions).places(for: 0x2_0000, pageSize: 0x1_0000)
    #expect(places.filter { $0 < 0x5650_0000 }.count > 4)
    #expect(places.filter { $0 > 0x5650_0000 }.count > 4)
    #expect(Set(places).count == places.count)
    for place in places {
      let range = MemoryRange(start: place, count: 0x2_0000)
      #expect(regions.allSatisfy { !$0.range.overlaps(range) })
    }
  }

  @Test func `places do not touch what the program has`() {
    let regions = [region(0x40_0000, pages: 16), region(0x7000_0000_0000)]
    let places = FreeSpace(besides: regions).places(for: 0x2_0000, pageSize: 0x1_0000)
    #expect(!places.isEmpty)
    for place in places {
      let range = MemoryRange(start: place, count: 0x2_0000)
      #expect(place % 0x1_0000 == 0)
      #expect(regions.allSatisfy { !$0.range.overlaps(range) })
    }
  }

  @Test func `nothing is put where a stack grows to`() {
    var stack = region(0x7000_0000_0000)
    stack.growsDown = true
    for place in FreeSpace(besides: [region(0x11_0000), stack]).places(
      for: 0x2_0000, pageSize: 4096)
    {
      #expect(place < 0x7000_0000_0000 - 0x4000_0000)
    }
  }

  @Test func `a full address space has no place`() {
    let places = FreeSpace(besides: [region(0x1_0000, pages: 4096)]).places(
      for: 0x2_0000, pageSize: 4096)
    #expect(places.isEmpty)
  }
}

struct MappingTests {
  @Test func `anonymous memory is mapped without a file`() throws {
    var stack = region(0x1000_0000, pages: 2)
    stack.growsDown = true
    stack.flags = "rd wr mr mw me gd nr"
    let arguments = try #require(Mapping(stack, nil)).arguments
    #expect(arguments[0 ... 2] == [0x1000_0000, 8192, 3])
    let flags = UInt64(
      MAP_PRIVATE | MAP_ANONYMOUS | MAP_GROWSDOWN | MAP_NORESERVE | MAP_FIXED_NOREPLACE)
    #expect(arguments[3] == flags)
    #expect(arguments[4] == .max)
  }

  @Test func `what has contents is writable until it is filled`() throws {
    let text = region(0x1000_0000, protection: 5, contents: true)
    #expect(try #require(Mapping(text, nil)).arguments[2] == 3)
    let bare = region(0x1000_0000, protection: 5)
    #expect(try #require(Mapping(bare, nil)).arguments[2] == 5)
  }

  @Test func `a private mapping needs no writable file, a shared one that was written does`() {
    var mapped = region(0x1000_0000)
    mapped.backing = .file(FileIdentity(path: "/f"))
    mapped.flags = "rd wr mr mw me"
    #expect(!mapped.needsWritableFile)
    mapped.isShared = true
    #expect(mapped.needsWritableFile)
    mapped.protection = 1
    mapped.flags = "rd sh mr me"
    #expect(!mapped.needsWritableFile)
  }

  @Test func `the kernel's own mappings are not mapped`() {
    var special = region(0x1000_0000)
    special.backing = .special("[vdso]")
    #expect(Mapping(special, nil) == nil)
  }

  @Test func `huge pages and stacks are not filled page by page`() {
    var memory = region(0x1000_0000, contents: true)
    #expect(memory.loadKind == .anonymous)
    memory.flags = "rd wr hg"
    #expect(memory.loadKind == .mapped)
  }
}

struct SpecialMoveTests {
  private func special(_ name: StaticString, _ start: UInt64, pages: UInt64) -> Region {
    var special = region(start, pages: pages)
    special.backing = .special(ByteString(name))
    return special
  }

  private func fresh(_ base: UInt64) -> [(name: ByteString, range: MemoryRange)] {
    [
      ("[vvar]", MemoryRange(start: base, count: 0x4000)),
      ("[vdso]", MemoryRange(start: base + 0x4000, count: 0x2000)),
    ]
  }

  private func saved(_ base: UInt64) -> [Region] {
    [special("[vvar]", base, pages: 4), special("[vdso]", base + 0x4000, pages: 2)]
  }

  @Test func `another vdso is noticed`() {
    #expect(SpecialMove.plan(fresh(0x1000_0000), [special("[vdso]", 0x2000_0000, pages: 1)]) == nil)
    #expect(SpecialMove.plan([], saved(0x2000_0000)) == nil)
  }

  @Test func `neighbours move as one block`() throws {
    let moves = try #require(SpecialMove.plan(fresh(0x1000_0000), saved(0x2000_0000)))
    #expect(!SpecialMove.collide(moves))
    let whole = try #require(SpecialMove.joined(moves))
    #expect(whole.from == MemoryRange(start: 0x1000_0000, count: 0x6000))
    #expect(whole.to == MemoryRange(start: 0x2000_0000, count: 0x6000))
  }

  @Test func `a short way collides with itself`() throws {
    let moves = try #require(SpecialMove.plan(fresh(0x1000_0000), saved(0x1000_2000)))
    #expect(SpecialMove.collide(moves))
  }
}
