// SPDX-License-Identifier: Apache-2.0
import CLinux
import Engine
import Linux

/// Processes that run while they are ours: their signals are handed on, their new threads are ours
/// from birth, and a thread that calls us by a signal to itself stands still before it has gone on.
extension PtraceEngine {
  public mutating func run(
    _ process: ProcessID, but standing: Set<Int32>
  ) throws(EngineError) {
    let held = try held(process)
    let taken = held.threads.filter { $0.calling != nil || $0.wanted != nil }
    try Self.withdraw(from: held)
    // From a stop at a call the kernel does not look after an interrupted one. PTRACE_DETACH makes
    // it look; here a further stop does, which ends as soon as somebody watches.
    for thread in taken { try? Tracing.interrupt(thread.id) }
    // Its memory may change now, and where we make calls from with it.
    held.landmarks = nil
    held.stopper = nil
    for thread in held.threads where !thread.isRunning && !standing.contains(thread.id.rawValue) {
      thread.first = nil
      thread.seen = HeldThread.Seen()
      thread.wanted = nil
      do throws(Errno) {
        try Tracing.resume(thread.id, .run)
        thread.isRunning = true
      } catch {
        // It was killed; the next look at it tells.
        guard error == .noProcess else { throw EngineError("let thread run", process, error) }
        thread.isRunning = true
      }
    }
  }

  public mutating func awaitCall(
    of callers: [Caller], milliseconds: Int32
  ) throws(EngineError) -> WatchedEvent? {
    let end = Clock.monotonic.reading + UInt64(milliseconds) * 1_000_000
    // Every change of a tracee comes with SIGCHLD; blocked, it ends the wait below.
    let queue = SignalQueue(holding: 1 << UInt64(SIGCHLD - 1))
    defer { queue.stop() }
    while true {
      for caller in callers {
        guard let held = processes[caller.process.rawValue] else { continue }
        if let event = try look(at: held, for: caller.signal) { return event }
      }
      let now = Clock.monotonic.reading
      if now >= end { return nil }
      // Not for all of the time: the end of a leader before its threads has no signal.
      _ = queue.take(milliseconds: Int32(min(20, (end - now) / 1_000_000 + 1)))
    }
  }

  private mutating func look(
    at held: HeldProcess, for signal: Int32
  ) throws(EngineError) -> WatchedEvent? {
    var index = 0
    while index < held.threads.count {
      let thread = held.threads[index]
      index += 1
      guard thread.isRunning else { continue }
      do throws(Errno) {
        while thread.isRunning, let state = try TaskState.poll(thread.id) {
          if let value = try handle(state, of: thread, of: held, signal) {
            return .call(thread: thread.id, value: value)
          }
        }
      } catch {
        guard error == .noChild || error == .noProcess else {
          throw EngineError("watch thread", held.id, error)
        }
        return lose(thread, of: held)
      }
    }
    return nil
  }

  /// The value, if this was a call.
  private mutating func handle(
    _ state: TaskState, of thread: HeldThread, of held: HeldProcess, _ wanted: Int32
  ) throws(Errno) -> Int32? {
    switch state {
    case .ended:
      throw .noChild
    case .signal(let signal):
      if signal == wanted, let value = Self.callValue(of: thread.id) {
        try standStill(thread, of: held)
        return value
      }
      try Tracing.resume(thread.id, .run, signal: signal)
    case .interrupted:
      // A new thread's first stop; or a job-control stop, in which its callbacks are to run all the same: PTRACE_CONT
      // leaves the process stopped but for our tracees, and when they are let go they stop again (ptrace(2)).
      try Tracing.resume(thread.id, .run)
    case .event(let event):
      if event == 3, let born = try? Tracing.eventMessage(of: thread.id) {
        meet(ThreadID(Int32(truncatingIfNeeded: born)), of: held)
      }
      try Tracing.resume(thread.id, .run)
    case .systemCall:
      try Tracing.resume(thread.id, .run)
    }
    return nil
  }

  /// A new task: a thread of this process, or a process of its own, which is let go.
  private mutating func meet(_ task: ThreadID, of held: HeldProcess) {
    guard (try? ProcessFiles(task, of: held.id).read("stat")) != nil else {
      if case .interrupted? = try? TaskState.wait(for: task) { try? Tracing.detach(task) }
      return
    }
    let thread = HeldThread(task, of: held.id)
    thread.isRunning = true
    held.threads.append(thread)
    tasks[task.rawValue] = thread
  }

  private mutating func lose(_ thread: HeldThread, of held: HeldProcess) -> WatchedEvent {
    held.threads.removeAll { $0 === thread }
    tasks[thread.id.rawValue] = nil
    let isLast = held.threads.isEmpty
    if isLast { forget(held) }
    return .ended(thread: thread.id, process: held.id, isLast: isLast)
  }

  /// From the stop before a signal into the stop that every held thread is in; the signal is gone,
  /// and not one instruction was done in between.
  private func standStill(_ thread: HeldThread, of held: HeldProcess) throws(Errno) {
    try Tracing.interrupt(thread.id)
    try Tracing.resume(thread.id, .run)
    while true {
      switch try held.nextStop(of: thread) {
      case .interrupted:
        thread.isRunning = false
        thread.first = nil
        return
      case .ended:
        throw .noChild
      case .signal(let signal):
        // Another one on its way; it comes back after us.
        let mask = try Tracing.signalMask(of: thread.id)
        try Tracing.setSignalMask(mask | 1 << UInt64(signal - 1), of: thread.id)
        try Tracing.interrupt(thread.id)
        try Tracing.resume(thread.id, .run, signal: signal)
        if case .interrupted = try held.nextStop(of: thread) {
          try Tracing.setSignalMask(mask, of: thread.id)
          thread.isRunning = false
          thread.first = nil
          return
        }
      case .systemCall, .event:
        try Tracing.interrupt(thread.id)
        try Tracing.resume(thread.id, .run)
      }
    }
  }

  /// The value of the signal that stopped a thread, if it is meant for us.
  private static func callValue(of thread: ThreadID) -> Int32? {
    var value: Int32 = 0
    guard cr_queued_signal_value(thread.rawValue, &value) == 0, value & 0x80 == 0 else {
      return nil
    }
    return value
  }
}
