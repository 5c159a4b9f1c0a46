// SPDX-License-Identifier: Apache-2.0
import CLinux
import Engine
import Glibc
import Linux
import Snapshot
import Testing

@testable import PtraceEngine

@Suite(.serialized, .timeLimit(.minutes(2))) struct `calls in a held process` {
  @Test func `nothing of ours is left after release`() throws {
    let subject = try Subject("sleepers", "5")
    let maps = try subject.file("maps")
    let descriptors = try ProcessFiles(subject.id).numbers(in: "fd")
    let mask = try subject.status("SigBlk")
    let file = try FileDescriptor(inMemoryNamed: "context")

    var engine = PtraceEngine()
    try engine.hold(subject.id, until: soon)
    let before = try engine.registers(of: subject.id.leader).generalRegisters
    try engine.callInEveryThread(of: subject.id)
    let text = try #require(
      try MappedRegion.parse(ProcessFiles(subject.id).read("maps")).first { $0.protection & 4 != 0 })
    // Big enough for the target to be asked to write it itself.
    let pieces = (0 ..< 256).map {
      Extent(position: text.range.start, count: 4096, fileOffset: UInt64($0) * 4096)
    }
    try engine.save(pieces, of: subject.id, to: file) { _ throws(EngineError) in }
    #expect(try engine.registers(of: subject.id.leader).generalRegisters == before)
    try engine.release(subject.id, stopped: false)

    #expect(try subject.file("maps") == maps)
    #expect(try ProcessFiles(subject.id).numbers(in: "fd") == descriptors)
    #expect(try subject.status("SigBlk") == mask)
    #expect(Subject.eventually { subject.states == ["S"] })
  }

  @Test func `an error of a call is its result and not ours`() throws {
    let subject = try Subject("sleepers", "0")
    var engine = PtraceEngine()
    try engine.hold(subject.id, until: soon)
    #expect(throws: Errno.badDescriptor) {
      try engine.call(.close, [9999], in: subject.id.leader).get()
    }
    try engine.release(subject.id, stopped: false)
  }

  @Test(arguments: ["sleepers", "signal-handlers"])
  func `every thread makes its sequence of calls, and no signal of ours reaches a handler`(
    kind: String
  ) throws {
    let subject = kind == "sleepers" ? try Subject(kind, "20") : try Subject(kind)
    // A new thread has every signal blocked until it gets to run.
    #expect(Subject.eventually { subject.states == ["S"] })
    for _ in 0 ..< 20 {
      var engine = PtraceEngine()
      try engine.hold(subject.id, until: soon)
      let threads = engine.threads(of: subject.id).map { $0.rawValue }
      #expect(try engine.askEveryThread(of: subject.id) == threads)
      try engine.callInEveryThread(of: subject.id)
      #expect(try engine.askEveryThread(of: subject.id) == threads)
      // As chains, or singly where every signal is in use.
      let stopper = engine.processes[subject.id.rawValue]?.stopper
      #expect(stopper == (kind == "sleepers" ? SIGURG : 0))
      try engine.release(subject.id, stopped: false)
    }
    #expect(Subject.eventually { subject.states == ["S"] })
    if kind == "signal-handlers" {
      kill(subject.id.rawValue, SIGUSR1)
      #expect(subject.says("0"))
    }
  }

  @Test func `a signal that a program waits for is not taken by a sequence of calls`() throws {
    let subject = try Subject("signal-waiters")
    var engine = PtraceEngine()
    try engine.hold(subject.id, until: soon)
    // Blocked in every thread: pending until one of them takes it by sigwait(3).
    for signal in [SIGURG, SIGWINCH, SIGCHLD] { kill(subject.id.rawValue, signal) }
    _ = try engine.askEveryThread(of: subject.id)
    try engine.release(subject.id, stopped: false)
    for _ in 0 ..< 3 { #expect(subject.says("took one")) }
  }

  @Test func `scratch memory can be written and read and holds what is asked`() throws {
    let subject = try Subject("sleepers", "0")
    var engine = PtraceEngine()
    try engine.hold(subject.id, until: soon)
    let scratch = try engine.scratch(in: subject.id)
    #expect(scratch.count >= 64 << 10)
    let bytes = (0 ..< Int(scratch.count)).map { UInt8(truncatingIfNeeded: $0 &* 31) }
    try engine.write(bytes, to: scratch.start, of: subject.id)
    #expect(try engine.read(scratch, of: subject.id) == bytes)
    let moved = try engine.placeScratch(in: subject.id, at: 0x1_0000_0000)
    #expect(moved.start == 0x1_0000_0000)
    #expect(throws: EngineError.self) { try engine.read(scratch, of: subject.id) }
    #expect(try engine.call(.getpid, [], in: subject.id.leader).get() == UInt64(subject.id.rawValue))
    try engine.release(subject.id, stopped: false)
    #expect(Subject.eventually { subject.states == ["S"] })
  }

  @Test func `memory is read and written whatever its protection is`() throws {
    let subject = try Subject("memory", "1")
    let base: UInt64 = 0x2000_0000_0000
    var engine = PtraceEngine()
    try engine.hold(subject.id, until: soon)
    // Across a page without any access, and one that is read-only.
    let range = MemoryRange(start: base + 100, count: 4 * 4096)
    var bytes = try engine.read(range, of: subject.id)
    bytes.reverse()
    try engine.write(bytes, to: range.start, of: subject.id)
    #expect(try engine.read(range, of: subject.id) == bytes)
    #expect(throws: EngineError.self) {
      try engine.read(MemoryRange(start: base - 4096, count: 8192), of: subject.id)
    }
    try engine.release(subject.id, stopped: false)
  }

  @Test func `a seccomp filter does not kill a target for our calls`() throws {
    let subject = try Subject("seccomp")
    var engine = PtraceEngine()
    try engine.hold(subject.id, until: soon)
    // Its filter kills for mmap, which making scratch memory needs.
    do { try engine.callInEveryThread(of: subject.id) } catch let error as EngineError {
      #expect(error.errno == .notPermitted)
    }
    try engine.release(subject.id, stopped: false)
    #expect(Subject.eventually { subject.states == ["S"] })
    #expect(try subject.status("Seccomp") == "2")
  }

  @Test func `a program computes on when its holder is killed at any moment`() throws {
    let disturbed = try Subject("compute", "3")
    let undisturbed = try Subject("compute", "3")
    let affinity = try cpuAffinity(of: disturbed.id.leader)
    var kills = 0
    while kills < 100, kill(disturbed.id.rawValue, 0) == 0, disturbed.states != ["Z"] {
      let holder = forked {
        while true {
          var engine = PtraceEngine()
          do {
            try engine.hold(disturbed.id, until: soon)
            for _ in 0 ..< 20 { _ = try engine.call(.getpid, [], in: disturbed.id.leader) }
            _ = try engine.callEach(
              engine.threads(of: disturbed.id).map {
                ThreadCall(thread: $0, name: .gettid, arguments: [])
              })
            _ = try engine.askEveryThread(of: disturbed.id)
            try engine.release(disturbed.id, stopped: false)
          } catch { continue }
        }
      }
      usleep(UInt32.random(in: 300 ..< 6000))
      kill(holder, SIGKILL)
      var status: Int32 = 0
      waitpid(holder, &status, 0)
      kills += 1
    }
    #expect(kills > 10)
    #expect(try subjectMask(disturbed) == subjectMask(undisturbed))
    #expect(Subject.eventually { (try? cpuAffinity(of: disturbed.id.leader)) == affinity })
    let answer = try #require(undisturbed.line())
    #expect(disturbed.line() == answer)
  }

  @Test func `a holder killed while the target writes leaves no descriptor in it`() throws {
    let subject = try Subject("memory", "64")
    let descriptors = try ProcessFiles(subject.id).numbers(in: "fd")
    for _ in 0 ..< 30 {
      let holder = forked {
        var engine = PtraceEngine()
        do {
          let file = try FileDescriptor(inMemoryNamed: "context")
          try engine.hold(subject.id, until: soon)
          while true {
            try engine.save(
              [Extent(position: 0x2000_0000_4000, count: 32 << 20)], of: subject.id, to: file
            ) { _ throws(EngineError) in }
          }
        } catch { return }
      }
      #expect(
        Subject.eventually {
          (try? ProcessFiles(subject.id).numbers(in: "fd").count) == descriptors.count + 1
        })
      usleep(UInt32.random(in: 2000 ..< 12000))
      kill(holder, SIGKILL)
      var status: Int32 = 0
      waitpid(holder, &status, 0)
      #expect(Subject.eventually { subject.states == ["S"] })
      #expect(try ProcessFiles(subject.id).numbers(in: "fd") == descriptors)
    }
  }

  private func subjectMask(_ subject: Subject) throws -> String? {
    // Its way back may take it a moment.
    usleep(50_000)
    return try subject.status("SigBlk")
  }
}
