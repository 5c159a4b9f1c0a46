// SPDX-License-Identifier: Apache-2.0
import CLinux
import Engine
import Glibc
import Linux
import Testing

@testable import PtraceEngine

/// Ten seconds: everything here takes milliseconds unless something is wrong.
var soon: Deadline { Deadline(nanoseconds: Clock.monotonic.reading + 10_000_000_000) }

extension PtraceEngine {
  /// Makes calls in every thread, so that all of them have been taken over once.
  mutating func callInEveryThread(of process: ProcessID) throws {
    let threads = threads(of: process)
    let results = try callEach(
      threads.map { ThreadCall(thread: $0, name: .gettid, arguments: []) })
    for (thread, result) in zip(threads, results) {
      #expect(try result.get() == UInt64(thread.rawValue))
    }
  }
}

extension PtraceEngine {
  /// Has every thread say where it announces its end (PR_GET_TID_ADDRESS), and what its alternate
  /// stack is: 16 and 24 bytes of scratch memory each. glibc keeps the thread's id at that place.
  mutating func askEveryThread(of process: ProcessID) throws(EngineError) -> [Int32] {
    let threads = threads(of: process)
    let scratch = try scratch(in: process).start
    let count = threads.count
    try write([UInt8](repeating: 0xff, count: count * 64), to: scratch, of: process)
    try callSequences(
      threads.indices.map { index in
        let slot = scratch + UInt64(index) * 64
        return CallSequence(
          thread: threads[index],
          calls: [
            (.sigaltstack, [0, slot, 0, 0, 0, 0]), (.prctl, [40, slot + 32, 0, 0, 0, 0]),
            (.prctl, [2, slot + 40, 0, 0, 0, 0]),
          ])
      })
    var ids: [Int32] = []
    for index in threads.indices {
      let answer = try read(MemoryRange(start: scratch + UInt64(index) * 64, count: 64), of: process)
      // SS_DISABLE
      #expect(answer.native(Int32.self, at: 8) == 2)
      let place = answer.native(UInt64.self, at: 32)
      let bytes = try read(MemoryRange(start: place, count: 4), of: process)
      ids.append(bytes.native(Int32.self, at: 0))
    }
    return ids
  }
}

@Suite(.serialized, .timeLimit(.minutes(2))) struct `holding` {
  @Test func `every thread stands still and goes on again`() throws {
    let subject = try Subject("sleepers", "20")
    var engine = PtraceEngine()
    try engine.hold(subject.id, until: soon)
    #expect(engine.threads(of: subject.id).count == 21)
    #expect(engine.threads(of: subject.id).first == subject.id.leader)
    #expect(subject.states == ["t"])
    try engine.release(subject.id, stopped: false)
    #expect(engine.threads(of: subject.id).isEmpty)
    #expect(Subject.eventually { subject.states == ["S"] })
    #expect(try subject.status("TracerPid") == "0")
  }

  @Test func `threads that appear during the stop are held too`() throws {
    let subject = try Subject("churn")
    for _ in 0 ..< 100 {
      var engine = PtraceEngine()
      try engine.hold(subject.id, until: soon)
      let tasks = try ProcessFiles(subject.id).numbers(in: "task")
      let held = engine.threads(of: subject.id).map { $0.rawValue }
      // One that has ended may still be listed, as a zombie.
      #expect(Set(held).isSubset(of: tasks))
      #expect(subject.states.isSubset(of: ["t", "Z", "X"]))
      try engine.callInEveryThread(of: subject.id)
      try engine.release(subject.id, stopped: false)
    }
    #expect(try subject.status("Threads") != nil)
  }

  @Test func `a program that executes another in the middle of a stop is held whole`() throws {
    let subject = try Subject("exec-again", "300")
    var held = 0
    while held < 3000 {
      var engine = PtraceEngine()
      do throws(EngineError) { try engine.hold(subject.id, until: soon) } catch {
        #expect(error.errno == .noProcess, "\(error.step)")
        break
      }
      #expect(subject.states.isSubset(of: ["t", "Z", "X"]))
      try engine.callInEveryThread(of: subject.id)
      try engine.release(subject.id, stopped: false)
      held += 1
    }
    #expect(held > 10)
    #expect(subject.says("executed"))
  }

  @Test(arguments: [0, 4])
  func `an interrupted sleep ends when it would have ended`(furtherThreads: Int) throws {
    let subject = try Subject("nap", "700", "\(furtherThreads)")
    for _ in 0 ..< 3 {
      usleep(100_000)
      var engine = PtraceEngine()
      try engine.hold(subject.id, until: soon)
      try engine.callInEveryThread(of: subject.id)
      _ = try engine.askEveryThread(of: subject.id)
      try engine.release(subject.id, stopped: false)
    }
    for _ in 0 ... furtherThreads {
      let words = try #require(subject.line()).split(separator: " ")
      #expect(words.first == "0")
      let milliseconds = try #require(Int(words[1]))
      #expect((700 ..< 760).contains(milliseconds))
    }
  }

  @Test func `a signal during the hold ends a wait as it would have`() throws {
    let subject = try Subject("waits-for-handlers")
    for call in ["pause", "sigsuspend", "epoll_wait"] {
      #expect(Subject.eventually { subject.states == ["S"] })
      usleep(20_000)
      var engine = PtraceEngine()
      try engine.hold(subject.id, until: soon)
      try engine.callInEveryThread(of: subject.id)
      kill(subject.id.rawValue, SIGUSR1)
      try engine.callInEveryThread(of: subject.id)
      try engine.release(subject.id, stopped: false)
      #expect(subject.says("\(call) 1"))
    }
    #expect(subject.says("handled 3"))
  }

  @Test func `an endless wait does not end by a stop that nobody is to see`() throws {
    let subject = try Subject("epoll-waiter")
    for _ in 0 ..< 10 {
      usleep(5000)
      var engine = PtraceEngine()
      try engine.hold(subject.id, until: soon)
      try engine.callInEveryThread(of: subject.id)
      try engine.release(subject.id, stopped: false)
    }
    usleep(20_000)
    #expect(subject.states == ["S"])
  }

  @Test func `a wait with a mask of its own gives the thread's mask back`() throws {
    let subject = try Subject("wait-with-mask")
    usleep(100_000)
    var engine = PtraceEngine()
    try engine.hold(subject.id, until: soon)
    #expect(try engine.signalMask(of: subject.id.leader) == 1 << 11)
    try engine.callInEveryThread(of: subject.id)
    try engine.release(subject.id, stopped: false)
    #expect(subject.says("0 1 0"))
  }

  @Test func `no signal is lost when a stop meets it`() throws {
    let count = 2000
    let subject = try Subject("signals", "\(count)")
    let sender = forked {
      // It ends at the last one, which is sent when nobody wants to hold it any more.
      for number in 1 ..< count {
        if sigqueue(subject.id.rawValue, 34, sigval()) != 0 { exit(9) }
        if number % 10 == 0 { usleep(500) }
      }
      exit(0)
    }
    var status: Int32 = 0
    while waitpid(sender, &status, WNOHANG) == 0 {
      var engine = PtraceEngine()
      try engine.hold(subject.id, until: soon)
      try engine.callInEveryThread(of: subject.id)
      try engine.release(subject.id, stopped: false)
    }
    #expect(status == 0)
    #expect(sigqueue(subject.id.rawValue, 34, sigval()) == 0)
    #expect(subject.line() == "\(count)")
  }

  @Test func `a job-control stop is in force again after release`() throws {
    let subject = try Subject("sleepers", "3")
    kill(subject.id.rawValue, SIGSTOP)
    #expect(Subject.eventually { subject.states == ["T"] })
    var engine = PtraceEngine()
    try engine.hold(subject.id, until: soon)
    #expect(engine.stopSignal(of: subject.id) == SIGSTOP)
    try engine.callInEveryThread(of: subject.id)
    try engine.release(subject.id, stopped: false)
    #expect(Subject.eventually { subject.states == ["T"] })
    kill(subject.id.rawValue, SIGCONT)
    #expect(Subject.eventually { subject.states == ["S"] })
  }

  @Test func `a stop or continue signal during the hold takes effect at release`() throws {
    let subject = try Subject("sleepers", "3")
    var engine = PtraceEngine()
    try engine.hold(subject.id, until: soon)
    kill(subject.id.rawValue, SIGSTOP)
    try engine.callInEveryThread(of: subject.id)
    try engine.release(subject.id, stopped: false)
    #expect(Subject.eventually { subject.states == ["T"] })

    try engine.hold(subject.id, until: soon)
    kill(subject.id.rawValue, SIGCONT)
    try engine.callInEveryThread(of: subject.id)
    try engine.release(subject.id, stopped: false)
    #expect(Subject.eventually { subject.states == ["S"] })
  }

  @Test func `a process is released into a stop when that is asked for`() throws {
    let subject = try Subject("sleepers", "3")
    var engine = PtraceEngine()
    try engine.hold(subject.id, until: soon)
    try engine.release(subject.id, stopped: true)
    #expect(Subject.eventually { subject.states == ["T"] })
  }

  @Test func `a process whose first thread has ended can be held`() throws {
    let subject = try Subject("leader-ends")
    var engine = PtraceEngine()
    try engine.hold(subject.id, until: soon)
    #expect(engine.threads(of: subject.id).count == 1)
    #expect(engine.threads(of: subject.id).first != subject.id.leader)
    try engine.callInEveryThread(of: subject.id)
    try engine.release(subject.id, stopped: false)
    #expect(subject.says("last"))
  }

  @Test func `hold gives up at its deadline`() throws {
    let subject = try Subject("vfork-parent")
    usleep(50_000)
    let start = Clock.monotonic.reading
    var engine = PtraceEngine()
    var reason: EngineError?
    do throws(EngineError) {
      try engine.hold(subject.id, until: Deadline(nanoseconds: start + 200_000_000))
    } catch { reason = error }
    #expect(reason?.errno == .timedOut)
    #expect((200 ..< 400).contains((Clock.monotonic.reading - start) / 1_000_000))
  }

  @Test func `what is not there, not a process or traced already is refused`() throws {
    func refusal(_ process: ProcessID) -> Errno? {
      var engine = PtraceEngine()
      do throws(EngineError) { try engine.hold(process, until: soon) } catch { return error.errno }
      return nil
    }
    #expect(refusal(ProcessID(4_190_000)) == .noProcess)
    let subject = try Subject("sleepers", "1")
    let tasks = try ProcessFiles(subject.id).numbers(in: "task")
    #expect(refusal(ProcessID(try #require(tasks.last))) == .noProcess)
    var other = PtraceEngine()
    try other.hold(subject.id, until: soon)
    #expect(refusal(subject.id) == .notPermitted)
    try other.release(subject.id, stopped: false)
  }

  @Test func `an engine that goes away lets everything run`() throws {
    let subject = try Subject("sleepers", "2")
    do {
      var engine = PtraceEngine()
      try engine.hold(subject.id, until: soon)
      #expect(subject.states == ["t"])
    }
    #expect(Subject.eventually { subject.states == ["S"] })
  }
}
