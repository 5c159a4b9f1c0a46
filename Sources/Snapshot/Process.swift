// SPDX-License-Identifier: Apache-2.0
import Architecture
import Linux

/// One process of the job.
public struct Process: Sendable {
  public enum State: Sendable {
    case running
    /// Job-control stop (SIGSTOP, SIGTSTP …): stays stopped after a restart. The signal.
    case stopped(signal: Int32)
    /// Dead, not yet waited for. The status as wait4(2) reports it.
    case zombie(waitStatus: Int32)
  }

  public var id: ProcessID
  public var parent: ProcessID
  public var group: ProcessID
  public var session: ProcessID
  public var state: State
  /// The signal its parent gets at its end (clone3's exit_signal); SIGCHLD for a fork.
  public var exitSignal: Int32
  public var machine: Machine

  /// PR_GET_NAME of the leader, at most 15 bytes.
  public var name: ByteString
  /// argv, separated by NULs, as /proc/PID/cmdline shows it. For people.
  public var commandLine: ByteString
  /// The file behind /proc/PID/exe.
  public var executable: FileIdentity

  /// The leader first. Empty for a zombie.
  public var threads: [Thread]
  /// Its main thread has ended while others run on: the status with which that ended, as wait4(2) will report it
  /// in the end. The first of `threads` stands for it, without registers.
  public var leaderStatus: Int32?
  public var memory: AddressSpace
  /// Index into `Snapshot.processes` of the process whose address space this one shares
  /// (CLONE_VM without CLONE_THREAD); its own `memory.regions` are then empty.
  public var sharesMemoryWith: Int?
  /// Likewise for CLONE_FILES: its own `descriptors` are then empty.
  public var sharesDescriptorsWith: Int?
  /// Likewise for CLONE_FS (working directory, root, umask).
  public var sharesDirectoriesWith: Int?

  /// One per signal that is not at its default (sigaction(2)).
  public var signalActions: [SignalAction]
  /// Pending for the process as a whole: `siginfo_t` records as PTRACE_PEEKSIGINFO gives them.
  public var pendingSignals: [[UInt8]]
  /// ITIMER_REAL, ITIMER_VIRTUAL, ITIMER_PROF.
  public var intervalTimers: [IntervalTimer]
  /// timer_create(2).
  public var posixTimers: [PosixTimer] = []

  /// Those of all its threads, each once.
  public var seccompFilters: [SeccompFilter] = []

  public var descriptors: [Descriptor]
  /// Locks it holds on files, and those of its open file descriptions (each once in the job).
  public var fileLocks: [FileLock]
  public var workingDirectory: ByteString
  /// Where the working directory was deleted: its permissions, and S_IFDIR; else 0.
  public var lostDirectoryMode: UInt32 = 0
  public var rootDirectory: ByteString
  public var umask: UInt32
  /// Indexed by RLIMIT_*: soft and hard; all bits set is RLIM_INFINITY.
  public var limits: [ResourceLimit]
  public var personality: UInt32
  /// PR_GET_DUMPABLE.
  public var dumpable: UInt32
  public var isChildSubreaper: Bool
  /// PR_GET_THP_DISABLE.
  public var hugePagesDisabled: Bool
  /// /proc/PID/oom_score_adj and /proc/PID/coredump_filter.
  public var oomScoreAdjustment: Int32
  public var coredumpFilter: UInt32
  /// Has a controlling terminal: its device number, 0 for none; and that terminal's foreground group.
  public var controllingTerminal: UInt64
  public var foregroundGroup: ProcessID

  /// The control groups it was in.
  public var controlGroups: [ControlGroupMembership] = []
  /// MEMBARRIER_CMD_* that it has registered for.
  public var membarrierCommands: UInt32 = 0

  public init(id: ProcessID, parent: ProcessID, machine: Machine) {
    self.id = id
    self.parent = parent
    group = id
    session = id
    state = .running
    exitSignal = 17
    self.machine = machine
    name = ""
    commandLine = ""
    executable = FileIdentity(path: "")
    threads = []
    memory = AddressSpace()
    signalActions = []
    pendingSignals = []
    intervalTimers = []
    descriptors = []
    fileLocks = []
    workingDirectory = "/"
    rootDirectory = "/"
    umask = 0o022
    limits = []
    personality = 0
    dumpable = 1
    isChildSubreaper = false
    hugePagesDisabled = false
    oomScoreAdjustment = 0
    coredumpFilter = 0x33
    controllingTerminal = 0
    foregroundGroup = ProcessID(0)
  }
}

/// sigaction(2) of one signal, in the target's own meaning of flags and addresses.
public struct SignalAction: Sendable {
  public var signal: Int32
  /// 0 SIG_DFL, 1 SIG_IGN, else an address in the target.
  public var handler: UInt64
  public var flags: UInt64
  public var restorer: UInt64
  /// Bit n−1 for signal n.
  public var mask: UInt64

  public init(signal: Int32, handler: UInt64, flags: UInt64, restorer: UInt64, mask: UInt64) {
    self.signal = signal
    self.handler = handler
    self.flags = flags
    self.restorer = restorer
    self.mask = mask
  }
}

/// setitimer(2): time to the next expiry and the interval after it, in microseconds; 0 is off.
public struct IntervalTimer: Sendable {
  public var remaining: UInt64
  public var interval: UInt64

  public init(remaining: UInt64, interval: UInt64) {
    self.remaining = remaining
    self.interval = interval
  }
}

/// timer_create(2): a timer of a process by its id; times in nanoseconds, 0 is off.
public struct PosixTimer: Sendable {
  public var id: Int32
  /// clockid_t, with the ids of the job in it.
  public var clock: Int32
  /// sigev_notify, sigev_signo, sigev_value.
  public var notify: Int32 = 0
  public var signal: Int32 = 0
  public var value: UInt64 = 0
  /// With SIGEV_THREAD_ID: whom it signals; else 0.
  public var thread = ThreadID(0)
  public var remaining: UInt64 = 0
  public var interval: UInt64 = 0

  public init(id: Int32, clock: Int32) {
    self.id = id
    self.clock = clock
  }
}

/// A control group of a process.
public struct ControlGroupMembership: Hashable, Sendable {
  public var group: ControlGroup
  /// Whoever asked for the checkpoint was in another one, so that this is not just where people work.
  public var isOwn: Bool

  public init(_ group: ControlGroup, isOwn: Bool) {
    self.group = group
    self.isOwn = isOwn
  }
}

/// A program that judges system calls: seccomp(2), SECCOMP_SET_MODE_FILTER.
public struct SeccompFilter: Hashable, Sendable {
  /// SECCOMP_FILTER_FLAG_LOG 2.
  public var flags: UInt32
  /// `struct sock_filter` each, 8 bytes.
  public var instructions: [UInt8]

  public init(flags: UInt32, instructions: [UInt8]) {
    self.flags = flags
    self.instructions = instructions
  }

  /// seccomp(2), BPF_MAXINSNS.
  public static let maximumCount = 4096
}

/// prlimit(2).
public struct ResourceLimit: Sendable {
  public var soft: UInt64
  public var hard: UInt64

  public init(soft: UInt64, hard: UInt64) {
    self.soft = soft
    self.hard = hard
  }
}
