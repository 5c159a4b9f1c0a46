// SPDX-License-Identifier: Apache-2.0
import CLinux
import ContextFile
import Engine
import Linux
import Rendezvous
import Request
import Snapshot

/// request → freeze → collect → plan → write → resume → seal and commit.
///
/// Whatever fails, every process runs on as if it had never been asked, and an older context file is
/// as it was. Without a signal the processes run on as soon as their memory is written. With one
/// they stand still until the file is safe, and get it then: what a signal may destroy is saved.
///
/// - Parameters:
///   - engine: holds nobody yet, and nobody any more afterwards.
///   - destination: where the file goes; committed here.
///   - report: is told of the steps, and can call it off (EINTR).
/// - Throws: ESRCH, EPERM, CR_EPTRACED, CR_EPTRACER, ETIMEDOUT, EOPNOTSUPP with every reason that
///   stands in the way, or the error of writing.
public func checkpoint<E: Engine & ~Copyable>(
  _ request: CheckpointRequest, by engine: inout E, into destination: consuming Destination,
  report: inout Report
) throws(Failure) -> CheckpointResult {
  let deadline = Deadline(secondsFromNow: request.timeLimit)
  report.step("looking at the processes")
  let overview = ScopeSearch(request: request).overview()
  var waits = LimitedWaits()
  let identities = try lookAround(at: overview, &waits, until: deadline, &report)
  try awaitLoaded(overview.processes, until: deadline, &report)

  var frozen = Frozen()
  var trip = Trip(request: request, deadline: deadline, waits: waits)
  do throws(Failure) {
    try trip.save(&frozen, overview, identities, by: &engine, into: &destination, &report)
    // Callbacks are told of success when it is one, so the file is finished before.
    let isAtOnce = request.signal == 0 && !trip.rendezvous.isActive
    if isAtOnce { trip.resume(&frozen, by: &engine, report) }
    try trip.finish(destination, &report)
    try trip.rendezvous.conclude(by: &engine, report: &report)
    if request.signal == 0, !isAtOnce { trip.resume(&frozen, by: &engine, report) }
  } catch {
    let failure = SeccompAccess.explained(error, of: frozen.held)
    trip.rendezvous.cancel(by: &engine)
    frozen.release(by: &engine)
    throw failure
  }
  if request.signal != 0 {
    frozen.send(request.signal)
    trip.handOver(&report)
    trip.resume(&frozen, by: &engine, report)
  }
  trip.result.warnings += report.warnings
  return trip.result
}

/// What can be known before anybody is stopped: reasons why it cannot be done, and mapped files.
private func lookAround(
  at overview: ScopeSearch.Overview, _ waits: inout LimitedWaits, until deadline: Deadline,
  _ report: inout Report
) throws(Failure) -> FileIdentities {
  var clock = ProcessorTime()
  var identities = FileIdentities()
  var problems = Problems()
  var warnings: [ByteString] = []
  let namespaces = Namespaces()
  for process in overview.processes {
    // Many processes with many files take a while.
    guard report.advance(0) else {
      throw Failure(.interrupted, "called off; nobody was stopped")
    }
    try deadline.check()
    guard let stat = ProcessStat(of: process), !stat.isZombie else { continue }
    // Refused by that name when it is its turn, whatever its namespaces are.
    if stat.isKernelThread { continue }
    namespaces.check(process, stat.name, &problems, &warnings)
    Namespaces.checkMemoryPolicies(process, stat.name, &warnings)
    identities.learn(from: process)
    waits.note(process, &clock)
  }
  identities.findOtherUsers(besides: overview.processes)
  if let failure = problems.failure { throw failure }
  for warning in warnings { report.warn(warning) }
  return identities
}

/// One checkpoint under way.
private struct Trip: ~Copyable {
  let request: CheckpointRequest
  let deadline: Deadline
  var result = CheckpointResult(processes: [])
  /// One for each file.
  var sealers: [Sealer] = []
  var rendezvous: Rendezvous
  /// Kept in the restored program; until the file is safe they are the target's.
  var connections: HeldConnections?

  var waits: LimitedWaits

  init(request: CheckpointRequest, deadline: Deadline, waits: LimitedWaits) {
    self.request = request
    self.deadline = deadline
    self.waits = waits
    rendezvous = Rendezvous(until: deadline)
  }

  /// Everything for which the processes must stand still.
  mutating func save<E: Engine & ~Copyable>(
    _ frozen: inout Frozen, _ overview: ScopeSearch.Overview, _ identities: FileIdentities,
    by engine: inout E, into destination: inout Destination, _ report: inout Report
  ) throws(Failure) {
    report.step("stopping the processes")
    try freeze(
      request, by: &engine, into: &frozen, expecting: overview, until: deadline, report: &report)
    waits.confirm(stoppedAt: frozen.since)
    try gather(&rendezvous, request, &frozen, by: &engine, until: deadline, destination, &report)
    if rendezvous.hasLetRun { waits.forgetAll() }
    report.step("collecting their state")
    var collector = Collector(request: request, identities: identities)
    collector.waits = waits
    collector.contextFile = destination.identity.map { FileKey(device: $0.device, inode: $0.inode) }
    try collector.collect(frozen, by: &engine, until: deadline)
    collector.finishHeldConnections(signal: request.signal)
    connections = collector.heldConnections
    // What was known before is in the file, too.
    collector.snapshot.job.warnings = report.warnings + collector.warnings
    report.step("planning the file")
    let layout = Layout(planning: &collector.snapshot, dividedAs: destination.mark)
    try destination.reserve(layout)
    // What is compressed goes through our hands twice.
    let isTwice = destination.isCompressed
    report.expect(layout.contentSize + (isTwice ? layout.totalSize : 0))
    let sealers = try destination.sealers(of: layout)
    report.step("writing memory")
    try write(
      collector.contents, by: &engine, to: destination, until: deadline, report: &report
    ) { part, end in sealers[sealers.count == 1 ? 0 : part].written(below: end) }
    self.sealers = sealers
    result.processes = collector.snapshot.processes.map { $0.id }
    result.threads = collector.snapshot.processes.reduce(0) { $0 + $1.threads.count }
    result.bytes = layout.totalSize
    result.warnings = collector.warnings
  }

  /// They are killed, though not gone yet: their connections stay where they are.
  mutating func handOver(_ report: inout Report) {
    guard request.signal == SIGKILL, let connections, !connections.isEmpty else { return }
    do throws(Errno) {
      let names = try connections.handOver()
      for name in names {
        report.warn(
          "a TCP connection waits for the restart behind the nftables table \"\(name)\", which the restart "
            + "removes")
      }
    } catch {
      report.warn("the TCP connections to the outside are broken off: \(error)")
    }
  }

  /// Lets the processes go and notes how long they stood still.
  mutating func resume<E: Engine & ~Copyable>(
    _ frozen: inout Frozen, by engine: inout E, _ report: Report
  ) {
    report.step("resuming the processes")
    frozen.release(by: &engine)
    result.pause = Clock.monotonic.reading - frozen.since
  }

  /// Checksums, trailer, fsync and rename.
  mutating func finish(
    _ destination: consuming Destination, _ report: inout Report
  ) throws(Failure) {
    report.step("sealing the file")
    for sealer in sealers { try sealer.seal() }
    report.step(destination.isCompressed ? "compressing the file" : "committing the file")
    result.bytes = try destination.commit { report.advance($0) }
  }
}

extension Frozen {
  /// Sent while they are held, so that none of them can react to the end of another before its own
  /// signal is there. One that is gone needs none.
  fileprivate func send(_ signal: Int32) {
    for process in held {
      do throws(Errno) { try process.send(signal) } catch {}
    }
  }
}
