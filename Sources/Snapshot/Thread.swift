// SPDX-License-Identifier: Apache-2.0
import Architecture
import Linux

/// One thread: what the kernel keeps for it and not for its process.
public struct Thread: Sendable {
  public var id: ThreadID
  /// As they were at the stop: an interrupted system call is still visible in them.
  public var registers: Registers
  /// The further regsets, in the order in which they must be set.
  public var registerSets: [RegisterSet]

  /// Of the time limit of the interrupted call, in nanoseconds, where only the kernel knew it; nil: not known.
  public var timeLeft: UInt64?

  /// Bit n−1 for signal n.
  public var signalMask: UInt64
  /// Pending for this thread only: `siginfo_t` records.
  public var pendingSignals: [[UInt8]]
  /// sigaltstack(2).
  public var alternateStack: AlternateStack

  /// set_robust_list(2): address of the list head, and its size.
  public var robustList: UInt64
  public var robustListLength: UInt64
  /// set_tid_address(2): where the kernel writes 0 when the thread ends.
  public var clearChildTID: UInt64
  /// rseq(2): area address (0: none), its length, the signature and the flags.
  public var rseqArea: UInt64
  public var rseqLength: UInt32
  public var rseqSignature: UInt32

  /// PR_GET_NAME, at most 15 bytes.
  public var name: ByteString
  public var scheduling: Scheduling
  public var credentials: Credentials
  /// PR_GET_PDEATHSIG; 0 for none.
  public var parentDeathSignal: Int32
  public var noNewPrivileges: Bool
  /// PR_GET_TIMERSLACK in nanoseconds.
  public var timerSlack: UInt64
  /// 0 none, 1 strict, 2 filter (/proc/PID/status, Seccomp).
  public var seccompMode: UInt32
  /// Its filters, by index into `Process.seccompFilters`, in the order in which they were set.
  public var seccompFilters: [UInt32] = []

  public init(id: ThreadID, registers: Registers) {
    self.id = id
    self.registers = registers
    registerSets = []
    signalMask = 0
    pendingSignals = []
    alternateStack = AlternateStack(address: 0, size: 0, flags: 2)
    robustList = 0
    robustListLength = 0
    clearChildTID = 0
    rseqArea = 0
    rseqLength = 0
    rseqSignature = 0
    name = ""
    scheduling = Scheduling()
    credentials = Credentials()
    parentDeathSignal = 0
    noNewPrivileges = false
    timerSlack = 50_000
    seccompMode = 0
  }
}

/// A regset as PTRACE_GETREGSET gives it: its ELF note type (NT_*) and its bytes.
public struct RegisterSet: Sendable {
  public var noteType: UInt32
  public var bytes: [UInt8]

  public init(noteType: UInt32, bytes: [UInt8]) {
    self.noteType = noteType
    self.bytes = bytes
  }
}

/// `stack_t`; flags SS_ONSTACK 1, SS_DISABLE 2, SS_AUTODISARM 1<<31.
public struct AlternateStack: Sendable {
  public var address: UInt64
  public var size: UInt64
  public var flags: UInt32

  public init(address: UInt64, size: UInt64, flags: UInt32) {
    self.address = address
    self.size = size
    self.flags = flags
  }
}

/// sched_setattr(2), sched_setaffinity(2) and ioprio_set(2).
public struct Scheduling: Sendable {
  public var policy: UInt32
  public var flags: UInt64
  public var nice: Int32
  public var priority: UInt32
  /// SCHED_DEADLINE's, in nanoseconds.
  public var runtime: UInt64
  public var deadline: UInt64
  public var period: UInt64
  /// Bit mask of CPUs, lowest first; empty: not known.
  public var affinity: [UInt8]
  public var ioPriority: UInt32

  public init() {
    policy = 0
    flags = 0
    nice = 0
    priority = 0
    runtime = 0
    deadline = 0
    period = 0
    affinity = []
    ioPriority = 0
  }
}

/// credentials(7) and capabilities(7).
public struct Credentials: Hashable, Sendable {
  /// Real, effective, saved, file-system.
  public var userIDs: [UInt32]
  public var groupIDs: [UInt32]
  public var groups: [UInt32]
  public var inheritable: UInt64
  public var permitted: UInt64
  public var effective: UInt64
  public var bounding: UInt64
  public var ambient: UInt64
  public var secureBits: UInt32

  public init() {
    userIDs = [0, 0, 0, 0]
    groupIDs = [0, 0, 0, 0]
    groups = []
    inheritable = 0
    permitted = 0
    effective = 0
    bounding = 0
    ambient = 0
    secureBits = 0
  }
}
