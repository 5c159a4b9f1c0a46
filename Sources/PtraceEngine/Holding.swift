// SPDX-License-Identifier: Apache-2.0
import Architecture
import CLinux
import Engine
import Linux

/// Stopping every thread of a process that runs, and nothing else of it.
///
/// All threads are stopped before anything is changed in any of them: a signal for the process
/// would otherwise be taken by a thread that still runs.
struct Holding: ~Copyable {
  let held: HeldProcess
  let deadline: Deadline
  private let files: ProcessFiles
  /// Stopped, or being stopped, by us.
  private var seized: [Int32: HeldThread] = [:]
  private var waiting: [HeldThread] = []
  private var hasLost = false
  private var refusals = 0
  /// Tasks that appeared by a clone during the stop; those of other processes are let go again.
  private var announced: [ThreadID] = []

  init(_ process: ProcessID, until deadline: Deadline) throws(EngineError) {
    let opened = try attempt("find process", process) { () throws(Errno) in
      do throws(Errno) { return try ProcessFiles(process) } catch {
        throw error == .noEntry ? .noProcess : error
      }
    }
    let text = try attempt("look at process", process) { () throws(Errno) in
      try opened.read("status")
    }
    let status = ProcessStatus(text)
    guard status.threadGroup == process else {
      throw EngineError("find process", process, .noProcess)
    }
    // Only one tracer at a time: a debugger, or another engine.
    guard status.tracer.rawValue == 0 else {
      throw EngineError("trace process, which is traced already,", process, .notPermitted)
    }
    held = HeldProcess(process, isNew: false)
    held.seccompMode = status.seccompMode
    self.deadline = deadline
    files = opened
  }

  /// A process that is ours already and runs under our eyes, or some of its threads do.
  init(again held: HeldProcess, until deadline: Deadline) throws(EngineError) {
    self.held = held
    self.deadline = deadline
    files = try attempt("find process", held.id) { () throws(Errno) in try ProcessFiles(held.id) }
    for thread in held.threads {
      seized[thread.id.rawValue] = thread
      guard thread.isRunning else { continue }
      thread.isRunning = false
      // One that has ended is found out by `settle`.
      try? Tracing.interrupt(thread.id)
      waiting.append(thread)
    }
    held.threads = []
  }

  /// Stops all threads, or none.
  mutating func stopAll() throws(EngineError) -> HeldProcess {
    do throws(EngineError) {
      // New threads appear until their makers stand still, so look again after the last stop.
      repeat {
        while let thread = waiting.last {
          try settle(thread)
          waiting.removeLast()
        }
      } while try seizeNewThreads() || doubtSome()
      letStrangersGo()
      arrange()
      guard !held.threads.isEmpty else {
        throw EngineError("stop process", held.id, .noProcess)
      }
      return held
    } catch {
      for thread in seized.values { try? Tracing.detach(thread.id) }
      throw error
    }
  }

  /// An exec in another thread ends all but that one, which goes on under the leader's id: a stop
  /// that the leader was seen in is then another's, or that one is not ours at all. So all are
  /// looked at before they count, and whenever one got lost, also for stops not reported yet.
  private mutating func doubtSome() -> Bool {
    let closely = hasLost
    var found = closely
    hasLost = false
    for thread in seized.values where !stands(thread, closely) {
      found = true
      // Whatever is ours was interrupted once. Twice would be a stop in the middle of something.
      if isGone(thread.id) { seized[thread.id.rawValue] = nil } else { waiting.append(thread) }
    }
    return found
  }

  private func stands(_ thread: HeldThread, _ closely: Bool) -> Bool {
    thread.seen.mask = try? Tracing.signalMask(of: thread.id)
    guard thread.seen.mask != nil else { return false }
    return !closely || cr_task_has_news(thread.id.rawValue) == 0
  }

  private mutating func seizeNewThreads() throws(EngineError) -> Bool {
    let present: [Int32]
    do throws(Errno) { present = try files.numbers(in: "task") } catch { return false }
    var found = false
    cr_reaper_begin()
    defer { if cr_reaper_end() != 0 { hasLost = true } }
    for number in seized.keys { cr_reaper_note(number) }
    for number in present where seized[number] == nil {
      let thread = HeldThread(ThreadID(number), of: held.id)
      do throws(Errno) {
        try Tracing.seize(thread.id, options: held.options)
        if Registers.native?.losesFirstArgument == true,
          let text = try? files.read("task/\(number)/syscall")
        {
          thread.seen.sleep = SleepingCall(text)
        }
        try Tracing.interrupt(thread.id)
      } catch {
        // It may have ended, or be ours already: a clone of a seized thread is seized at birth.
        switch try standing(of: thread.id, after: error) {
        case .gone:
          // A zombie stays where it is; one that vanished may have gone on as the leader.
          if error == .noProcess { hasLost = true }
          continue
        case .unclear:
          found = true
          continue
        case .ours: break
        }
      }
      found = true
      seized[number] = thread
      cr_reaper_note(number)
      waiting.append(thread)
    }
    return found
  }

  private enum Standing { case ours, gone, unclear }

  /// What a refusal to seize a thread means.
  private mutating func standing(
    of thread: ThreadID, after error: Errno
  ) throws(EngineError) -> Standing {
    guard error != .noProcess, let files = try? ProcessFiles(thread, of: held.id),
      let stat = try? files.read("stat"), TaskLife(stat: stat) == .alive,
      let text = try? files.read("status")
    else { return .gone }
    let status = ProcessStatus(text)
    if isOurs(status) { return .ours }
    // A leader that dies in another thread's exec is refused, and a moment later that thread has
    // its number: asked again, it is not refused. Somebody without permission always is.
    refusals += 1
    guard status.tracer.rawValue == 0, refusals < 50 else {
      throw EngineError("trace thread", held.id, error)
    }
    return .unclear
  }

  /// Waits until the thread stands in an event stop with nothing in between, or is gone.
  private mutating func settle(_ thread: HeldThread) throws(EngineError) {
    var patience = Patience()
    do throws(Errno) {
      while true {
        guard let state = try TaskState.poll(thread.id) else {
          if patience.isLong {
            reapEnded()
            if isGone(thread.id) { throw .noChild }
          }
          if patience.hasPassed(deadline) { throw .timedOut }
          if patience.isLong, Interrupt.signal != nil { throw .interrupted }
          patience.wait()
          continue
        }
        if try isSettled(thread, state) { return }
      }
    } catch {
      // ECHILD, ESRCH: it ended meanwhile, or another thread's exec took its place.
      guard error == .noChild || error == .noProcess else {
        throw EngineError("stop thread", held.id, error)
      }
      seized[thread.id.rawValue] = nil
      hasLost = true
    }
  }

  private mutating func isSettled(_ thread: HeldThread, _ state: TaskState) throws(Errno) -> Bool {
    switch state {
    case .interrupted(let signal):
      if signal != SIGTRAP { held.stopSignal = signal }
      return true
    case .ended:
      throw .noChild
    case .signal(let signal):
      // A signal on its way that the stop met: it is delivered, and its handler's frame is there
      // when the thread stands. Put back, it would come after those that were queued behind it.
      try Tracing.interrupt(thread.id)
      try Tracing.resume(thread.id, .run, signal: signal)
    case .event(let event):
      if event == 3, let born = try? Tracing.eventMessage(of: thread.id) {
        announced.append(ThreadID(Int32(truncatingIfNeeded: born)))
      }
      try Tracing.interrupt(thread.id)
      try Tracing.resume(thread.id, .run)
    case .systemCall:
      try Tracing.interrupt(thread.id)
      try Tracing.resume(thread.id, .run)
    }
    return false
  }

  /// An exec waits until every thread it has ended is waited for, also one that stood already.
  private mutating func reapEnded() {
    for number in seized.keys where cr_reap_ended(number) != 0 { hasLost = true }
  }

  /// A leader that has ended before its threads is never reported, only seen. And where an exec
  /// gave its number to a thread that is not ours, a child of ours is waited for in vain.
  private func isGone(_ thread: ThreadID) -> Bool {
    guard let files = try? ProcessFiles(thread, of: held.id), let stat = try? files.read("stat"),
      let status = try? files.read("status")
    else { return true }
    return TaskLife(stat: stat) == .dead || !isOurs(ProcessStatus(status))
  }

  private func isOurs(_ status: ProcessStatus) -> Bool {
    status.tracer.rawValue == Int32(cr_syscall(Int(SYS_gettid), 0, 0, 0, 0, 0, 0))
  }

  /// clone(2) without CLONE_THREAD makes a process, which is not ours to hold.
  private mutating func letStrangersGo() {
    for stranger in announced where seized[stranger.rawValue] == nil {
      if case .interrupted? = try? TaskState.wait(for: stranger) { try? Tracing.detach(stranger) }
    }
  }

  private func arrange() {
    let numbers = seized.keys.sorted()
    let leader = held.id.rawValue
    if let thread = seized[leader] { held.threads.append(thread) }
    for number in numbers where number != leader { held.threads.append(seized[number]!) }
  }
}
