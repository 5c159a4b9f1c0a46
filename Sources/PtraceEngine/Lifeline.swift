// SPDX-License-Identifier: Apache-2.0
import Architecture
import CLinux
import Engine
import Linux
import Snapshot

/// Taking a thread over so that calls can be made in it, and giving it back.
///
/// While a thread makes calls for us its stack pointer points at a *lifeline*: a return address
/// that leads into the C library's own rt_sigreturn code, and behind it a signal frame with the
/// thread's whole state. If we are killed, the kernel lets the thread go, its call returns, and
/// the program goes on from where it stood, an interrupted call made again.
extension PtraceEngine {
  /// Room below a lifeline for the frame of a signal that comes before signals are blocked.
  private static var handlerRoom: UInt64 { 8 << 10 }
  private static var lifelineSlot: UInt64 { handlerRoom + 16 << 10 }
  static var scratchSpan: UInt64 { wholePages(Scratch.openSize + lifelineSlot) }

  /// What the kernel makes of it: pages may have 64 KiB.
  private static func wholePages(_ count: UInt64) -> UInt64 {
    (count + pageSize - 1) / pageSize * pageSize
  }

  /// Makes `thread` ready for calls.
  static func prepare(_ thread: HeldThread, of held: HeldProcess) throws(EngineError) {
    if thread.calling != nil { return }
    if held.isBlank { throw EngineError("call in process", held.id, .notSupported) }
    let first = try first(thread, of: held)
    if held.landmarks == nil {
      held.landmarks = try attempt("find a system call instruction", held.id) {
        () throws(Errno) in
        try Landmarks.find(in: held.reachable, like: first, expecting: held.expectedLandmarks)
      }
    }
    try suspendSeccomp(of: thread, in: held)
    if held.isNew {
      try take(thread, of: held, stack: nil)
    } else if held.scratch == nil {
      guard let caller = held.caller else {
        throw EngineError("call in process", held.id, .noProcess)
      }
      try takeFirst(caller, of: held)
      if caller !== thread { try prepare(thread, of: held) }
    } else {
      let slot = try lifelineSlot(for: thread, of: held)
      try take(thread, of: held, stack: slot)
    }
  }

  /// The first thread, which makes the scratch memory that its own lifeline will stand in.
  private static func takeFirst(
    _ thread: HeldThread, of held: HeldProcess
  ) throws(EngineError) {
    let borrowed = try borrowStack(for: thread, of: held)
    // A filter may forbid the call that would unbind it.
    if borrowed != nil, !held.isConfined { thread.pin = Pin(thread.id) }
    try take(
      thread, of: held, stack: borrowed?.address, pinAt: borrowed.map { $0.end - Pin.span })
    if thread.pin != nil { pin(thread) }
    let scratch = try makeScratch(by: thread, of: held, at: 0)
    held.scratch = scratch
    if let lifeline = scratch.lifeline, held.landmarks?.signalReturn != nil {
      try moveLifeline(
        of: thread, in: held, to: top(of: lifeline), pinAt: chainRoom(below: top(of: lifeline)).end)
    }
    try borrowed?.giveBack(held)
  }

  private static var privateMemory: UInt64 {
    UInt64(MAP_PRIVATE) | UInt64(MAP_ANONYMOUS) | UInt64(MAP_NORESERVE)
  }

  /// mmap of the scratch memory; at a fixed free place, or anywhere if `address` is 0.
  static func makeScratch(
    by thread: HeldThread, of held: HeldProcess, at address: UInt64
  ) throws(EngineError) -> Scratch {
    let count = scratchSpan
    // PROT_READ | PROT_WRITE.
    let flags = privateMemory | (address == 0 ? 0 : UInt64(MAP_FIXED_NOREPLACE))
    let start = try done(
      "make scratch memory", .mmap, [address, count, 3, flags, ~0, 0], in: thread, of: held)
    let open = MemoryRange(start: start, count: Scratch.openSize)
    let range = MemoryRange(start: start, count: count)
    guard held.isNew else {
      return Scratch(
        range: range, open: open, lifeline: MemoryRange(start: open.end, count: lifelineSlot))
    }
    // Its own mappings are about to be replaced, the vdso too: calls come from here instead.
    let instruction = thread.calling?.systemCallInstruction ?? []
    let waking = thread.calling?.wakingInstruction ?? []
    try attempt("write a system call instruction", held.id) { () throws(Errno) in
      try write(instruction + waking, to: open.end, of: held)
    }
    try done("make scratch memory", .mprotect, [open.end, pageSize, 5], in: thread, of: held)
    held.landmarks?.systemCall = open.end
    if !waking.isEmpty {
      try step(thread, of: held, at: open.end + UInt64(instruction.count))
    }
    return Scratch(range: range, open: open, lifeline: nil)
  }

  /// Back to an instruction of the program's own, so that ours can be removed.
  static func leaveOwnCode(by thread: HeldThread, of held: HeldProcess) throws(EngineError) {
    guard let scratch = held.scratch, let registers = thread.calling else { return }
    held.landmarks = try attempt("find a system call instruction", held.id) {
      () throws(Errno) in
      try Landmarks.find(in: held.reachable, like: registers, outside: scratch.range)
    }
  }

  /// The registers become ours, then signals are blocked: in this order, so that there is always
  /// a way back.
  static func take(
    _ thread: HeldThread, of held: HeldProcess, stack: UInt64?, pinAt place: UInt64? = nil
  ) throws(EngineError) {
    let mask = try signalMask(thread)
    if let stack {
      try moveLifeline(of: thread, in: held, to: stack, pinAt: place)
    } else {
      thread.calling = try first(thread, of: held)
    }
    thread.mask = mask
    try attempt("block signals", held.id) { () throws(Errno) in
      try Tracing.setSignalMask(quiet, of: thread.id)
    }
  }

  /// Writes the lifeline and makes the thread hang on it, about to make a call without effect.
  ///
  /// - Parameter place: `Pin.span` bytes for a call that unbinds a bound thread first.
  static func moveLifeline(
    of thread: HeldThread, in held: HeldProcess, to stack: UInt64, pinAt place: UInt64? = nil
  ) throws(EngineError) {
    let state = try first(thread, of: held)
    let goal = try final(thread, of: held, forSignalReturn: true)
    let mask = try signalMask(thread)
    guard let landmarks = held.landmarks, let signalReturn = landmarks.signalReturn,
      let bytes = goal.lifeline(
        at: stack, signalReturn: signalReturn, mask: mask,
        extendedState: extendedState(of: thread))
    else {
      thread.calling = state
      return
    }
    try attempt("write a way back", held.id) { () throws(Errno) in
      try write(bytes, to: stack, of: held)
    }
    var calling = state
    calling.hang(on: stack, signalReturn: signalReturn)
    if let place, let pin = thread.pin,
      let bytes = pin.frame(at: place, calling, landmarks, signalReturn: signalReturn)
    {
      try attempt("write a way back", held.id) { () throws(Errno) in
        try write(bytes, to: place, of: held)
      }
      calling.stackPointer = place
    } else {
      unpin(thread)
    }
    thread.calling = calling
    thread.lifeline = stack
    thread.wayBack = calling.stackPointer
    calling.prepare(
      SystemCall(number: calling.number(of: .getpid) ?? 0, arguments: []),
      at: landmarks.systemCall)
    try attempt("take thread over", held.id) { () throws(Errno) in
      try Tracing.setRegisterSet(1, to: calling.generalRegisters, of: thread.id)
    }
  }

  /// The state in which the thread is to go on.
  static func final(
    _ thread: HeldThread, of held: HeldProcess, forSignalReturn: Bool = false
  ) throws(EngineError) -> Registers {
    if let wanted = thread.wanted { return wanted }
    var registers = try first(thread, of: held)
    // The kernel sees to an interrupted call itself when the thread goes on: only it knows then
    // whether a handler comes first. rt_sigreturn(2) makes it forget that there was a call, so by
    // that way the call starts anew.
    if forSignalReturn, registers.interruptedCall != nil { registers.repeatInterruptedCall() }
    return registers
  }

  /// Gives a thread its own mask and registers back.
  static func giveBack(_ thread: HeldThread, of held: HeldProcess) throws(EngineError) {
    if thread.calling == nil && thread.wanted == nil && thread.mask == nil { return }
    unpin(thread)
    var goal: Registers?
    if thread.calling != nil || thread.wanted != nil {
      let registers = try final(thread, of: held)
      goal = registers
      // While signals are blocked: one that came before its end would be lost.
      if let calling = thread.calling, let farewell = registers.farewell(from: calling) {
        goal = try bid(farewell, to: thread, of: held)
      } else if let calling = thread.calling {
        if registers.mustBeOutside(ofCallFrom: calling) { try leaveCall(thread, of: held) }
        if let call = registers.callToMakeAgain {
          goal = try makeAgain(call, registers, in: thread, of: held)
        }
      }
    }
    try attempt("give thread back", held.id) { () throws(Errno) in
      // The mask first: until the registers are set the lifeline gives back both.
      if let mask = thread.mask { try Tracing.setSignalMask(mask, of: thread.id) }
      guard let goal else { return }
      try Tracing.setRegisterSet(1, to: goal.generalRegisters, of: thread.id)
      if let set = discarded(thread, goal) {
        try Tracing.setRegisterSet(set.noteType, to: set.bytes, of: thread.id)
      }
    }
    resumeSeccomp(of: thread, in: held)
    thread.calling = nil
    thread.mask = nil
    thread.lifeline = nil
    thread.wayBack = nil
  }

  /// What our calls have thrown away of the thread's state.
  private static func discarded(_ thread: HeldThread, _ registers: Registers) -> RegisterSet? {
    if let set = thread.discarded { return set }
    return thread.seen.extendedState?.first { $0.noteType == registers.setDiscardedByCalls }
  }

  /// Makes the last call; the registers that are to be set then.
  private static func bid(
    _ farewell: Farewell<Registers>, to thread: HeldThread, of held: HeldProcess
  ) throws(EngineError) -> Registers {
    thread.calling = farewell.before
    held.callsByStops = true
    _ = try perform(farewell.call, in: thread, of: held)
    try attempt("give thread back", held.id) { () throws(Errno) in
      try Tracing.setRegisterSet(
        farewell.set.noteType, to: farewell.set.bytes, of: thread.id)
    }
    return farewell.after
  }

  /// A way back that closes a descriptor first: if we die, the target must not be left with a file
  /// of ours, whose space on the disk would be taken for as long as it runs.
  static func closeOnTheWayBack(
    _ descriptor: UInt64, by thread: HeldThread, of held: HeldProcess
  ) throws(EngineError) {
    guard let lifeline = thread.lifeline, let wayBack = thread.wayBack,
      let slot = held.scratch?.lifeline, slot.contains(lifeline), let landmarks = held.landmarks,
      let signalReturn = landmarks.signalReturn, var registers = thread.calling,
      let number = registers.number(of: .close)
    else { return }
    let place = chainRoom(below: lifeline).start
    registers.prepare(
      SystemCall(number: number, arguments: [descriptor]), at: landmarks.systemCall)
    registers.stackPointer = wayBack
    guard
      let bytes = registers.lifeline(
        at: place, signalReturn: signalReturn, mask: quiet, extendedState: [])
    else { return }
    try attempt("write a way back", held.id) { () throws(Errno) in
      try write(bytes, to: place, of: held)
    }
    thread.calling?.stackPointer = place
  }

  /// Takes everything of ours out of a process and gives its threads back, still stopped.
  static func withdraw(from held: HeldProcess) throws(EngineError) {
    guard let scratch = held.scratch, !held.borrowsScratch,
      let caller = held.threads.first(where: { $0.calling != nil })
    else {
      for thread in held.threads { try giveBack(thread, of: held) }
      return
    }
    for thread in held.threads where thread !== caller { try giveBack(thread, of: held) }
    try closeRemoteFile(of: held)
    if let lifelines = held.lifelines {
      try done(
        "remove scratch memory", .munmap, [lifelines.start, lifelines.count], in: caller, of: held)
      held.lifelines = nil
    }
    // The last call cannot have its lifeline in the memory that it removes.
    let borrowed = held.isNew ? nil : try borrowStack(for: caller, of: held)
    if let borrowed {
      try moveLifeline(
        of: caller, in: held, to: borrowed.address, pinAt: borrowed.end - Pin.span)
    } else {
      unpin(caller)
    }
    if held.isNew { try leaveOwnCode(by: caller, of: held) }
    try done(
      "remove scratch memory", .munmap, [scratch.range.start, scratch.range.count], in: caller,
      of: held)
    held.scratch = nil
    try giveBack(caller, of: held)
    try borrowed?.giveBack(held)
  }

  /// A lifeline's place for a thread other than the first.
  private static func lifelineSlot(
    for thread: HeldThread, of held: HeldProcess
  ) throws(EngineError) -> UInt64? {
    guard held.landmarks?.signalReturn != nil, let caller = held.caller else { return nil }
    if held.lifelines == nil {
      let count = wholePages(UInt64(held.threads.count) * lifelineSlot)
      let start = try done(
        "make scratch memory", .mmap, [0, count, 3, privateMemory, ~0, 0], in: caller, of: held)
      held.lifelines = MemoryRange(start: start, count: count)
      held.lifelineSlotsUsed = 0
    }
    let start = held.lifelines!.start + UInt64(held.lifelineSlotsUsed) * lifelineSlot
    held.lifelineSlotsUsed += 1
    return top(of: MemoryRange(start: start, count: lifelineSlot))
  }

  /// Memory below a lifeline that nothing else uses, once signals are blocked.
  static func chainRoom(below lifeline: UInt64) -> MemoryRange {
    MemoryRange(start: lifeline - handlerRoom + 1024, count: 3072)
  }

  static func top(of slot: MemoryRange) -> UInt64 { slot.start + handlerRoom }

  static func signalMask(_ thread: HeldThread) throws(EngineError) -> UInt64 {
    if let mask = thread.mask ?? thread.seen.mask { return mask }
    return try attempt("read signal mask", thread.process) { () throws(Errno) in
      try Tracing.signalMask(of: thread.id)
    }
  }

  /// A call that must succeed.
  @discardableResult
  static func done(
    _ step: StaticString, _ name: SystemCallName, _ arguments: [UInt64], in thread: HeldThread,
    of held: HeldProcess
  ) throws(EngineError) -> UInt64 {
    try prepare(thread, of: held)
    guard let number = thread.calling?.number(of: name) else {
      throw EngineError(step, held.id, .notImplemented)
    }
    let call = SystemCall(number: number, arguments: arguments)
    switch try perform(call, in: thread, of: held) {
    case .success(let value): return value
    case .failure(let errno): throw EngineError(step, held.id, errno)
    }
  }
}

/// A piece of the main thread's stack that no frame uses, for the moments without scratch memory.
///
/// What stood there is put back. If we are killed in between, those bytes stay changed: that far
/// below the stack pointer nothing of a program's own is kept (System V ABI: only 128 bytes are).
struct BorrowedStack {
  var address: UInt64
  var bytes: [UInt8]
  var end: UInt64 { address + UInt64(bytes.count) }

  func giveBack(_ held: HeldProcess) throws(EngineError) {
    try attempt("give stack back", held.id) { () throws(Errno) in
      try PtraceEngine.write(bytes, to: address, of: held)
    }
  }
}

extension PtraceEngine {
  static func borrowStack(
    for thread: HeldThread, of held: HeldProcess
  ) throws(EngineError) -> BorrowedStack? {
    let frameSize: UInt64 = 16 << 10
    guard let landmarks = held.landmarks, landmarks.signalReturn != nil,
      let stack = landmarks.stack
    else { return nil }
    let pointer = try first(thread, of: held).stackPointer
    var address = stack.start + 4096
    if stack.contains(pointer) {
      guard pointer - stack.start > frameSize + 8192 else { return nil }
      // Just below: pages that have been used before, so that none is added.
      address = (pointer - 512 - frameSize) & ~63
    } else if stack.count < 64 << 10 {
      return nil
    }
    let count = Int(min(frameSize, stack.end - address))
    guard let bytes = try? read(MemoryRange(start: address, count: UInt64(count)), of: held) else {
      return nil
    }
    return BorrowedStack(address: address, bytes: bytes)
  }
}
