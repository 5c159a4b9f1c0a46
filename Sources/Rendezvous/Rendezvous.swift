// SPDX-License-Identifier: Apache-2.0
import CLinux
import Engine
import Linux
import Request

/// What the callbacks of a checkpoint are told of it.
public struct Invitation: Sendable {
  public var requester: ProcessID
  public var request: CheckpointRequest
  /// Path of the context file, empty if it has none.
  public var destination: ByteString

  public init(_ request: CheckpointRequest, from requester: ProcessID, destination: ByteString) {
    self.request = request
    self.requester = requester
    self.destination = destination
  }
}

/// libcr's part in a checkpoint: everything that programs do themselves before they are saved, and
/// after.
///
///     gather:   all run, until no critical section is left
///               all run, until all thread-context callbacks are inside cr_checkpoint()
///               all run, until all signal-context callbacks are
///     (the caller saves them)
///     conclude: those with callbacks run, until all callbacks have returned
///     cancel:   all callbacks hear of the failure, and everybody goes on
///
/// Between these all processes are held. All of them run in each stage, since one may wait for
/// another. A program without callbacks, sections and hooks costs a look at its memory.
public struct Rendezvous: ~Copyable {
  /// The processes that take part in the checkpoint, as gathered; all held.
  public internal(set) var processes: [ProcessID] = []
  /// Those that are not in it: by their own wish, or as helpers of libcr. Let go already.
  public private(set) var leftOut: [ProcessID] = []
  /// Those that have ended meanwhile; some parent may still wait for them.
  public private(set) var ended: [ProcessID] = []
  /// Somebody's callbacks are under way, and `conclude` or `cancel` is to come.
  public var isActive: Bool { parties.contains { !$0.ready.isEmpty } }
  /// The processes have run since they were held first.
  public internal(set) var hasLetRun = false

  /// The requester knows that its request has begun: later failures are its result.
  private var isAccepted = false
  var parties: [Party] = []
  private var helpers: [ProcessID] = []
  /// Distinguishes requests in the blocks: 24 bits.
  private let number = UInt32(truncatingIfNeeded: Clock.monotonic.reading >> 10) & 0xff_ffff
  let deadline: Deadline

  public init(until deadline: Deadline) { self.deadline = deadline }

  /// Asks held processes. Called again with processes that have come into being meanwhile.
  ///
  /// - Parameter forward: finds and holds what a callback wants to be saved too; returns those that
  ///   were not held before.
  /// - Throws: what a callback said (CR_ETEMPFAIL, CR_EPERMFAIL, its own number), ETIMEDOUT, EBUSY.
  ///   Then `cancel` is still to be called.
  public mutating func gather<E: Engine & ~Copyable>(
    _ newcomers: [ProcessID], for invitation: Invitation, by engine: inout E,
    report: inout Report,
    forward: (Scope, Int32, inout E) throws(Failure) -> [ProcessID]
  ) throws(Failure) {
    let first = parties.count
    try enroll(newcomers, invitation, by: &engine)
    if !isAccepted {
      isAccepted = true
      report.onAccepted()
    }
    if parties.count == first { return }
    report.step("waiting for the programs' callbacks")
    var invited = Array(parties[first...])
    try awaitFormerCallbacks(of: invited, by: &engine, &report)
    invited.removeAll { party($0.process) == nil }
    try told { () throws(EngineError) in
      for party in invited { try party.invite(invitation, by: &engine) }
    }
    try settle(invited, by: &engine)
    try told { () throws(EngineError) in
      for party in invited { try party.installHandler(by: &engine) }
    }
    try awaitSections(by: &engine, &report)
    try callServers(invitation, by: &engine, &report, forward)
    try callThreads(invitation, by: &engine, &report, forward)
    try told { () throws(EngineError) in
      for party in parties {
        party.left = []
        // Nothing to wait for any more where there was only a critical section.
        if party.ready.isEmpty {
          try party.setPhase(CR_PHASE_IDLE, of: number, by: &engine)
          try party.restoreAction(by: &engine)
        }
      }
    }
  }

  // MARK: Who takes part

  private mutating func enroll<E: Engine & ~Copyable>(
    _ newcomers: [ProcessID], _ invitation: Invitation, by engine: inout E
  ) throws(Failure) {
    for process in newcomers {
      let blocks = try toldValue { () throws(EngineError) in
        try NoteSearch(process: process).blocks(by: engine)
      }
      for block in blocks where block.isFull { helpers += block.helpers }
      if blocks.contains(where: { $0[.kind] == CR_KIND_OMIT.rawValue }) || isHelper(process) {
        leaveOut(process, by: &engine)
        continue
      }
      if blocks.isEmpty, invitation.request.requiresLibrary { throw hasNoLibrary(process) }
      processes.append(process)
      guard let block = blocks.first(where: { $0.isFull }), block.isOwned else { continue }
      if block[.wants] == 0 && block.sections == 0 {
        if block[.displacedSize] != 0 {
          try told { () throws(EngineError) in try Party(block).restoreAction(by: &engine) }
        }
        continue
      }
      if block.action.isEmpty { throw cannotBeCalled(process) }
      parties.append(Party(block))
    }
  }

  // MARK: Stages

  private mutating func awaitSections<E: Engine & ~Copyable>(
    by engine: inout E, _ report: inout Report
  ) throws(Failure) {
    while true {
      var isWaiting = false
      for party in parties where party.ready.isEmpty {
        try told { () throws(EngineError) in try party.block.refresh(by: engine) }
        guard party.block.sections != 0 else { continue }
        isWaiting = true
        try told { () throws(EngineError) in
          try party.setPhase(CR_PHASE_PENDING, of: number, by: &engine)
          // Somebody has entered meanwhile, and may need one who has left.
          if !party.left.isEmpty { try party.answer(by: &engine) }
        }
        party.left = []
        party.expected = [0]
      }
      if !isWaiting { return }
      try awaitAll(by: &engine, &report, { _, _, _ throws(Failure) in [] })
    }
  }

  private mutating func callServers<E: Engine & ~Copyable>(
    _ invitation: Invitation, by engine: inout E, _ report: inout Report,
    _ forward: (Scope, Int32, inout E) throws(Failure) -> [ProcessID]
  ) throws(Failure) {
    var isWaiting = false
    for party in parties where party.ready.isEmpty && party.block.wants(CR_WANTS_SERVER) {
      let server = ThreadID(Int32(bitPattern: party.block[.server]))
      guard engine.threads(of: party.process).contains(server) else { continue }
      try told { () throws(EngineError) in
        try party.setPhase(CR_PHASE_SERVER, of: number, by: &engine)
        try party.call(server, by: &engine)
      }
      isWaiting = true
    }
    if isWaiting { try awaitAll(by: &engine, &report, forward, invitation) }
  }

  private mutating func callThreads<E: Engine & ~Copyable>(
    _ invitation: Invitation, by engine: inout E, _ report: inout Report,
    _ forward: (Scope, Int32, inout E) throws(Failure) -> [ProcessID]
  ) throws(Failure) {
    var isWaiting = false
    for party in parties {
      let all = party.block.wants(CR_WANTS_ALL)
      guard all || party.block.wants(CR_WANTS_SIGNALS) else { continue }
      try told { () throws(EngineError) in
        let present = engine.threads(of: party.process)
        let known = try party.block.threads(by: engine)
        let callees = present.filter { thread in
          guard UInt32(bitPattern: thread.rawValue) != party.block[.server],
            !party.ready.contains(thread.rawValue)
          else { return false }
          return all || known.contains { $0.id == thread && $0.hasCallbacks }
        }
        if callees.isEmpty { return }
        try party.setPhase(CR_PHASE_SIGNALS, of: number, by: &engine)
        for thread in callees { try party.call(thread, by: &engine) }
        // One that stands where it left a section has to run for its callbacks.
        party.left.subtract(callees.map { $0.rawValue })
        try party.answer(by: &engine)
        isWaiting = true
      }
    }
    if isWaiting { try awaitAll(by: &engine, &report, forward, invitation) }
  }

  // MARK: Waiting

  /// Lets everybody run until all whom we called have answered, then holds everybody again.
  private mutating func awaitAll<E: Engine & ~Copyable>(
    by engine: inout E, _ report: inout Report,
    _ forward: (Scope, Int32, inout E) throws(Failure) -> [ProcessID],
    _ invitation: Invitation? = nil
  ) throws(Failure) {
    hasLetRun = true
    for process in processes {
      let standing = party(process)?.standing ?? []
      try told { () throws(EngineError) in try engine.run(process, but: standing) }
    }
    var guests: [ProcessID] = []
    let callers = callers
    while parties.contains(where: { !$0.expected.isEmpty }) {
      if deadline.nanoseconds != .max, Clock.monotonic.reading > deadline.nanoseconds {
        throw Failure(.timedOut, "the callbacks were not ready in time; all processes run on")
      }
      guard report.advance(0) else {
        throw Failure(.interrupted, "called off while waiting for callbacks")
      }
      guard
        let event = try toldValue({ () throws(EngineError) in
          try engine.awaitCall(of: callers, milliseconds: 100)
        })
      else { continue }
      switch event {
      case .ended(let thread, let process, let isLast):
        party(process)?.forget(thread)
        if isLast { noteEnd(of: process) }
      case .call(let thread, let value):
        guests += try take(thread, value, by: &engine, forward)
      }
    }
    try holdAll(by: &engine)
    if let invitation, !guests.isEmpty {
      try gather(guests, for: invitation, by: &engine, report: &report, forward: forward)
    }
  }

  mutating func holdAll<E: Engine & ~Copyable>(by engine: inout E) throws(Failure) {
    for process in processes {
      do throws(EngineError) { try engine.hold(process, until: deadline) } catch {
        if error.errno == .noProcess { noteEnd(of: process) } else { throw failure(error) }
      }
    }
    if processes.isEmpty {
      throw Failure(.noProcess, "all processes have left themselves out, or have ended; nothing was saved")
    }
  }

  private mutating func take<E: Engine & ~Copyable>(
    _ thread: ThreadID, _ value: Int32, by engine: inout E,
    _ forward: (Scope, Int32, inout E) throws(Failure) -> [ProcessID]
  ) throws(Failure) -> [ProcessID] {
    guard
      let party = parties.first(where: {
        engine.threads(of: $0.process).contains(thread)
      })
    else { return [] }
    let arrival = Arrival(value)
    switch arrival.kind {
    case CR_ARRIVES_READY.rawValue:
      party.expected.remove(thread.rawValue)
      party.ready.insert(thread.rawValue)
      if arrival.omits {
        omit(party, by: &engine)
      } else if let errno = arrival.refusal {
        throw refuse(errno, by: party.process, forGood: arrival.isForGood)
      }
    case CR_ARRIVES_LEFT.rawValue:
      party.left.insert(thread.rawValue)
      party.expected.remove(0)
    case CR_ARRIVES_FORWARD.rawValue:
      return try take(in: party, by: &engine, forward)
    default:
      try told { () throws(EngineError) in
        try party.answer(by: &engine)
        try engine.run(party.process, but: party.standing)
      }
    }
    return []
  }

  /// cr_forward_checkpoint().
  private mutating func take<E: Engine & ~Copyable>(
    in party: Party, by engine: inout E,
    _ forward: (Scope, Int32, inout E) throws(Failure) -> [ProcessID]
  ) throws(Failure) -> [ProcessID] {
    try told { () throws(EngineError) in try party.block.refresh(by: engine) }
    var answer: Int32 = 0
    var found: [ProcessID] = []
    if let scope = Scope(rawValue: party.block[.forwardScope]) {
      do throws(Failure) {
        found = try forward(scope, Int32(bitPattern: party.block[.forwardTarget]), &engine)
      } catch { answer = error.errno.rawValue }
    } else {
      answer = EINVAL
    }
    try told { () throws(EngineError) in
      try party.block.set(.forwardResult, to: UInt32(bitPattern: answer), by: &engine)
      try party.answer(by: &engine)
      try engine.run(party.process, but: party.standing)
    }
    return found
  }

  private mutating func omit<E: Engine & ~Copyable>(_ party: Party, by engine: inout E) {
    let process = party.process
    do throws(EngineError) {
      try engine.hold(process, until: deadline)
      try party.end(.failed(CR_EOMITTED_CODE), number, by: &engine)
      try party.restoreAction(by: &engine)
      try engine.release(process, stopped: false)
    } catch {}
    leftOut.append(process)
    forget(process)
  }

  private mutating func leaveOut<E: Engine & ~Copyable>(
    _ process: ProcessID, by engine: inout E
  ) {
    do throws(EngineError) { try engine.release(process, stopped: false) } catch {}
    leftOut.append(process)
  }

  /// A helper of libcr, or the tool that a helper started. Parents come before children here.
  private func isHelper(_ process: ProcessID) -> Bool {
    if helpers.contains(process) { return true }
    guard let files = try? ProcessFiles(process), let text = try? files.read("stat"),
      let stat = ProcessStat(text)
    else { return false }
    return helpers.contains(stat.parent)
  }

  mutating func noteEnd(of process: ProcessID) {
    ended.append(process)
    forget(process)
  }

  private mutating func forget(_ process: ProcessID) {
    processes.removeAll { $0 == process }
    parties.removeAll { $0.process == process }
  }

  /// All processes; those without callbacks may still end.
  var callers: [Caller] {
    var signals: [Int32: Int32] = [:]
    for party in parties { signals[party.process.rawValue] = party.signal }
    return processes.map { Caller($0, signal: signals[$0.rawValue] ?? 0) }
  }

  func party(_ process: ProcessID) -> Party? { parties.first { $0.process == process } }

  private mutating func refuse(_ errno: Int32, by process: ProcessID, forGood: Bool) -> Failure {
    if forGood { isDoomed = true }
    refusal = errno
    let words: ByteString =
      forGood
      ? "a callback of process \(process) has given up: all processes of the request are killed"
      : "a callback of process \(process) has called it off; all processes run on"
    return Failure(Errno(rawValue: errno), words)
  }

  /// The number of a callback that has called it off.
  private var refusal: Int32?

  /// A callback has given up for good: `cancel` kills all of them.
  private var isDoomed = false

  // MARK: The end

  /// All are saved. The callbacks run on; whoever is to wait for them waits. All are held
  /// afterwards, for the caller to send a signal and to let them go.
  public mutating func conclude<E: Engine & ~Copyable>(
    by engine: inout E, report: inout Report
  ) throws(Failure) {
    try finish(.continues, by: &engine, &report)
  }

  private mutating func finish<E: Engine & ~Copyable>(
    _ outcome: Outcome, by engine: inout E, _ report: inout Report
  ) throws(Failure) {
    let active = parties.filter { !$0.ready.isEmpty }
    if active.isEmpty { return }
    report.step("waiting for the programs' callbacks to end")
    for party in active {
      do throws(EngineError) {
        let waiting = try party.threadsToHold(outcome, by: engine)
        try party.end(outcome, nil, by: &engine)
        party.expected = party.ready
        party.ready = []
        try engine.run(party.process, but: waiting)
      } catch {
        // It has ended, and is saved already.
        guard error.errno == .noProcess else { throw failure(error) }
        party.expected = []
        party.ready = []
      }
    }
    try awaitEnd(active, by: &engine, &report)
  }

  mutating func awaitEnd<E: Engine & ~Copyable>(
    _ active: [Party], by engine: inout E, _ report: inout Report
  ) throws(Failure) {
    let callers = active.map { $0.caller }
    while active.contains(where: { !$0.expected.isEmpty }) {
      guard report.advance(0) else { break }
      guard
        let event = try toldValue({ () throws(EngineError) in
          try engine.awaitCall(of: callers, milliseconds: 100)
        })
      else { continue }
      switch event {
      case .ended(let thread, let process, let isLast):
        party(process)?.forget(thread)
        if isLast { party(process)?.expected = [] }
      case .call(let thread, let value):
        guard
          let party = active.first(where: {
            engine.threads(of: $0.process).contains(thread)
          })
        else { continue }
        let kind = Arrival(value).kind
        if kind == CR_ARRIVES_DONE.rawValue || kind == CR_ARRIVES_ABORT.rawValue {
          party.isDone(thread)
          party.left.insert(thread.rawValue)
          if kind == CR_ARRIVES_ABORT.rawValue { hasAborted = true }
        }
      }
    }
    for party in active {
      do throws(EngineError) {
        try engine.hold(party.process, until: .never)
        try party.answer(by: &engine)
        if party.expected.isEmpty { try party.forgetLostRunners(by: &engine) }
        try party.setPhase(CR_PHASE_IDLE, of: number, by: &engine)
        try party.restoreAction(by: &engine)
      } catch {
        // It has ended.
      }
    }
  }

  /// A callback has failed after the checkpoint: its program ends itself.
  public private(set) var hasAborted = false

  /// Something failed. Callbacks hear of it when they are let go, which is up to the caller; all
  /// processes are held afterwards. After a callback's failure for good they are dead.
  public mutating func cancel<E: Engine & ~Copyable>(by engine: inout E) {
    // CR_ETEMPFAIL: what kept us from saving them is the requester's to know.
    let errno = refusal ?? 2354
    for process in processes {
      do throws(EngineError) {
        try engine.hold(process, until: Deadline(nanoseconds: Clock.monotonic.reading + 2_000_000_000))
        if let party = party(process) {
          try party.end(.failed(errno), number, by: &engine)
          try party.restoreAction(by: &engine)
        }
      } catch {
        // It has ended, or cannot be stopped; the library finds out that we are gone.
      }
      if isDoomed { do throws(Errno) { try process.send(SIGKILL) } catch {} }
    }
    parties = []
  }

  // MARK: Errors

  func told(_ body: () throws(EngineError) -> Void) throws(Failure) {
    do throws(EngineError) { try body() } catch { throw failure(error) }
  }

  func toldValue<T>(_ body: () throws(EngineError) -> T) throws(Failure) -> T {
    do throws(EngineError) { return try body() } catch { throw failure(error) }
  }

  private func failure(_ error: EngineError) -> Failure {
    if error.errno == .noProcess {
      return Failure(error.errno, "process \(error.process) has ended before it could be saved")
    }
    return Failure(error.errno, "cannot \(error.step) of process \(error.process): \(error.errno)")
  }
}
