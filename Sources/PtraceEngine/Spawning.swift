// SPDX-License-Identifier: Apache-2.0
import Architecture
import CLinux
import Engine
import Linux

/// Making processes and threads that are held from their birth on.
///
/// The child executes the original program and is stopped before its first instruction: the
/// kernel has then made an address space of the right kind, with nothing of ours in it. Everything
/// made here is killed by the kernel if we die before `release`.
extension PtraceEngine {
  public mutating func spawn(_ request: SpawnRequest) throws(EngineError) -> ProcessID {
    let held: HeldProcess
    if let parent = request.parent {
      held = try spawnBelow(try self.held(parent), request)
    } else {
      held = try Self.spawnChild(request)
    }
    adopt(held)
    return held.id
  }

  // MARK: A child of ours

  private static func spawnChild(_ request: SpawnRequest) throws(EngineError) -> HeldProcess {
    let wanted = request.id ?? ProcessID(0)
    let options = HeldProcess(wanted, isNew: true).options
    var patience = Patience()
    while true {
      let result = request.executable.withCString { path in
        var order = cr_spawn_request()
        order.pid = wanted.rawValue
        order.exit_signal = request.exitSignal
        order.new_session = request.newSession ? 1 : 0
        order.personality = request.personality
        order.path = request.executable.isEmpty ? nil : path
        order.options = options
        order.control = -1
        return cr_spawn(&order)
      }
      if result > 0 {
        return try settleChild(ProcessID(Int32(result)), isBlank: request.executable.isEmpty)
      }
      let errno = Errno(rawValue: Int32(-result))
      guard errno == .exists, mayBecomeFree(wanted), !patience.isExhausted else {
        throw EngineError("make process", wanted, errno)
      }
      patience.wait()
    }
  }

  /// A dead process keeps its pid until its parent waits for it; a living one keeps it for good.
  private static func mayBecomeFree(_ process: ProcessID) -> Bool {
    guard let stat = try? ProcessFiles(process).read("stat") else { return true }
    return TaskLife(stat: stat) == .dead
  }

  private static func settleChild(
    _ process: ProcessID, isBlank: Bool
  ) throws(EngineError) -> HeldProcess {
    let held = HeldProcess(process, isNew: true)
    held.isOurChild = true
    held.isBlank = isBlank
    let thread = HeldThread(process.leader, of: process)
    held.threads = [thread]
    try attempt("start process", process) { () throws(Errno) in
      if isBlank {
        try Tracing.interrupt(thread.id)
        guard case .interrupted = try TaskState.wait(for: thread.id) else { throw .noProcess }
      } else if !Registers.canStep {
        // ARM's kernel forgets the stop behind a call that began before it was to stop.
        try Tracing.interrupt(thread.id)
        try Tracing.resume(thread.id, .run)
        guard case .interrupted = try TaskState.wait(for: thread.id) else { throw .noProcess }
      } else {
        // From the exec's own stop to the end of the call, so that the next step is a call's.
        try Tracing.resume(thread.id, .toSystemCall)
        guard case .systemCall = try TaskState.wait(for: thread.id) else { throw .noProcess }
      }
    }
    return held
  }

  // MARK: A child of a held process

  private mutating func spawnBelow(
    _ parent: HeldProcess, _ request: SpawnRequest
  ) throws(EngineError) -> HeldProcess {
    let scratch = try scratch(in: parent.id)
    guard let caller = parent.caller, parent.isNew, let calling = caller.calling else {
      throw EngineError("make process below", parent.id, .invalid)
    }
    let id = try Self.clone(
      flags: 0x2000 | request.sharing.rawValue,  // CLONE_PTRACE: born in our hands
      exitSignal: request.exitSignal, id: request.id?.rawValue, by: caller, of: parent,
      scratch: scratch)
    let held = HeldProcess(ProcessID(id), isNew: true)
    let thread = HeldThread(ThreadID(id), of: held.id)
    held.threads = [thread]
    do throws(EngineError) {
      try Self.settleNewborn(thread)
      // A copy of its parent for the moment, our scratch memory included.
      thread.calling = calling
      thread.mask = 0
      thread.isUnjudged = caller.isUnjudged
      held.landmarks = parent.landmarks
      held.scratch = parent.scratch
      // CLONE_VM: the one scratch memory serves both, and goes with its owner.
      held.borrowsScratch = request.sharing.contains(.memory)
      try Self.become(request, thread, of: held, scratch: scratch)
    } catch {
      Self.end(held)
      throw error
    }
    return held
  }

  private static func settleNewborn(_ thread: HeldThread) throws(EngineError) {
    try attempt("start thread", thread.process) { () throws(Errno) in
      guard case .interrupted = try TaskState.wait(for: thread.id) else { throw .noProcess }
    }
  }

  private static func become(
    _ request: SpawnRequest, _ thread: HeldThread, of held: HeldProcess, scratch: MemoryRange
  ) throws(EngineError) {
    if request.newSession { try done("start session", .setsid, [], in: thread, of: held) }
    // An exec would part what is shared.
    if request.executable.isEmpty || !request.sharing.isDisjoint(with: [.memory, .descriptors]) {
      return
    }
    try done(
      "set personality", .personality, [UInt64(request.personality)], in: thread, of: held)
    // argv of one empty string, an empty environment, and the path.
    let word = UInt64(thread.calling?.machine.wordSize.bytes ?? 8)
    let path = scratch.start + 8 * word
    var bytes = [UInt8](repeating: 0, count: Int(8 * word))
    let empty = path + UInt64(request.executable.count)
    for index in 0 ..< 8 { bytes[index] = UInt8(truncatingIfNeeded: empty >> UInt64(8 * index)) }
    bytes += request.executable.bytes + [0]
    try attempt("write arguments", held.id) { () throws(Errno) in
      try write(bytes, to: scratch.start, of: held)
    }
    try done(
      "execute", .execve, [path, scratch.start, scratch.start + 4 * word], in: thread, of: held)
    // A new program: nothing that we knew of the old one holds.
    held.scratch = nil
    held.landmarks = nil
    thread.calling = nil
    thread.mask = nil
    try attempt("set signal mask", held.id) { () throws(Errno) in
      try Tracing.setSignalMask(0, of: thread.id)
    }
  }

  // MARK: Threads

  public mutating func spawnThreads(
    _ ids: [ThreadID?], in process: ProcessID
  ) throws(EngineError) -> [ThreadID] {
    let scratch = try scratch(in: process)
    let held = try held(process)
    guard let caller = held.caller, held.isNew, let calling = caller.calling else {
      throw EngineError("make threads", process, .invalid)
    }
    // CLONE_VM, FS, FILES, SIGHAND, PTRACE, THREAD, SYSVSEM.
    let flags: UInt64 = 0x100 | 0x200 | 0x400 | 0x800 | 0x2000 | 0x1_0000 | 0x4_0000
    var made: [HeldThread] = []
    for id in ids {
      let number = try Self.clone(
        flags: flags, exitSignal: 0, id: id?.rawValue, by: caller, of: held, scratch: scratch)
      let thread = HeldThread(ThreadID(number), of: process)
      thread.calling = calling
      thread.mask = 0
      thread.isUnjudged = caller.isUnjudged
      held.threads.append(thread)
      tasks[number] = thread
      made.append(thread)
    }
    for thread in made { try Self.settleNewborn(thread) }
    return made.map { $0.id }
  }

  /// clone3(2) in a held thread; the new task's id.
  private static func clone(
    flags: UInt64, exitSignal: Int32, id: Int32?, by thread: HeldThread, of held: HeldProcess,
    scratch: MemoryRange
  ) throws(EngineError) -> Int32 {
    // struct clone_args: flags, pidfd, child_tid, parent_tid, exit_signal, stack, stack_size, tls,
    // set_tid, set_tid_size; then the id itself.
    var words = [UInt64](repeating: 0, count: 11)
    words[0] = flags
    words[4] = UInt64(UInt32(bitPattern: exitSignal))
    if let id {
      words[8] = scratch.start + 80
      words[9] = 1
      words[10] = UInt64(UInt32(bitPattern: id))
    }
    let bytes = words.withUnsafeBytes { Array($0) }
    try attempt("write arguments", held.id) { () throws(Errno) in
      try write(bytes, to: scratch.start, of: held)
    }
    // A task that is gone for everybody may keep its id for a moment (release_task frees it last).
    var patience = Patience()
    while true {
      do throws(EngineError) {
        return Int32(
          truncatingIfNeeded: try done(
            "make process or thread", .clone3, [scratch.start, 80], in: thread, of: held))
      } catch {
        guard error.errno == .exists, let id, mayBecomeFree(ProcessID(id)), !patience.isExhausted
        else { throw error }
        patience.wait()
      }
    }
  }

  // MARK: The end

  public mutating func kill(_ process: ProcessID) {
    guard let held = processes[process.rawValue] else { return }
    forget(held)
    Self.end(held)
  }

  /// exit(2) of a main thread whose process goes on.
  ///
  /// It is let go before: a dead leader that others outlive cannot be given back by its tracer, and as
  /// long as it has one, its parent is not told when the last of them ends.
  static func endLeader(
    _ thread: HeldThread, of held: HeldProcess, _ arguments: [UInt64]
  ) throws(EngineError) {
    try prepare(thread, of: held)
    guard var registers = thread.calling, let landmarks = held.landmarks,
      let number = registers.number(of: .exit)
    else { throw EngineError("end main thread", held.id, .invalid) }
    registers.prepare(
      SystemCall(number: number, arguments: arguments), at: landmarks.systemCall)
    try attempt("end main thread", held.id) { () throws(Errno) in
      try Tracing.setRegisterSet(1, to: registers.generalRegisters, of: thread.id)
      try Tracing.setOptions(0, of: thread.id)
      try Tracing.detach(thread.id)
    }
    held.threads.removeAll { $0 === thread }
    var patience = Patience()
    while let stat = try? ProcessFiles(held.id).read("stat"), TaskLife(stat: stat) == .alive {
      guard !patience.isExhausted else { throw EngineError("end main thread", held.id, .timedOut) }
      patience.wait()
    }
  }

  /// SIGKILL; what the kernel keeps for a tracer is fetched, so that real parents see the end.
  static func end(_ held: HeldProcess) {
    _ = cr_syscall(Int(SYS_kill), Int(held.id.rawValue), Int(SIGKILL), 0, 0, 0, 0)
    awaitEnd(of: held.threads.reversed())
    // A main thread that had ended before is no tracee, and still our child.
    if held.isOurChild, !held.threads.contains(where: { $0.id == held.id.leader }) {
      awaitEnd(of: [HeldThread(held.id.leader, of: held.id)])
    }
  }

  static func awaitEnd(of threads: [HeldThread]) {
    for thread in threads {
      while let state = try? TaskState.wait(for: thread.id) {
        if case .ended = state { break }
      }
    }
  }
}
