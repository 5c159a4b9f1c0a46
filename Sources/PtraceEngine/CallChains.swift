// SPDX-License-Identifier: Apache-2.0
import Architecture
import CLinux
import Engine
import Linux
import Snapshot

/// Several calls in each of many threads at the price of one stop per thread, where `callEach` has
/// two stops per call.
///
/// Below a thread's lifeline stands a chain of signal frames. Each holds the registers of one call
/// and leads to the next by the C library's own rt_sigreturn code, as the lifeline does, whose
/// floating-point state it also has, so that the thread keeps its own all the while. The last
/// call sends the thread a signal that the program neither handles nor blocks and that is ignored by
/// default: for a traced thread that is a stop. If we are killed it is nothing at all, and the
/// thread goes on through the rest of the chain and its lifeline to where the program stood.
extension PtraceEngine {
  public mutating func callSequences(_ sequences: [CallSequence]) throws(EngineError) {
    var chained: [Link] = []
    var others: [CallSequence] = []
    for sequence in sequences {
      let thread = try heldThread(sequence.thread)
      let held = try held(thread.process)
      try Self.prepare(thread, of: held)
      if let signal = try Self.stopper(of: held),
        let chain = Chain(sequence, thread, held, endingWith: signal)
      {
        chained.append(Link(thread: thread, held: held, chain: chain))
      } else {
        others.append(sequence)
      }
    }
    try Self.run(chained)
    for step in 0 ..< (others.map { $0.calls.count }.max() ?? 0) {
      _ = try callEach(
        others.filter { step < $0.calls.count }.map {
          ThreadCall(
            thread: $0.thread, name: $0.calls[step].name, arguments: $0.calls[step].arguments)
        })
    }
  }

  private struct Link {
    let thread: HeldThread
    let held: HeldProcess
    let chain: Chain
  }

  /// A failure in the middle leaves some threads running; they are brought to a stand first.
  private static func run(_ links: [Link]) throws(EngineError) {
    var failure: EngineError?
    var running: [Link] = []
    for link in links {
      do throws(EngineError) {
        try link.chain.start(link.thread, of: link.held)
        running.append(link)
      } catch { failure = failure ?? error }
    }
    for link in running {
      do throws(EngineError) { try link.chain.finish(link.thread, of: link.held) } catch {
        failure = failure ?? error
      }
    }
    if let failure { throw failure }
  }

  /// The signal that may end a process's chains; nil where it has a use for each of them.
  private static func stopper(of held: HeldProcess) throws(EngineError) -> Int32? {
    // On the way back, should we die, the chain's calls would be judged by a filter.
    guard !held.isNew, !held.isConfined, held.threads.count > 1, held.landmarks?.signalReturn != nil else {
      return nil
    }
    if let known = held.stopper { return known == 0 ? nil : known }
    let text = try attempt("read signal actions", held.id) { () throws(Errno) in
      try ProcessFiles(held.id).read("status")
    }
    let status = ProcessStatus(text)
    // Returning to places that nobody was called from is what a shadow stack exists to prevent. And
    // by another id than its own a thread would not find itself, and run on.
    if status.hasShadowStack || status.hasOtherID {
      held.stopper = 0
      return nil
    }
    var used = status.caughtSignals | status.sharedPendingSignals
    for thread in held.threads { used |= try signalMask(thread) }
    let free = [SIGURG, SIGWINCH, SIGCHLD].first { used & 1 << UInt64($0 - 1) == 0 }
    held.stopper = free ?? 0
    return free
  }
}

/// The calls of one thread, as they are written into its memory.
private struct Chain {
  private let first: Registers
  private let place: UInt64
  private let bytes: [UInt8]
  private let signal: Int32

  /// nil where the calls do not exist, or where there is no room for them.
  init?(
    _ sequence: CallSequence, _ thread: HeldThread, _ held: HeldProcess, endingWith signal: Int32
  ) {
    // rt_sigreturn(2) makes the kernel forget how to go on with an interrupted sleep.
    if case .withRestartBlock? = thread.first?.interruptedCall { return nil }
    // While a file of ours is open in it, its way back stands where the chain would.
    // The links have their extended state from the lifeline.
    guard !sequence.calls.isEmpty, thread.seen.extendedState?.isEmpty == false,
      let calling = thread.calling,
      let lifeline = thread.lifeline,
      let wayBack = thread.wayBack, calling.stackPointer == wayBack,
      let landmarks = held.landmarks, let signalReturn = landmarks.signalReturn,
      let tgkill = calling.number(of: .tgkill)
    else { return nil }
    var calls: [SystemCall] = []
    for call in sequence.calls {
      guard let number = calling.number(of: call.name) else { return nil }
      calls.append(SystemCall(number: number, arguments: call.arguments))
    }
    let leader = UInt64(held.id.rawValue)
    let arguments = [leader, UInt64(thread.id.rawValue), UInt64(signal)]
    calls.append(SystemCall(number: tgkill, arguments: arguments))

    let room = PtraceEngine.chainRoom(below: lifeline)
    place = room.start
    self.signal = signal
    var bytes: [UInt8] = []
    bytes.reserveCapacity(calls.count * Self.frameSize)
    for index in 1 ..< calls.count {
      var registers = calling
      registers.prepare(calls[index], at: landmarks.systemCall)
      let isLast = index == calls.count - 1
      registers.stackPointer = isLast ? wayBack : place + UInt64(index * Self.frameSize)
      let mask = PtraceEngine.quiet & (isLast ? ~(1 << UInt64(signal - 1)) : ~0)
      guard
        let frame = registers.link(
          at: place + UInt64(bytes.count), signalReturn: signalReturn, mask: mask,
          toLifeline: lifeline), frame.count <= Self.frameSize
      else { return nil }
      bytes += frame
      bytes += [UInt8](repeating: 0, count: Self.frameSize - frame.count)
    }
    guard bytes.count <= room.count else { return nil }
    self.bytes = bytes
    var registers = calling
    registers.prepare(calls[0], at: landmarks.systemCall)
    registers.stackPointer = place
    first = registers
  }

  /// Room for a frame without extended state; where that is not enough, calls are made singly.
  private static var frameSize: Int { 512 }

  func start(_ thread: HeldThread, of held: HeldProcess) throws(EngineError) {
    try attempt("call in thread", held.id) { () throws(Errno) in
      try PtraceEngine.write(bytes, to: place, of: held)
      try Tracing.setRegisterSet(1, to: first.generalRegisters, of: thread.id)
      try Tracing.resume(thread.id, .run)
    }
  }

  /// Waits for its signal. Nobody misses one that somebody else sends: the program does not.
  func finish(_ thread: HeldThread, of held: HeldProcess) throws(EngineError) {
    do throws(Errno) {
      while true {
        switch try held.nextStop(of: thread) {
        case .signal(signal): return
        case .signal(SIGSTOP): held.postponedStop = SIGSTOP
        case .signal(SIGTRAP): break
        // Nothing else can come but a fault, which would come again and again.
        case .signal: throw .fault
        case .ended: throw .noProcess
        case .event, .interrupted, .systemCall: break
        }
        try Tracing.resume(thread.id, .run)
      }
    } catch {
      throw EngineError("call in thread", held.id, error == .noChild ? .noProcess : error)
    }
  }
}
