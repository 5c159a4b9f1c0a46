// SPDX-License-Identifier: Apache-2.0
import Architecture
import CLinux
import Engine
import Linux
import Snapshot

/// Reaching into processes from user space: ptrace(2), /proc, and system calls that the target
/// makes itself at a system-call instruction of its own. No module, and no code of ours in it.
///
/// One thread of ours must do everything, since the kernel knows tracers by thread.
public struct PtraceEngine: Engine, ~Copyable {
  var processes: [Int32: HeldProcess] = [:]
  var tasks: [Int32: HeldThread] = [:]

  public init() {}

  deinit {
    // The kernel does the same when we exit; this is for users that live on.
    for held in processes.values {
      if held.isNew {
        Self.end(held)
      } else {
        try? Self.withdraw(from: held)
        Self.letGo(held)
      }
    }
  }

  static var pageSize: UInt64 { UInt64(sysconf(Int32(_SC_PAGESIZE))) }

  func held(_ process: ProcessID) throws(EngineError) -> HeldProcess {
    guard let held = processes[process.rawValue] else {
      throw EngineError("use process", process, .noProcess)
    }
    return held
  }

  func heldThread(_ thread: ThreadID) throws(EngineError) -> HeldThread {
    guard let held = tasks[thread.rawValue] else {
      throw EngineError("use thread", ProcessID(thread.rawValue), .noProcess)
    }
    return held
  }

  mutating func adopt(_ held: HeldProcess) {
    processes[held.id.rawValue] = held
    for thread in held.threads { tasks[thread.id.rawValue] = thread }
  }

  mutating func forget(_ held: HeldProcess) {
    processes[held.id.rawValue] = nil
    for thread in held.threads { tasks[thread.id.rawValue] = nil }
  }
}

// MARK: Holding

extension PtraceEngine {
  public mutating func hold(
    _ process: ProcessID, until deadline: Deadline
  ) throws(EngineError) {
    if let held = processes[process.rawValue] {
      guard held.threads.contains(where: { $0.isRunning }) else { return }
      forget(held)
      var holding = try Holding(again: held, until: deadline)
      adopt(try holding.stopAll())
      return
    }
    // A search of some 0.2 ms, which the process need not stand still for.
    let landmarks = Landmarks.expected(in: process)
    var holding = try Holding(process, until: deadline)
    let held = try holding.stopAll()
    held.expectedLandmarks = landmarks
    adopt(held)
  }

  public func threads(of process: ProcessID) -> [ThreadID] {
    processes[process.rawValue]?.threads.map { $0.id } ?? []
  }

  public func stopSignal(of process: ProcessID) -> Int32 {
    processes[process.rawValue]?.stopSignal ?? 0
  }

  public mutating func release(_ process: ProcessID, stopped: Bool) throws(EngineError) {
    let held = try held(process)
    forget(held)
    var failure: EngineError?
    do { try Self.withdraw(from: held) } catch { failure = error }
    if stopped { held.postponedStop = SIGSTOP }
    Self.letGo(held)
    if let failure { throw failure }
  }

  /// Detaches from every thread. One that is in a job-control stop is stopped again by the kernel.
  static func letGo(_ held: HeldProcess) {
    if held.isNew {
      // Only now may it outlive us.
      for thread in held.threads { try? Tracing.setOptions(0, of: thread.id) }
    }
    if held.postponedStop != 0 {
      _ = cr_syscall(
        Int(SYS_kill), Int(held.id.rawValue), Int(held.postponedStop), 0, 0, 0, 0)
    }
    for thread in held.threads {
      unpin(thread)
      try? Tracing.detach(thread.id)
    }
  }
}

// MARK: Looking and acting inside

extension PtraceEngine {
  public func registers(of thread: ThreadID) throws(EngineError) -> Registers {
    let thread = try heldThread(thread)
    if let wanted = thread.wanted { return wanted }
    return try Self.first(thread, of: try held(thread.process))
  }

  public mutating func setRegisters(
    _ registers: Registers, of thread: ThreadID
  ) throws(EngineError) {
    try heldThread(thread).wanted = registers
  }

  public func signalMask(of thread: ThreadID) throws(EngineError) -> UInt64 {
    try Self.signalMask(try heldThread(thread))
  }

  public mutating func setSignalMask(_ mask: UInt64, of thread: ThreadID) throws(EngineError) {
    let thread = try heldThread(thread)
    thread.seen.mask = nil
    if thread.calling != nil {
      thread.mask = mask
      return
    }
    try attempt("set signal mask", thread.process) { () throws(Errno) in
      try Tracing.setSignalMask(mask, of: thread.id)
    }
  }

  public func pendingSignals(
    of thread: ThreadID, shared: Bool
  ) throws(EngineError) -> [[UInt8]] {
    let registers = try registers(of: thread)
    return try attempt("read pending signals", try heldThread(thread).process) {
      () throws(Errno) in
      try Tracing.pendingSignals(of: thread, shared: shared).map {
        registers.signalInformation(traced: $0)
      }
    }
  }

  public func restartableSequence(
    of thread: ThreadID
  ) throws(EngineError) -> RestartableSequence {
    let held = try heldThread(thread)
    guard let rseq = Self.restartableSequence(of: held) else {
      return RestartableSequence(area: 0, length: 0, signature: 0)
    }
    return RestartableSequence(area: rseq.area, length: rseq.length, signature: rseq.signature)
  }

  public mutating func call(
    _ name: SystemCallName, _ arguments: [UInt64], in thread: ThreadID
  ) throws(EngineError) -> Result<UInt64, Errno> {
    let thread = try heldThread(thread)
    let held = try held(thread.process)
    switch name {
    case .exitGroup:
      // The one call that does not return. The kernel's notice for us as a tracer is fetched, so
      // that the real parent sees the end.
      do throws(EngineError) { return try Self.call(name, arguments, in: thread, of: held) } catch {
        guard error.errno == .noProcess else { throw error }
        forget(held)
        Self.awaitEnd(of: held.threads.filter { $0 !== thread })
        return .success(0)
      }
    case .exit where thread.id == held.id.leader && held.isNew && held.threads.count > 1:
      try Self.endLeader(thread, of: held, arguments)
      tasks[thread.id.rawValue] = nil
      return .success(0)
    default:
      return try Self.call(name, arguments, in: thread, of: held)
    }
  }

  public mutating func scratch(in process: ProcessID) throws(EngineError) -> MemoryRange {
    let held = try held(process)
    guard let caller = held.caller else {
      throw EngineError("make scratch memory", process, .noProcess)
    }
    try Self.prepare(caller, of: held)
    if held.scratch == nil { held.scratch = try Self.makeScratch(by: caller, of: held, at: 0) }
    return held.scratch!.open
  }

  public var scratchSpan: UInt64 { Self.scratchSpan }

  public mutating func placeScratch(
    in process: ProcessID, at address: UInt64
  ) throws(EngineError) -> MemoryRange {
    let held = try held(process)
    guard let caller = held.caller else {
      throw EngineError("make scratch memory", process, .noProcess)
    }
    try Self.prepare(caller, of: held)
    let old = held.scratch
    let scratch = try Self.makeScratch(by: caller, of: held, at: address)
    if let lifeline = scratch.lifeline {
      try Self.moveLifeline(of: caller, in: held, to: Self.top(of: lifeline))
    }
    held.scratch = scratch
    if let old {
      try Self.done(
        "remove scratch memory", .munmap, [old.range.start, old.range.count], in: caller, of: held)
    }
    return scratch.open
  }

  public func read(_ range: MemoryRange, of process: ProcessID) throws(EngineError) -> [UInt8] {
    let held = try held(process)
    return try attempt("read memory", process) { () throws(Errno) in
      try Self.read(range, of: held)
    }
  }

  public mutating func write(
    _ bytes: [UInt8], to address: UInt64, of process: ProcessID
  ) throws(EngineError) {
    let held = try held(process)
    try attempt("write memory", process) { () throws(Errno) in
      try Self.write(bytes, to: address, of: held)
    }
  }
}
