// SPDX-License-Identifier: Apache-2.0
import ContextFile
import Engine
import Linux
import PageServer
import Rendezvous
import Request
import Snapshot

/// context file → plan → rebuild → resume. A failure leaves the machine as it was.
///
/// `parts` are the files of the context. The root becomes a child of this process; see
/// Docs/design/Restart.md for the order of the steps and why it is so.
public func restart<E: Engine & ~Copyable>(
  _ request: RestartRequest, _ snapshot: Snapshot, from parts: ContextParts, by engine: inout E,
  report: inout Report
) throws(Failure) -> RestartedJob {
  report.step("checking what the processes need")
  let snapshot = prepared(snapshot, for: request)
  let surroundings = try Surroundings(for: request)
  var plan = Plan(request, snapshot, surroundings)
  try plan.check(&report)
  let waiting = request.isLazy ? snapshot.waitingBytes : 0
  report.expect(snapshot.contentBytes - waiting)

  report.step("opening files")
  let files = OpenedFiles(snapshot)
  let contents = ContentCopier(parts.common.file)
  try SharedMemoryMaker(snapshot: snapshot, files: files, contents: contents).makeAll()
  // After shared memory that comes back under its name, and may be mapped privately too.
  try files.openMappedFiles(snapshot)
  var opener = FileOpener(snapshot, files, contents)
  try opener.openAll()
  for warning in opener.warnings { report.warn(warning) }

  var rebuilder = Rebuilder(request, snapshot, surroundings, files)
  rebuilder.socketMaker = opener.socketMaker
  opener.socketMaker = nil
  if waiting > 0 { rebuilder.pageServer = try makePageServer(for: parts) }
  defer { try? setOwnSubreaper(surroundings.isSubreaper) }
  do throws(Failure) {
    try rebuilder.rebuild(from: parts, by: &engine, &report)
    report.step("letting the processes run")
    files.settle(&report, clocksGoOn: request.restoreClock)
    files.close()
    try rebuilder.releaseAll(by: &engine, &report)
  } catch {
    rebuilder.abandon(by: &engine)
    throw error
  }
  var job = rebuilder.result(report)
  job.leash = rebuilder.pageServer?.takeLeash()
  return job
}

/// The snapshot as this request wants it back.
func prepared(_ snapshot: Snapshot, for request: RestartRequest) -> Snapshot {
  var snapshot = snapshot
  snapshot.relocate(request.relocations)
  snapshot.standInForMissingPrograms()
  snapshot.separateStandardStreams()
  return snapshot
}

extension Rebuilder {
  /// Everything but letting go.
  mutating func rebuild<E: Engine & ~Copyable>(
    from parts: ContextParts, by engine: inout E, _ report: inout Report
  ) throws(Failure) {
    var pin = ProcessorPin()
    report.step("making the processes")
    if request.restoreClock { try ClockNamespace.begin(at: snapshot.job) }
    try spawnTree(by: &engine)
    restoreControlGroups(&report)
    try restoreGroups(by: &engine, &report)
    try restoreForegrounds(by: &engine)
    try endZombies(by: &engine)
    try makeLateFiles()
    try fillSockets(&report)
    try makeSystemV(from: ContentCopier(parts.common.file), by: &engine, &report)

    report.step("mapping memory")
    for index in living where ownsMemory(index) { try mapMemory(index, by: &engine) }
    try finishSegments(&report)
    for index in living { try numberDescriptors(index, by: &engine, &report) }
    // Much memory is filled by several threads of ours.
    _ = consume pin
    report.step("loading memory")
    for index in living where ownsMemory(index) {
      try fillMemory(index, from: parts.file(ofProcess: index), by: &engine, &report)
    }

    pin = ProcessorPin()
    try files.seal()
    report.step("restoring threads")
    for index in living { try makeThreads(index, by: &engine) }
    if pageServer != nil {
      // It takes some process id: not before all ids of the job are taken. And not our CPU.
      _ = consume pin
      try startPageServer(report)
      pin = ProcessorPin()
    }
    for index in living { try restoreThreads(index, by: &engine) }
    report.step("restoring attributes")
    for index in living { try restoreAttributes(index, by: &engine, &report) }
    for index in living { try lockFiles(index, by: &engine) }
    try setOwners(by: &engine, &report)
    try restoreQueueNotifications(by: &engine)
    // Children first: what a child's stop tells its parent is forgotten before the parent's own
    // signals come back.
    for index in living.reversed() { try finish(index, by: &engine, &report) }
    _ = consume pin
  }

  private func ownsMemory(_ index: Int) -> Bool {
    snapshot.processes[index].sharesMemoryWith == nil
  }

  /// Signals, timers, credentials and registers: the last things.
  private mutating func finish<E: Engine & ~Copyable>(
    _ index: Int, by engine: inout E, _ report: inout Report
  ) throws(Failure) {
    try restoreSignalActions(index, by: &engine)
    try restorePendingSignals(index, by: &engine)
    try startIntervalTimers(index, by: &engine)
    try startPosixTimers(index, by: &engine)
    // Before the right to set filters is given up. They judge nothing before it is released.
    try restoreSeccomp(index, by: &engine)
    try restoreCredentials(index, by: &engine)
    try restoreRegisters(index, by: &engine)
    restoreAffinities(index, &report)
    try endLeader(index, by: &engine)
    guard case .stopped = snapshot.processes[index].state else { return }
    try stop(index, by: &engine)
  }
}

extension Snapshot {
  /// Bytes of memory that will be loaded.
  var contentBytes: UInt64 {
    processes.reduce(0) { all, process in
      process.memory.regions.reduce(all) { sum, region in
        region.contents.reduce(sum) { $0 + $1.count }
      }
    }
  }
}

/// The same from a context file that is still to be read, by a descriptor; it may be a pipe.
public func restart<E: Engine & ~Copyable>(
  _ request: RestartRequest, from source: borrowing FileDescriptor, by engine: inout E,
  report: inout Report
) throws(Failure) -> RestartedJob {
  report.step("reading the context file")
  let reader = try Reader(.descriptor(source.number))
  try reader.verify()
  return try restart(request, reader.snapshot, from: reader.parts, by: &engine, report: &report)
}
