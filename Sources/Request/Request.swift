// SPDX-License-Identifier: Apache-2.0
import Linux

/// Which processes a checkpoint takes; the raw values are `CR_SCOPE_*` of libcr.h.
public enum Scope: UInt32, Sendable {
  case process = 0
  case group = 1
  case session = 2
  case tree = 3
}

/// What to do about a target that is being traced, or that traces others (ptrace(2)).
public enum TracedPolicy: Sendable {
  /// The request fails with CR_EPTRACED (2360) or CR_EPTRACER (2361).
  case error
  /// It is left out, and in a tree everything that descends from it.
  case skip
  /// It is saved all the same, by an engine that is no tracer itself.
  case allow
}

/// What somebody asked to be saved.
public struct CheckpointRequest: Sendable {
  public var scope: Scope
  public var target: Int32
  /// Give up, leaving everything as it was, when this many seconds have passed; 0 for never.
  public var timeLimit: UInt32
  /// Sent to every process after it was saved; 0 for none.
  public var signal: Int32
  /// Processes never taken: the tool itself and its helpers.
  public var excluded: [ProcessID]
  /// A target that somebody traces, and a target that traces somebody.
  public var tracedTargets = TracedPolicy.error
  public var tracingTargets = TracedPolicy.error
  /// Descriptors that cannot be carried are closed in the restored program instead of an error.
  public var skipsUnsupported = false
  /// TCP connections that lead out of the job are reset in the restored program, likewise.
  public var closesConnections = false
  /// Those go on in the restored program where that is possible (CAP_NET_ADMIN).
  public var keepsConnections = false
  /// Who asked, if not this tool by itself: libcr's caller.
  public var requester: ProcessID?
  /// Fail with EDEADLK rather than take the requester.
  public var prohibitsRequester = false
  /// Fail with CR_ENOSUPPORT (2356) where a process has none of libcr's libraries.
  public var requiresLibrary = false
  /// Which mapped files go into the context file, so that a restart does not need them.
  public var savedFiles: SavedFiles = []

  public init(scope: Scope, target: Int32) {
    self.scope = scope
    self.target = target
    timeLimit = 0
    signal = 0
    excluded = []
  }
}

/// Kinds of mapped files whose contents are saved.
public struct SavedFiles: OptionSet, Sendable {
  public var rawValue: UInt8
  public init(rawValue: UInt8) { self.rawValue = rawValue }

  public static let executable = SavedFiles(rawValue: 1)
  /// Everything that is mapped privately: the executable and libraries among it.
  public static let privately = SavedFiles(rawValue: 2)
  public static let shared = SavedFiles(rawValue: 4)
}

/// How a restart is wanted.
public struct RestartRequest: Sendable {
  public var restoreProcessIDs = true
  public var restoreGroups = false
  public var restoreSessions = false
  /// System V objects get the ids and keys they had.
  public var restoreSystemV = true
  /// Control groups that were the job's own are entered.
  public var restoreControlGroups = true
  /// The clocks since boot go on where they stood, in a time namespace.
  public var restoreClock = false
  /// Memory is filled while the processes run.
  public var isLazy = false
  /// Sent to every restarted process instead of just letting it run; 0 for none.
  public var signal: Int32 = 0
  /// Applied to every path in the context file, the first that fits; at most `Relocation.limit`.
  public var relocations: [Relocation] = []
  /// Who asked, if not this tool by itself.
  public var requester: ProcessID?
  /// Our supplementary groups, by the numbers they have outside of the user namespace we are in.
  public var groups: [UInt32]?
  /// Path of the context file, for the programs' information; empty if it has none.
  public var source: ByteString = ""

  public init() {}
}

/// Why a request was not carried out: a number for the exit status and a sentence for a person.
public struct Failure: Error, Sendable {
  /// An errno value, or one of libcr's (`CR_ETEMPFAIL` 2354 …).
  public var errno: Errno
  /// What failed, on which process, descriptor or path, the kernel's reason, and what to do.
  public var message: ByteString

  public init(_ errno: Errno, _ message: ByteString) {
    self.errno = errno
    self.message = message
  }
}
