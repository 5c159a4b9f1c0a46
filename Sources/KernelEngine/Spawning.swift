// SPDX-License-Identifier: Apache-2.0
import Architecture
import CLinux
import Engine
import Linux

/// Making processes and threads that are held from their birth on.
///
/// A child of ours tells the module of itself before it executes the original program, and stands
/// before its first instruction. What a held process makes by a call comes to the place where that
/// call ends, and stands there. All of them die with us.
extension KernelEngine {
  public mutating func spawn(_ request: SpawnRequest) throws(EngineError) -> ProcessID {
    let held: HeldProcess
    if let parent = request.parent {
      held = try spawnBelow(try self.held(parent), request)
    } else {
      held = try spawnChild(request)
    }
    adopt(held)
    return held.id
  }

  private func spawnChild(_ request: SpawnRequest) throws(EngineError) -> HeldProcess {
    let wanted = request.id ?? ProcessID(0)
    var patience = Patience()
    while true {
      let control = control.file.number
      let result = request.executable.withCString { path in
        var order = cr_spawn_request()
        order.pid = wanted.rawValue
        order.exit_signal = request.exitSignal
        order.new_session = request.newSession ? 1 : 0
        order.personality = request.personality
        order.path = request.executable.isEmpty ? nil : path
        order.control = control
        return cr_spawn(&order)
      }
      if result > 0 {
        let held = HeldProcess(ProcessID(Int32(result)), isNew: true)
        held.isOurChild = true
        held.isBlank = request.executable.isEmpty
        held.threads = [HeldThread(held.id.leader, of: held.id)]
        return held
      }
      let errno = Errno(rawValue: Int32(-result))
      guard errno == .exists, mayBecomeFree(wanted.rawValue), !patience.isExhausted else {
        throw EngineError("make process", wanted, errno)
      }
      patience.wait()
    }
  }

  /// A dead process keeps its pid until its parent waits for it; a living one keeps it for good.
  private func mayBecomeFree(_ id: Int32) -> Bool {
    guard let stat = try? ProcessFiles(ProcessID(id)).read("stat") else { return true }
    return TaskLife(stat: stat) == .dead
  }

  // MARK: Below a held process

  private mutating func spawnBelow(
    _ parent: HeldProcess, _ request: SpawnRequest
  ) throws(EngineError) -> HeldProcess {
    guard let caller = parent.threads.first, parent.isNew else {
      throw EngineError("make process below", parent.id, .invalid)
    }
    let id = try clone(
      flags: request.sharing.rawValue, exitSignal: request.exitSignal, id: request.id?.rawValue,
      by: caller, of: parent)
    let held = HeldProcess(ProcessID(id), isNew: true)
    let thread = HeldThread(ThreadID(id), of: held.id)
    held.threads = [thread]
    // A copy of its parent for the moment, the scratch memory included.
    held.scratch = parent.scratch
    adopt(held)
    do throws(EngineError) {
      try become(request, thread, of: held)
    } catch {
      kill(held.id)
      throw error
    }
    return held
  }

  private mutating func become(
    _ request: SpawnRequest, _ thread: HeldThread, of held: HeldProcess
  ) throws(EngineError) {
    if request.newSession { try done("start session", .setsid, [], in: thread) }
    // An exec would part what is shared.
    if request.executable.isEmpty || !request.sharing.isDisjoint(with: [.memory, .descriptors]) {
      return
    }
    try done("set personality", .personality, [UInt64(request.personality)], in: thread)
    // argv of one empty string, an empty environment, and the path.
    let scratch = try scratch(in: held.id)
    let word = UInt64(try standing(thread).machine.wordSize.bytes)
    let path = scratch.start + 8 * word
    var bytes = [UInt8](repeating: 0, count: Int(8 * word))
    let empty = path + UInt64(request.executable.count)
    for index in 0 ..< Int(word) { bytes[index] = UInt8(truncatingIfNeeded: empty >> UInt64(8 * index)) }
    bytes += request.executable.bytes + [0]
    try put(bytes, to: scratch.start, of: held)
    try done(
      "execute", .execve, [path, scratch.start, scratch.start + 4 * word], in: thread)
  }

  public mutating func spawnThreads(
    _ ids: [ThreadID?], in process: ProcessID
  ) throws(EngineError) -> [ThreadID] {
    let held = try held(process)
    guard let caller = held.threads.first, held.isNew else {
      throw EngineError("make threads", process, .invalid)
    }
    // CLONE_VM, FS, FILES, SIGHAND, THREAD, SYSVSEM.
    let flags: UInt64 = 0x100 | 0x200 | 0x400 | 0x800 | 0x1_0000 | 0x4_0000
    var made: [ThreadID] = []
    for id in ids {
      let number = try clone(
        flags: flags, exitSignal: 0, id: id?.rawValue, by: caller, of: held)
      let thread = HeldThread(ThreadID(number), of: process)
      held.threads.append(thread)
      tasks[number] = thread
      made.append(thread.id)
    }
    return made
  }

  // MARK: clone3(2) in a held thread

  private mutating func clone(
    flags: UInt64, exitSignal: Int32, id: Int32?, by thread: HeldThread, of held: HeldProcess
  ) throws(EngineError) -> Int32 {
    var patience = Patience()
    var isChosenByCall = id != nil
    while true {
      let result = try clone(
        flags, exitSignal, isChosenByCall ? id : nil, next: isChosenByCall ? nil : id, by: thread,
        of: held)
      switch result {
      case .success(let value):
        let number = Int32(truncatingIfNeeded: value)
        try awaitStanding(number, of: held)
        guard let id, id != number else { return number }
        // Somebody else was quicker, or has it.
        endUnwanted(number, isThread: flags & 0x1_0000 != 0)
        guard mayBecomeFree(id), !patience.isExhausted else {
          throw EngineError("make process or thread", held.id, .exists)
        }
      case .failure(.notPermitted) where isChosenByCall:
        // Without the privilege the module chooses.
        isChosenByCall = false
        continue
      case .failure(let errno):
        // A task that is gone for everybody may keep its id for a moment (release_task frees it last).
        guard errno == .exists, let id, mayBecomeFree(id), !patience.isExhausted else {
          throw EngineError("make process or thread", held.id, errno)
        }
      }
      patience.wait()
    }
  }

  private mutating func clone(
    _ flags: UInt64, _ exitSignal: Int32, _ id: Int32?, next: Int32?, by thread: HeldThread,
    of held: HeldProcess
  ) throws(EngineError) -> Result<UInt64, Errno> {
    let scratch = try scratch(in: held.id)
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
    try put(words.withUnsafeBytes { Array($0) }, to: scratch.start, of: held)
    return try call(.clone3, [scratch.start, 80], in: thread.id, nextID: next ?? 0)
  }

  private func awaitStanding(_ task: Int32, of held: HeldProcess) throws(EngineError) {
    var request = cr_await()
    request.tid = task
    try ask("start thread", held.id, cr_await_request(), &request)
  }

  /// A task that got another id than it should have.
  private mutating func endUnwanted(_ number: Int32, isThread: Bool) {
    let held = HeldProcess(ProcessID(number), isNew: true)
    if isThread {
      let owner = processes.values.first { process in
        (try? ProcessFiles(process.id).numbers(in: "task").contains(number)) == true
      }
      guard let process = owner else { return }
      let thread = HeldThread(ThreadID(number), of: process.id)
      tasks[number] = thread
      _ = try? call(.exit, [0], in: thread.id)
      tasks[number] = nil
    } else {
      held.threads = [HeldThread(ThreadID(number), of: held.id)]
      adopt(held)
      kill(held.id)
    }
  }

  /// A call that must succeed.
  private mutating func done(
    _ step: StaticString, _ name: SystemCallName, _ arguments: [UInt64], in thread: HeldThread
  ) throws(EngineError) {
    if case .failure(let errno) = try call(name, arguments, in: thread.id) {
      throw EngineError(step, thread.process, errno)
    }
  }
}
