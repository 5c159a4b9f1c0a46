// SPDX-License-Identifier: Apache-2.0
import Architecture
import Engine
import Linux
import Request
import Snapshot

/// Builds the snapshot of processes that stand still.
///
/// What cannot be saved is gathered in `problems` and told at once; what fails (a process that is
/// gone, a refused right) throws.
struct Collector {
  var snapshot: Snapshot
  var problems = Problems()
  var warnings: [ByteString] = []
  var identities: FileIdentities
  var openFiles = OpenFileTable()
  /// Open files whose own locks are recorded already, by index.
  var lockedFiles: Set<Int> = []
  /// Deleted files by the index of their first open file.
  var deletedFiles: [FileKey: Int] = [:]
  /// Descriptors that cannot be carried are left out, with a warning.
  let skipsUnsupported: Bool
  /// TCP connections that lead out of the job are reset in the restored program.
  let closesConnections: Bool
  /// They go on in the restored program.
  let keepsConnections: Bool
  let heldConnections = HeldConnections()
  /// Indexes of such open files that were met before that was known.
  var dropped: Set<Int> = []
  var pipes = PipeTable()
  var terminals = TerminalTable()
  var epolls: [SeenObject] = []
  var watchers: [SeenObject] = []
  var sockets: [SeenObject] = []
  let underWay = DescriptorsUnderWay()
  var connections: [SeenObject] = []
  var listeners: [Listener] = []
  /// What anybody in this network receives, once that was read.
  var multicastGroups: [MulticastGroup]?
  var processHandles: [SeenObject] = []
  var sharedMemories = SharedMemoryTable()
  var kinship = Kinship()
  var waits = LimitedWaits()
  /// A living thread of each process whose main thread has ended.
  var speakers: [Int32: ProcessID] = [:]
  let savedFiles: SavedFiles
  /// The file that is being written, if a program can have it open.
  var contextFile: FileKey?
  /// The pids of all members, once they are known.
  var job: Set<Int32> = []
  /// POSIX message queues that were met, by inode.
  var messageQueues: [UInt64: QueueState] = [:]
  let ownControlGroups = ControlGroup.of(.own)
  /// Nobody is held: what looking would disturb is not looked at.
  var isExamining = false

  init(request: CheckpointRequest, identities: FileIdentities) {
    self.identities = identities
    savedFiles = request.savedFiles
    skipsUnsupported = request.skipsUnsupported
    closesConnections = request.closesConnections
    keepsConnections = request.keepsConnections
    snapshot = Snapshot(
      job: Job(
        scope: request.scope.rawValue, target: request.target,
        requester: request.excluded.first ?? ownProcess))
  }

  /// Everything but the contents of memory and files.
  mutating func collect<E: Engine & ~Copyable>(
    _ frozen: Frozen, by engine: inout E, until deadline: Deadline
  ) throws(Failure) {
    identities.beginConfirming()
    job = Set(frozen.members.map { $0.id.rawValue })
    try describeJob(root: frozen.members.first?.id)
    for member in frozen.members {
      try deadline.check()
      if member.stat.isZombie {
        snapshot.processes.append(zombie(member))
      } else {
        let process = try collectProcess(member, by: &engine)
        snapshot.processes.append(process)
      }
    }
    try collectMessages()
    try finishPipes()
    try finishTerminals()
    try finishSockets()
    try finishConnections()
    finishWatches()
    finishProcessHandles()
    finishEpolls()
    dropRefused()
    try finishSharedMemories(by: &engine)
    try finishSystemV(by: &engine)
    joinDeletedFiles()
    if let failure = problems.failure { throw failure }
    snapshot.job.warnings = warnings
  }

  /// By what number the kernel shows memory and files of a process: those of a main thread that has ended are
  /// gone for /proc, ptrace(2) and pidfd_getfd(2), and the other threads have them.
  func reach(_ process: ProcessID) -> ProcessID { speakers[process.rawValue] ?? process }

  private mutating func describeJob(root: ProcessID?) throws(Failure) {
    snapshot.job.time = TimeValue(Clock.realTime)
    let offsets = root.map { Namespaces.clockOffsets(of: $0) }
    snapshot.job.monotonic = TimeValue(Clock.monotonic) + (offsets?.monotonic ?? TimeValue())
    snapshot.job.bootTime = TimeValue(Clock.bootTime) + (offsets?.bootTime ?? TimeValue())
    guard let names = try? HostNames() else { return }
    snapshot.job.host = names.host
    snapshot.job.toolVersion = ByteString(Release.version)
    snapshot.job.kernelRelease = names.release
    snapshot.job.kernelVersion = names.version
    snapshot.job.machineName = names.machine
  }

  /// A dead process that its parent has not waited for: its status is all that is left of it.
  private func zombie(_ member: Frozen.Member) -> Process {
    let parent = snapshot.processes.first { $0.id == member.stat.parent }
    var process = Process(
      id: member.id, parent: member.stat.parent, machine: parent?.machine ?? .native)
    process.describe(member.stat)
    process.state = .zombie(waitStatus: member.stat.exitStatus)
    return process
  }
}

extension Process {
  /// What /proc/PID/stat says of it.
  mutating func describe(_ stat: ProcessStat) {
    group = stat.group
    session = stat.session
    exitSignal = stat.exitSignal
    name = stat.name
    controllingTerminal = stat.terminal
    foregroundGroup = stat.terminal == 0 ? ProcessID(0) : stat.foregroundGroup
  }
}

extension TimeValue {
  init(_ clock: Clock) {
    let (seconds, nanoseconds) = clock.now
    self.init(seconds: seconds, nanoseconds: nanoseconds)
  }

  fileprivate static func + (one: TimeValue, other: TimeValue) -> TimeValue {
    let nanoseconds = one.nanoseconds + other.nanoseconds
    return TimeValue(
      seconds: one.seconds + other.seconds + nanoseconds / 1_000_000_000,
      nanoseconds: nanoseconds % 1_000_000_000)
  }
}
