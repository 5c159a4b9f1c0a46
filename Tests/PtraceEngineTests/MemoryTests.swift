// SPDX-License-Identifier: Apache-2.0
import CLinux
import Engine
import Glibc
import Linux
import Snapshot
import Testing

@testable import PtraceEngine

@Suite(.serialized, .timeLimit(.minutes(2))) struct `memory in bulk` {
  private let base: UInt64 = 0x2000_0000_0000

  /// What the subject's memory holds: the same sequence as in engine_subject.c.
  private func expected(_ count: Int) -> [UInt8] {
    var value: UInt64 = 1
    var words = [UInt64](repeating: 0, count: count / 8)
    for index in words.indices {
      value = value &* 6_364_136_223_846_793_005 &+ 1
      words[index] = value
    }
    return words.withUnsafeBytes { Array($0) }
  }

  /// 8 MiB are written by the target itself, 256 KiB through a buffer of ours.
  @Test(arguments: [8 << 20, 256 << 10])
  func `a file holds what memory held, unreadable pages too`(count: Int) throws {
    let subject = try Subject("memory", "8")
    let file = try FileDescriptor(inMemoryNamed: "context")
    var engine = PtraceEngine()
    try engine.hold(subject.id, until: soon)
    var told: UInt64 = 0
    try engine.save(
      [Extent(position: base, count: UInt64(count), fileOffset: 12288)], of: subject.id, to: file
    ) { count throws(EngineError) in told += count }
    try engine.release(subject.id, stopped: false)
    #expect(told == UInt64(count))
    #expect(try file.read(count + 1, at: 12288) == expected(count))
  }

  @Test func `scattered pieces each stand at their own place`() throws {
    let subject = try Subject("memory", "8")
    let file = try FileDescriptor(inMemoryNamed: "context")
    var engine = PtraceEngine()
    try engine.hold(subject.id, until: soon)
    // Every other page, in reverse order, with a gap in the file after each tenth.
    let pieces: [Extent] = (0 ..< 1000).map { (index: UInt64) -> Extent in
      let place = 999 - index
      return Extent(
        position: base + index * 8192, count: 4096, fileOffset: (place + place / 10) * 4096)
    }
    try engine.save(pieces, of: subject.id, to: file) { _ throws(EngineError) in }
    try engine.release(subject.id, stopped: false)
    let all = expected(8 << 20)
    for (index, piece) in pieces.enumerated() {
      let start = index * 8192
      let saved = try file.read(4096, at: piece.fileOffset)
      try #require(saved == Array(all[start ..< start + 4096]))
    }
  }

  @Test(arguments: [2 << 20, 64 << 10])
  func `a full device is told as such, and the target runs on`(count: UInt64) throws {
    let subject = try Subject("memory", "8")
    let full = try FileDescriptor(opening: "/dev/full", flags: O_RDWR)
    var engine = PtraceEngine()
    try engine.hold(subject.id, until: soon)
    var reason: EngineError?
    do throws(EngineError) {
      try engine.save([Extent(position: base + 16384, count: count)], of: subject.id, to: full) {
        _ throws(EngineError) in
      }
    } catch { reason = error }
    #expect(reason?.errno == .noSpace)
    try engine.release(subject.id, stopped: false)
    #expect(Subject.eventually { subject.states == ["S"] })
  }

  @Test func `limits of the target on files do not limit us`() throws {
    let subject = try Subject("memory", "8")
    var limit = rlimit(rlim_cur: 1 << 20, rlim_max: 1 << 20)
    // RLIMIT_FSIZE
    let result = withUnsafeMutablePointer(to: &limit) {
      cr_syscall(
        Int(SYS_prlimit64), Int(subject.id.rawValue), 1, Int(bitPattern: $0), 0, 0, 0)
    }
    #expect(result == 0)
    let file = try FileDescriptor(inMemoryNamed: "context")
    var engine = PtraceEngine()
    try engine.hold(subject.id, until: soon)
    try engine.save([Extent(position: base, count: 8 << 20)], of: subject.id, to: file) {
      _ throws(EngineError) in
    }
    try engine.release(subject.id, stopped: false)
    #expect(try file.read(8 << 20, at: 0) == expected(8 << 20))
    #expect(Subject.eventually { subject.states == ["S"] })
  }

  @Test func `memory that is not there is an error`() throws {
    let subject = try Subject("memory", "1")
    let file = try FileDescriptor(inMemoryNamed: "context")
    var engine = PtraceEngine()
    try engine.hold(subject.id, until: soon)
    for count: UInt64 in [2 << 20, 64 << 10] {
      var reason: EngineError?
      do throws(EngineError) {
        try engine.save([Extent(position: 4096, count: count)], of: subject.id, to: file) {
          _ throws(EngineError) in
        }
      } catch { reason = error }
      #expect(reason?.errno == .fault)
    }
    try engine.release(subject.id, stopped: false)
  }

  /// By userfaultfd above a mebibyte, by process_vm_writev below.
  @Test(arguments: [LoadPiece.Kind.anonymous, .mapped], [32 << 20, 100 << 10])
  func `memory holds what the file held`(kind: LoadPiece.Kind, count: Int) throws {
    let file = try FileDescriptor(inMemoryNamed: "context")
    let bytes = expected(count / 4096 * 4096)
    try file.write(bytes, at: 4096)
    var engine = PtraceEngine()
    let process = try engine.spawn(SpawnRequest(executable: "/bin/sleep"))
    defer { engine.kill(process) }
    let range = MemoryRange(start: base, count: UInt64(bytes.count) + 8192)
    _ = try engine.call(.mmap, [range.start, range.count, 3, 0x10_0022, ~0, 0], in: process.leader)
      .get()
    try engine.load(
      [
        LoadPiece(
          kind: kind,
          extent: Extent(position: base + 4096, count: UInt64(bytes.count), fileOffset: 4096))
      ], of: process, from: file
    ) { _ throws(EngineError) in }
    let loaded = try engine.read(range, of: process)
    #expect(loaded[..<4096].allSatisfy { $0 == 0 })
    #expect(Array(loaded[4096 ..< 4096 + bytes.count]) == bytes)
    #expect(loaded[(4096 + bytes.count)...].allSatisfy { $0 == 0 })
    // Neither a userfaultfd nor its mark on the memory stays.
    let flags = try #require(
      try MappedRegion.parse(ProcessFiles(process).read("smaps")).first { $0.range.start == base })
    #expect(!flags.hasFlag("um"))
    let open = try ProcessFiles(process).numbers(in: "fd").compactMap {
      try? ProcessFiles(process).link("fd/\($0)").text
    }
    #expect(!open.contains { $0.contains("userfaultfd") })
  }

  @Test(arguments: [32 << 20, 512 << 10])
  func `a file that ends too early is an error`(count: Int) throws {
    let file = try FileDescriptor(inMemoryNamed: "context")
    try file.setSize(UInt64(count / 2))
    var engine = PtraceEngine()
    let process = try engine.spawn(SpawnRequest(executable: "/bin/sleep"))
    defer { engine.kill(process) }
    _ = try engine.call(.mmap, [base, UInt64(count), 3, 0x10_0022, ~0, 0], in: process.leader).get()
    #expect(throws: EngineError.self) {
      try engine.load(
        [LoadPiece(kind: .anonymous, extent: Extent(position: base, count: UInt64(count)))],
        of: process, from: file
      ) { _ throws(EngineError) in }
    }
  }
}
