// SPDX-License-Identifier: Apache-2.0
import CLinux
import Engine
import Linux
import Request

/// The processes of one request, standing still.
struct Frozen {
  /// One process of the scope.
  struct Member {
    var id: ProcessID
    var stat: ProcessStat
  }

  /// Every process after its parent; the dead ones are not held by anybody.
  var members: [Member] = []
  /// Those that must be let go whatever happens.
  var held: [ProcessID] = []
  /// CLOCK_MONOTONIC in nanoseconds when the first of them was stopped; 0 before.
  var since: UInt64 = 0
  /// Not saved, and neither is what descends from them in a tree.
  var leftOut: Set<Int32> = []

  /// Lets all of them run on. Never fails: a process that is gone needs no release.
  mutating func release<E: Engine & ~Copyable>(by engine: inout E) {
    engine.release(held)
    held = []
  }
}

/// Stops every process of the scope and finds those that appear meanwhile.
///
/// What is held is in `frozen` also when this throws; the caller releases it.
///
/// - Parameters:
///   - present: processes that were found before and are no news; then there need not be any.
///   - overview: what was seen before; it may spare a search while they stand still.
func freeze<E: Engine & ~Copyable>(
  _ request: CheckpointRequest, by engine: inout E, into frozen: inout Frozen,
  besides present: Set<Int32> = [], expecting overview: ScopeSearch.Overview? = nil, until deadline: Deadline,
  report: inout Report
) throws(Failure) {
  let search = ScopeSearch(request: request)
  let tracers = Tracers()
  try search.checkTarget()
  var known = present
  var omitted = 0
  while true {
    if let overview, search.isComplete(overview, held: frozen.held) { break }
    let newcomers = search.newcomers(besides: known, leftOut: frozen.leftOut)
    if newcomers.isEmpty { break }
    for process in newcomers {
      known.insert(process.rawValue)
      try deadline.check()
      if search.isOmitted(process, &frozen.leftOut) {
        omitted += 1
        continue
      }
      try freeze(process, request, tracers, by: &engine, into: &frozen, deadline, &report)
    }
    if request.scope == .process { break }
  }
  guard !frozen.held.isEmpty || !present.isEmpty else {
    throw nobodyFound(request, omitted: omitted)
  }
  frozen.members = parentsFirst(frozen.members)
}

/// Nobody of the scope can be saved.
func nobodyFound(_ request: CheckpointRequest, omitted: Int) -> Failure {
  let words: ByteString =
    switch request.scope {
    case _ where omitted > 0: "every process of \(request.target) is left out of checkpoints"
    case .process, .tree: "there is no process \(request.target)"
    case .group: "there is no process in process group \(request.target)"
    case .session: "there is no process in session \(request.target)"
    }
  return Failure(.noProcess, words)
}

/// What is to be done with a process, by what it is and who has it.
enum Treatment {
  case take
  /// It has ended; its status is all there is.
  case noteEnd
  /// It and, in a tree, what descends from it, for the reason in these words.
  case leaveOut(ByteString)
}

extension CheckpointRequest {
  /// Throws where the request fails because of such a process.
  func treatment(
    of process: ProcessID, _ stat: ProcessStat, _ tracers: Tracers
  ) throws(Failure) -> Treatment {
    if stat.isKernelThread {
      throw Failure(
        .notPermitted,
        "process \(process) (\(stat.name)) is a thread of the kernel, and no program to be saved")
    }
    if stat.isZombie || stat.hasLostLeader && hasGone(process) { return .noteEnd }
    if let tracer = Tracers.tracer(of: process) {
      if tracer.name == "cr_checkpoint" {
        throw isBusy(process, stat)
      }
      let words: ByteString =
        "process \(process) (\(stat.name)) is being traced by process \(tracer.id) (\(tracer.name))"
      switch tracedTargets {
      case .error: throw Failure(AnswerCode.traced, words + ": detach that, or use --ptraced-skip")
      case .skip: return .leaveOut(words)
      // If the engine can: one that is a tracer itself cannot.
      case .allow: return .take
      }
    }
    if tracers.tracing.contains(process.rawValue) {
      let words: ByteString = "process \(process) (\(stat.name)) traces others, as a debugger does"
      guard tracingTargets == .skip else {
        throw Failure(AnswerCode.tracer, words + ": end that, or use --ptracer-skip")
      }
      return .leaveOut(words)
    }
    return .take
  }
}

/// Whether a process whose main thread has ended was about to end as a whole: then the other threads are a matter of milliseconds.
private func hasGone(_ process: ProcessID) -> Bool {
  for _ in 0 ..< 50 {
    guard let stat = ProcessStat(of: process), stat.threadCount > 1 else { return true }
    pauseBriefly()
  }
  return false
}

private func freeze<E: Engine & ~Copyable>(
  _ process: ProcessID, _ request: CheckpointRequest, _ tracers: Tracers, by engine: inout E,
  into frozen: inout Frozen, _ deadline: Deadline, _ report: inout Report
) throws(Failure) {
  guard let stat = ProcessStat(of: process) else { return }
  switch try request.treatment(of: process, stat, tracers) {
  case .take: break
  case .noteEnd:
    frozen.members.append(Frozen.Member(id: process, stat: stat))
    return
  case .leaveOut(let words):
    frozen.leftOut.insert(process.rawValue)
    report.warn(words + ": left out")
    return
  }
  if frozen.since == 0 { frozen.since = Clock.monotonic.reading }
  do throws(EngineError) {
    try hold(process, by: &engine, until: deadline)
  } catch {
    // It may have ended at this very moment.
    guard let now = ProcessStat(of: process), now.startTime == stat.startTime else { return }
    if now.isZombie {
      frozen.members.append(Frozen.Member(id: process, stat: now))
      return
    }
    throw notHeld(process, now, error)
  }
  frozen.held.append(process)
  // Again: what was read before the stop may have changed.
  guard let still = ProcessStat(of: process) else { return }
  frozen.members.append(Frozen.Member(id: process, stat: still))
}

private func hold<E: Engine & ~Copyable>(
  _ process: ProcessID, by engine: inout E, until deadline: Deadline
) throws(EngineError) {
  for _ in 0 ..< 20 {
    do throws(EngineError) { return try engine.hold(process, until: deadline) } catch {
      // Another tool may have had it, and have let it go or been killed since.
      guard error.errno == .notPermitted, Tracers.tracer(of: process) == nil else { throw error }
      var time = timespec(tv_sec: 0, tv_nsec: 200_000)
      withUnsafeMutablePointer(to: &time) {
        _ = cr_syscall(Int(SYS_nanosleep), Int(bitPattern: $0), 0, 0, 0, 0, 0)
      }
    }
  }
  try engine.hold(process, until: deadline)
}

private func isBusy(_ process: ProcessID, _ stat: ProcessStat) -> Failure {
  Failure(
    Errno(rawValue: EBUSY),
    "process \(process) (\(stat.name)) is being saved by another request already")
}

/// Why a process that is there could not be stopped, with what to do about it.
func notHeld(
  _ process: ProcessID, _ stat: ProcessStat, _ error: EngineError
) -> Failure {
  let who: ByteString = "process \(process) (\(stat.name))"
  if error.errno == .busy { return isBusy(process, stat) }
  if error.errno == .notPermitted {
    if let tracer = Tracers.tracer(of: process) {
      if tracer.name == "cr_checkpoint" { return isBusy(process, stat) }
      return Failure(
        AnswerCode.traced,
        "\(who) is being traced by process \(tracer.id) (\(tracer.name)): a process has one tracer at a time; "
          + "detach it, or use --engine=kernel")
    }
    let owner = try? FileStatus.of("/proc/\(process)").user
    let ours = effectiveUser
    if let owner, owner != ours, ours != 0 {
      return Failure(
        error.errno,
        "cannot stop \(who): \(error.errno): it belongs to user \(owner) (or hides its memory); "
          + "ask as that user or as root")
    }
    let advice: ByteString =
      ours == 0
      ? "something protects it even from root: a security module, or the bounds of a container"
      : "see kernel.yama.ptrace_scope, or ask as root"
    return Failure(error.errno, "cannot stop \(who): \(error.errno): \(advice)")
  }
  if error.errno == .interrupted {
    return Failure(error.errno, "called off while stopping \(who); all processes run on")
  }
  if error.errno == .timedOut {
    return Failure(
      error.errno,
      "cannot stop \(who) in time: it is inside a call that cannot be interrupted; "
        + "all processes run on")
  }
  return Failure(error.errno, "cannot \(error.step) of \(who): \(error.errno)")
}

/// Every process after its parent, else in the order in which they were found.
func parentsFirst(_ members: [Frozen.Member]) -> [Frozen.Member] {
  let all = Set(members.map { $0.id.rawValue })
  var placed: Set<Int32> = []
  var ordered: [Frozen.Member] = []
  var rest = members
  while !rest.isEmpty {
    var later: [Frozen.Member] = []
    for member in rest {
      let parent = member.stat.parent.rawValue
      if all.contains(parent), !placed.contains(parent), parent != member.id.rawValue {
        later.append(member)
      } else {
        placed.insert(member.id.rawValue)
        ordered.append(member)
      }
    }
    // Parents that name each other cannot be, but must not hang us either.
    if later.count == rest.count { return ordered + later }
    rest = later
  }
  return ordered
}

extension Deadline {
  static var passedMessage: ByteString { "not finished within the time limit; all processes run on" }

  var hasPassed: Bool { nanoseconds != .max && Clock.monotonic.reading > nanoseconds }

  /// Throws ETIMEDOUT once it has passed.
  func check() throws(Failure) {
    if hasPassed { throw Failure(.timedOut, Self.passedMessage) }
  }

  /// 0 is never.
  init(secondsFromNow seconds: UInt32) {
    self.init(
      nanoseconds: seconds == 0 ? .max : Clock.monotonic.reading + UInt64(seconds) * 1_000_000_000)
  }
}
