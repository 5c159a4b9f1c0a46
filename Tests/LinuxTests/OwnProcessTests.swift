// SPDX-License-Identifier: Apache-2.0
import CLinux
import Testing

@testable import Linux

/// The same questions that a checkpoint asks about a target, asked about this test itself.
@Suite struct `this process as proc shows it` {
  @Test func `its own status names itself`() throws {
    let files = try ProcessFiles(ownProcess)
    let stat = try #require(ProcessStat(try files.read("stat")))
    #expect(stat.parent.rawValue == getppid())
    #expect(ProcessStatus(try files.read("status")).threadGroup == ownProcess)
    #expect(try files.numbers(in: "task").contains(ownProcess.rawValue))
  }

  @Test func `a process that is not there cannot be opened`() {
    #expect(throws: Errno.noEntry) { _ = try ProcessFiles(ProcessID(-1)) }
  }

  @Test(arguments: [true, false])
  func `pages that were written are found, with and without the scanning call`(canScan: Bool) throws {
    let page = Int(hostPageSize)
    let pages = 64
    let memory = try #require(
      mmap(nil, pages * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0))
    defer { munmap(memory, pages * page) }
    _ = madvise(memory, pages * page, 15)  // MADV_NOHUGEPAGE
    let base = UInt64(UInt(bitPattern: memory))
    for index in [3, 4, 5, 40] { memory.storeBytes(of: 7, toByteOffset: index * page, as: UInt8.self) }

    var pagemap = try Pagemap(ProcessFiles(ownProcess), pageSize: hostPageSize, canScan: canScan)
    let runs = try pagemap.runs(
      of: .anonymous, in: [MemoryRange(start: base, count: UInt64(pages * page))])
    let expected = [(3, 6), (40, 41)].map {
      MemoryRange(start: base + UInt64($0.0 * page), end: base + UInt64($0.1 * page))
    }
    #expect(runs == expected)
  }

  @Test(.timeLimit(.minutes(1)), arguments: [true, false])
  func `the hole between two ranges costs nothing`(canScan: Bool) throws {
    let page = Int(hostPageSize)
    // 60 terabytes apart: low, and where the kernel puts it.
    let low = try #require(
      mmap(
        UnsafeMutableRawPointer(bitPattern: 0x1_0000_0000), page, PROT_READ | PROT_WRITE,
        MAP_PRIVATE | MAP_ANONYMOUS, -1, 0))
    let high = try #require(
      mmap(nil, page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0))
    defer {
      munmap(low, page)
      munmap(high, page)
    }
    let ranges = [low, high].map { memory in
      memory.storeBytes(of: 7, as: UInt8.self)
      return MemoryRange(start: UInt64(UInt(bitPattern: memory)), count: hostPageSize)
    }
    try #require(ranges[1].start > ranges[0].start + 1 << 40)
    var pagemap = try Pagemap(ProcessFiles(ownProcess), pageSize: hostPageSize, canScan: canScan)
    let runs = try pagemap.runs(of: .anonymous, in: ranges)
    for range in ranges {
      #expect(runs.contains { $0.start <= range.start && range.end <= $0.end })
    }
  }

  @Test func `a page that was only read is not worth saving`() throws {
    let page = Int(hostPageSize)
    let memory = try #require(
      mmap(nil, 4 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0))
    defer { munmap(memory, 4 * page) }
    _ = madvise(memory, 4 * page, 15)
    #expect(memory.load(fromByteOffset: page, as: UInt8.self) == 0)
    var pagemap = try Pagemap(ProcessFiles(ownProcess), pageSize: hostPageSize)
    let base = UInt64(UInt(bitPattern: memory))
    #expect(try pagemap.runs(of: .anonymous, in: [MemoryRange(start: base, count: UInt64(4 * page))]).isEmpty)
  }

  @Test func `of a private file mapping only changed pages are found`() throws {
    let page = Int(hostPageSize)
    let file = try FileDescriptor(inMemoryNamed: "pages")
    try file.write([UInt8](repeating: 1, count: 8 * page), at: 0)
    let memory = try #require(
      mmap(nil, 8 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE, file.number, 0))
    defer { munmap(memory, 8 * page) }
    for index in 0 ..< 8 { #expect(memory.load(fromByteOffset: index * page, as: UInt8.self) == 1) }
    memory.storeBytes(of: 9, toByteOffset: 2 * page, as: UInt8.self)
    let base = UInt64(UInt(bitPattern: memory))
    for canScan in [true, false] {
      var pagemap = try Pagemap(ProcessFiles(ownProcess), pageSize: hostPageSize, canScan: canScan)
      let runs = try pagemap.runs(
        of: .modifiedFile, in: [MemoryRange(start: base, count: UInt64(8 * page))])
      #expect(runs == [MemoryRange(start: base + UInt64(2 * page), count: hostPageSize)])
    }
  }

  @Test func `what waits in a pipe is read and stays there`() throws {
    var ends: [Int32] = [0, 0]
    try #require(pipe(&ends) == 0)
    let reader = FileDescriptor(owning: ends[0])
    let writer = FileDescriptor(owning: ends[1])
    let bytes = (0 ..< 50_000).map { UInt8(truncatingIfNeeded: $0 &* 7) }
    #expect(write(writer.number, bytes, bytes.count) == bytes.count)
    let first = try PipeContents(readEnd: reader)
    #expect(first.unread == bytes)
    #expect(first.capacity == 65536)
    #expect(try PipeContents(readEnd: reader).unread == bytes)
  }

  @Test func `a pipe full of single bytes fits as well`() throws {
    var ends: [Int32] = [0, 0]
    try #require(pipe2(&ends, O_DIRECT) == 0)
    let reader = FileDescriptor(owning: ends[0])
    let writer = FileDescriptor(owning: ends[1])
    for index in UInt8(0) ..< 16 { #expect(write(writer.number, [index], 1) == 1) }
    #expect(try PipeContents(readEnd: reader).unread == Array(0 ..< 16))
  }

  @Test func `an end without the other one is widowed`() throws {
    var ends: [Int32] = [0, 0]
    try #require(pipe(&ends) == 0)
    let writer = FileDescriptor(owning: ends[1])
    #expect(try !PipeContents.isWidowed(writer))
    close(ends[0])
    #expect(try PipeContents.isWidowed(writer))
  }

  @Test func `two numbers of one open file are told from two open files`() throws {
    let one = try FileDescriptor(opening: "/dev/null", flags: O_RDONLY)
    let same = try one.duplicate()
    let other = try FileDescriptor(opening: "/dev/null", flags: O_RDONLY)
    #expect(
      try Kcmp.order(descriptor: one.number, of: ownProcess, and: same.number, of: ownProcess)
        == .equal)
    #expect(
      try Kcmp.order(descriptor: one.number, of: ownProcess, and: other.number, of: ownProcess)
        != .equal)
  }

  @Test func `holes of a file are left out`() throws {
    let file = try FileDescriptor(inMemoryNamed: "holes")
    let page = hostPageSize
    try file.setSize(100 * page)
    try file.write([1], at: 10 * page)
    try file.write([1], at: 50 * page)
    #expect(
      try file.dataRanges(size: 100 * page) == [
        MemoryRange(start: 10 * page, count: page), MemoryRange(start: 50 * page, count: page),
      ])
  }

  @Test func `a descriptor of another process is the same open file`() throws {
    let file = try FileDescriptor(inMemoryNamed: "borrowed")
    let own = try ProcessHandle(ownProcess).descriptor(file.number)
    #expect(try own.status().inode == file.status().inode)
    #expect(try SignalOwner(of: own).id == 0)
  }

  @Test func `scheduling and limits are those of the C library's calls`() throws {
    let thread = ownProcess.leader
    let policy = cr_syscall(Int(SYS_sched_getscheduler), 0, 0, 0, 0, 0, 0)
    #expect(try SchedulingAttributes(of: thread).policy == UInt32(policy))
    #expect(try cpuAffinity(of: thread).contains { $0 != 0 })
    #expect(try resourceLimit(7, of: ownProcess).soft == UInt64(sysconf(Int32(_SC_OPEN_MAX))))
    #expect(try robustList(of: thread).length == 24)
  }
}
