// SPDX-License-Identifier: Apache-2.0
import Architecture
import CLinux
import Engine
import Linux

/// Bringing processes to a stand, and letting them go.
extension KernelEngine {
  public mutating func hold(
    _ process: ProcessID, until deadline: Deadline
  ) throws(EngineError) {
    let known = processes[process.rawValue]
    if let known, !known.threads.contains(where: { $0.isRunning }) { return }
    let held = known ?? HeldProcess(process, isNew: false)
    let sleeps = Registers.native?.losesFirstArgument == true ? sleepingCalls(of: process) : [:]
    var request = cr_hold()
    request.pid = process.rawValue
    request.deadline = deadline.nanoseconds
    if held.isNew { request.flags = UInt32(CR_HOLD_NEW) }
    do throws(Errno) {
      while true {
        do throws(Errno) {
          try control.perform(cr_hold_request(), &request)
          break
        } catch {
          // A signal of no meaning here, the end of a child for example.
          guard error == .interrupted, Interrupt.signal == nil else { throw error }
        }
      }
    } catch {
      if let known { forget(known) }
      if error == .timedOut, request.reason == UInt32(CR_CULPRIT_TRACED) {
        throw EngineError(
          "stop thread, which its tracer keeps stopped,", ProcessID(request.culprit), .timedOut)
      }
      throw EngineError("stop thread", process, error)
    }
    if let known { forget(known) }
    held.threads = try list(held)
    for thread in held.threads { thread.sleep = sleeps[thread.id.rawValue] }
    guard !held.threads.isEmpty else { throw EngineError("stop process", process, .noProcess) }
    adopt(held)
    if !held.isNew { try refuseSeccomp(held) }
  }

  private func sleepingCalls(of process: ProcessID) -> [Int32: SleepingCall] {
    var found: [Int32: SleepingCall] = [:]
    guard let files = try? ProcessFiles(process), let tasks = try? files.numbers(in: "task") else {
      return [:]
    }
    for task in tasks {
      if let text = try? files.read("task/\(task)/syscall") { found[task] = SleepingCall(text) }
    }
    return found
  }

  /// The threads as the module has them; what is known of those that stood before is kept.
  func list(_ held: HeldProcess) throws(EngineError) -> [HeldThread] {
    var known: [Int32: HeldThread] = [:]
    for thread in held.threads where !thread.isRunning { known[thread.id.rawValue] = thread }
    var capacity = held.threads.count + 64
    while true {
      var ids = [Int32](repeating: 0, count: capacity)
      var request = cr_threads()
      request.pid = held.id.rawValue
      request.capacity = UInt32(capacity)
      var failure: EngineError?
      ids.withUnsafeMutableBytes { buffer in
        request.ids = reference(buffer.baseAddress)
        do throws(EngineError) {
          try ask("list threads", held.id, cr_threads_request(), &request)
        } catch { failure = error }
      }
      if let failure { throw failure }
      held.stopSignal = request.stop_signal
      if request.count <= capacity {
        return sorted(ids.prefix(Int(request.count))).map {
          known[$0] ?? HeldThread(ThreadID($0), of: held.id)
        }
      }
      capacity = Int(request.count) + 16
    }
  }

  /// The leader is the first as it comes.
  private func sorted(_ ids: ArraySlice<Int32>) -> [Int32] {
    guard let first = ids.first else { return [] }
    return [first] + ids.dropFirst().sorted()
  }

  public func threads(of process: ProcessID) -> [ThreadID] {
    processes[process.rawValue]?.threads.map { $0.id } ?? []
  }

  // MARK: Letting go

  public mutating func release(_ process: ProcessID, stopped: Bool) throws(EngineError) {
    let held = try held(process)
    if stopped {
      _ = cr_syscall(Int(SYS_kill), Int(process.rawValue), Int(SIGSTOP), 0, 0, 0, 0)
    }
    forget(held)
    try letGo([process])
  }

  public mutating func release(_ processes: [ProcessID]) {
    for process in processes {
      guard let held = self.processes[process.rawValue] else { continue }
      forget(held)
    }
    try? letGo(processes)
  }

  private func letGo(_ processes: [ProcessID]) throws(EngineError) {
    let ids = processes.map { $0.rawValue }
    guard let first = processes.first else { return }
    var failure: EngineError?
    ids.withUnsafeBytes { buffer in
      var request = cr_release()
      request.pids = reference(buffer.baseAddress)
      request.count = UInt32(ids.count)
      do throws(EngineError) {
        try ask("let processes go", first, cr_release_request(), &request)
      } catch { failure = error }
    }
    if let failure { throw failure }
  }

  public mutating func kill(_ process: ProcessID) {
    guard let held = processes[process.rawValue] else { return }
    forget(held)
    _ = cr_syscall(Int(SYS_kill), Int(held.id.rawValue), Int(SIGKILL), 0, 0, 0, 0)
    if held.isOurChild {
      while let state = try? TaskState.wait(for: held.id.leader) {
        if case .ended = state { break }
      }
    } else {
      awaitEnd(of: held)
    }
  }

  /// A dying process is dead a moment later.
  func awaitEnd(of held: HeldProcess) {
    var patience = Patience()
    while !patience.isExhausted {
      guard let stat = try? ProcessFiles(held.id).read("stat"), TaskLife(stat: stat) == .alive
      else { return }
      patience.wait()
    }
  }
}
