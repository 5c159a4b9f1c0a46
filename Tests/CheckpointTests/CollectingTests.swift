// SPDX-License-Identifier: Apache-2.0
import Architecture
import Linux
import Snapshot
import Testing

@testable import Checkpoint

private func range(_ start: UInt64, _ end: UInt64) -> MemoryRange {
  MemoryRange(start: start, end: end)
}

private func mapped(_ text: String) -> MappedRegion {
  MappedRegion.parse(Array(text.utf8))[0]
}

private func member(_ id: Int32, childOf parent: Int32) -> Frozen.Member {
  Frozen.Member(
    id: ProcessID(id), stat: ProcessStat(Array("\(id) (x) S \(parent) 1 1 0 -1 0".utf8))!)
}

@Suite struct collecting {
  @Test func `parents come before their children whatever their pids`() {
    let order = parentsFirst([
      member(2, childOf: 9), member(3, childOf: 2), member(9, childOf: 5), member(5, childOf: 1),
    ]).map { $0.id.rawValue }
    #expect(order == [5, 9, 2, 3])
  }

  @Test func `small gaps are joined and large ones are not`() {
    let extents = [
      Extent(position: 0, count: 10), Extent(position: 12, count: 8), Extent(position: 40, count: 1),
    ]
    #expect(
      joined(extents, acrossGapsUpTo: 2)
        == [Extent(position: 0, count: 20), Extent(position: 40, count: 1)])
    #expect(joined(extents, acrossGapsUpTo: 1) == extents)
  }

  @Test func `a union has no overlaps`() {
    #expect(
      union([range(10, 20), range(0, 5), range(15, 30), range(5, 6), range(40, 41)])
        == [range(0, 6), range(10, 30), range(40, 41)])
  }

  @Test func `memory of the engine is cut out of a region of the program`() {
    let region = mapped("1000-9000 rw-p 00000000 00:00 0")
    #expect(
      region.without([range(0x2000, 0x3000), range(0x5000, 0x6000)]).map { $0.range }
        == [range(0x1000, 0x2000), range(0x3000, 0x5000), range(0x6000, 0x9000)])
    #expect(region.without([range(0x1000, 0x9000)]).isEmpty)
    #expect(region.without([range(0x9000, 0xa000)]).map { $0.range } == [region.range])
  }

  @Test func `the offset in a file follows a cut`() {
    let region = mapped("1000-9000 rw-p 00010000 08:01 7 /x")
    #expect(region.without([range(0x1000, 0x3000)]).map { $0.offset } == [0x12000])
  }

  @Test func `kernel mappings, unlinked memory and files are told apart`() {
    #expect(mapped("1000-2000 r-xp 0 00:00 0 [vdso]").isSpecial)
    #expect(mapped("1000-2000 r--p 0 00:00 0 [vvar_vclock]").isSpecial)
    #expect(!mapped("1000-2000 rw-p 0 00:00 0 [heap]").isSpecial)
    #expect(!mapped("1000-2000 rw-p 0 00:00 0 [stack]").isSpecial)
    #expect(!mapped("1000-2000 rw-p 0 00:00 0 [anon:glibc: malloc]").isSpecial)
    #expect(mapped("1000-2000 rw-s 0 00:01 9 /dev/zero (deleted)").isUnlinked)
    #expect(mapped("1000-2000 rw-s 0 00:01 9 /memfd:x (deleted)").isUnlinked)
    #expect(!mapped("1000-2000 rw-s 0 08:01 9 /tmp/x").isUnlinked)
  }

  @Test func `memory that nobody can carry over is refused`() {
    func reason(_ text: String) -> String? { mapped(text).unsupportedReason.map { "\($0)" } }
    #expect(reason("1000-2000 rw-p 0 00:00 0\nVmFlags: rd wr ac\n") == nil)
    #expect(reason("1000-2000 rw-s 0 00:10 9 /SYSV00000000 (deleted)\nVmFlags: rd wr ht\n") == nil)
    #expect(reason("1000-2000 rw-p 0 00:00 0\nVmFlags: rd wr um\n") != nil)
    #expect(reason("1000-2000 rw-s 0 00:05 9 /dev/x\nVmFlags: rd wr pf io\n") != nil)
    #expect(reason("1000-2000 r--p 0 00:00 0 [vvar]\nVmFlags: rd pf io\n") == nil)
    #expect(reason("1000-2000 rw-s 0 00:0e 9 anon_inode:[io_uring]\nVmFlags: rd wr\n") != nil)
  }

  @Test func `words of a target have its own size and order`() {
    let bytes: [UInt8] = [1, 2, 3, 4, 5, 6, 7, 8]
    var little = TargetWords(bytes, of: .x86_64)
    #expect(little.word() == 0x0807_0605_0403_0201)
    var small = TargetWords(bytes, of: .i386)
    #expect(small.word() == 0x0403_0201)
    #expect(small.word() == 0x0807_0605)
    var big = TargetWords(bytes, of: .powerpc64)
    #expect(big.word() == 0x0102_0304_0506_0708)
    var short = TargetWords([1], of: .powerpc)
    #expect(short.int32() == 0x0100_0000)
  }

  @Test func `sockets are named for people`() {
    let tcp = Array(
      """
        sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
         0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4711 1
         1: 0100007F:1F90 0200007F:0050 01 00000000:00000000 00:00000000 00000000     0        0 4712 1

      """.utf8)
    #expect(SocketNames.internet(tcp, 4711)?.text == "127.0.0.1:8080")
    #expect(SocketNames.internet(tcp, 4712)?.text == "127.0.0.1:8080 to 127.0.0.2:80")
    #expect(SocketNames.internet(tcp, 1) == nil)
    let unix = Array(
      """
      Num       RefCount Protocol Flags    Type St Inode Path
      0000000000000000: 00000002 00000000 00010000 0001 01 20 /run/x
      0000000000000000: 00000003 00000000 00000000 0001 03 21

      """.utf8)
    #expect(SocketNames.local(unix, 20)?.text == "UNIX /run/x")
    #expect(SocketNames.local(unix, 21)?.text == "UNIX, unnamed")
    #expect(
      SocketNames.address("00000000000000000000000001000000:0016")?.text == "[0:0:0:0:0:0:0:1]:22")
  }
}
