// SPDX-License-Identifier: Apache-2.0
import Architecture
import CLinux
import Engine
import Linux
import Rendezvous
import Request
import Snapshot

/// Whether `checkpoint` would succeed with this request now. Nobody is stopped, traced or changed.
///
/// What only a process that stands still can tell is not in the answer: what it does meanwhile, and
/// the room that its memory takes on disk.
///
/// - Throws: what keeps it from looking at all (no /proc).
public func examine(_ request: CheckpointRequest) throws(Failure) -> Prospect {
  var examination = Examination(request)
  do throws(Failure) { try examination.search.checkTarget() } catch {
    examination.prospect.problems = [error]
    return examination.prospect
  }
  try examination.lookAtAll()
  return examination.prospect
}

/// The collector's rules, applied to processes that run.
private struct Examination {
  let request: CheckpointRequest
  let search: ScopeSearch
  var prospect = Prospect()
  private let tracers = Tracers()
  private let namespaces = Namespaces()
  private var collector: Collector
  private var leftOut: Set<Int32> = []

  init(_ request: CheckpointRequest) {
    self.request = request
    search = ScopeSearch(request: request)
    collector = Collector(request: request, identities: FileIdentities())
    collector.isExamining = true
  }

  mutating func lookAtAll() throws(Failure) {
    var known: Set<Int32> = []
    var omitted = 0
    while true {
      let newcomers = search.newcomers(besides: known, leftOut: leftOut)
      if newcomers.isEmpty { break }
      for process in newcomers {
        known.insert(process.rawValue)
        if search.isOmitted(process, &leftOut) {
          omitted += 1
        } else {
          try consider(process)
        }
      }
      if request.scope == .process { break }
    }
    prospect.problems += collector.problems.lines.map { Failure(.notSupported, $0) }
    prospect.warnings += collector.warnings
    if prospect.processes.isEmpty, prospect.problems.isEmpty {
      prospect.problems = [nobodyFound(request, omitted: omitted)]
    }
  }

  private mutating func consider(_ process: ProcessID) throws(Failure) {
    guard let stat = ProcessStat(of: process) else { return }
    do throws(Failure) {
      switch try request.treatment(of: process, stat, tracers) {
      case .noteEnd: prospect.processes.append(process)
      case .leaveOut(let words):
        leftOut.insert(process.rawValue)
        prospect.warnings.append(words + ": left out")
      case .take:
        prospect.processes.append(process)
        try checkReachable(process, stat)
        try look(at: process, stat)
      }
    } catch {
      // It may have ended at this very moment.
      guard ProcessStat(of: process)?.startTime == stat.startTime else { return }
      prospect.problems.append(error)
    }
  }

  /// The kernel asks the same of this as of an attachment (ptrace(2), PTRACE_MODE_ATTACH).
  private func checkReachable(_ process: ProcessID, _ stat: ProcessStat) throws(Failure) {
    do throws(Errno) {
      _ = try FileDescriptor(opening: "/proc/\(process)/mem", flags: O_RDONLY)
    } catch {
      guard error == Errno(rawValue: EACCES) || error == .notPermitted else { return }
      throw notHeld(process, stat, EngineError("stop", process, .notPermitted))
    }
  }

  private mutating func look(at id: ProcessID, _ stat: ProcessStat) throws(Failure) {
    namespaces.check(id, stat.name, &collector.problems, &collector.warnings)
    Namespaces.checkMemoryPolicies(id, stat.name, &collector.warnings)
    if request.requiresLibrary {
      do throws(Failure) { try LibrarySearch(process: id).demand() } catch {
        prospect.problems.append(error)
      }
    }
    let reach = id.reachable
    if reach != id { collector.speakers[id.rawValue] = reach }
    let files = try reading("/proc", of: id) { () throws(Errno) in try ProcessFiles(reach) }
    let index = collector.snapshot.processes.count
    var process = Process(id: id, parent: stat.parent, machine: .native)
    process.describe(stat)
    try collector.collectPlaces(&process, files)
    try collector.collectAttributes(&process, files)
    let threads = try reading("threads", of: id) { () throws(Errno) in
      try files.numbers(in: "task").map { ThreadID($0) }.filter { reach == id || $0 != id.leader }
    }
    let sharesMemory = collector.kinship.partner(.memory, of: reach, at: index) != nil
    let view = try OutsideView(of: id, by: reach, threads, withMemory: !sharesMemory)
    for (thread, seen) in zip(threads, view.threads) {
      do throws(Failure) { try SeccompAccess.check(id, stat.name, seen.status) } catch {
        if !prospect.problems.contains(where: { $0.message == error.message }) {
          prospect.problems.append(error)
        }
      }
      collector.checkUnshared(thread, seen, Frozen.Member(id: id, stat: stat))
    }
    do throws(Failure) { try checkLoaded(process, view.regions) } catch {
      prospect.problems.append(error)
    }
    for region in view.regions where !region.isWatchedForLoading(of: id) {
      _ = collector.collectRegion(region, process)
    }
    if collector.kinship.partner(.files, of: reach, at: index) == nil {
      try collector.collectDescriptors(&process, files)
    }
    collector.snapshot.processes.append(process)
  }
}
