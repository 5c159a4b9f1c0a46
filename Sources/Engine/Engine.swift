// SPDX-License-Identifier: Apache-2.0
import Architecture
import Linux
import Snapshot

/// A way of reaching into processes: to hold them still, to act inside them, and to make new ones.
///
/// An engine has no opinion of what to save or in which order; that is written once, in the modules
/// Checkpoint and Restart. There are no optional steps. Whatever happens to the engine, also
/// SIGKILL, a held process must go on unharmed; `release` and the engine's own end both see to it.
public protocol Engine: ~Copyable {
  // MARK: Holding

  /// Stops every thread of a running process, those that appear meanwhile too.
  ///
  /// Throws ETIMEDOUT when a thread does not stop before `deadline` (a vfork parent, or a call that
  /// cannot be interrupted), after letting everything run again; ESRCH, EPERM as ptrace(2).
  mutating func hold(_ process: ProcessID, until deadline: Deadline) throws(EngineError)

  /// The held threads of a process, its leader first; empty for a process that is not held.
  func threads(of process: ProcessID) -> [ThreadID]

  /// Lets a held process go on exactly where it was, or, after `setRegisters`, where it was put.
  ///
  /// Scratch memory and descriptors that the engine placed in it are gone. A job-control stop that
  /// was in force is in force again; `stopped` asks for one anew (a restored stopped process).
  mutating func release(_ process: ProcessID, stopped: Bool) throws(EngineError)

  // MARK: Running under our eyes

  /// Lets the threads of a held process run, but for some (by id), without letting go of it: `hold`
  /// stops them again, and if we die they just run on. Until then nothing can be done in it, except
  /// that its memory can be read and written.
  mutating func run(
    _ process: ProcessID, but standing: Set<Int32>) throws(EngineError)

  /// Waits until a thread of one of these running processes queues the process's signal to itself with a
  /// value below 0x80 (a greater one, and every other signal, reaches the program as ever); nil when
  /// `milliseconds` have passed.
  mutating func awaitCall(
    of callers: [Caller], milliseconds: Int32
  ) throws(EngineError) -> WatchedEvent?

  /// Lets several go together, none of them before all can go; one that is gone is passed over.
  mutating func release(_ processes: [ProcessID])

  // MARK: Looking and acting inside

  /// The registers a thread had when it was held, an interrupted system call still visible.
  func registers(of thread: ThreadID) throws(EngineError) -> Registers
  /// What the thread will have when it is released.
  mutating func setRegisters(_ registers: Registers, of thread: ThreadID) throws(EngineError)

  /// A further regset by its ELF note type; empty if this kernel or processor has none of it.
  func registerSet(_ noteType: UInt32, of thread: ThreadID) throws(EngineError) -> [UInt8]
  mutating func setRegisterSet(
    _ noteType: UInt32, to bytes: [UInt8], of thread: ThreadID) throws(EngineError)

  /// The thread's own signal mask (not the one it has while calls are made in it).
  func signalMask(of thread: ThreadID) throws(EngineError) -> UInt64

  /// CPUs on which a held thread may run, as sched_getaffinity(2) gave them when it was stopped: an
  /// engine may bind it to another while it is held.
  func cpuAffinity(of thread: ThreadID) throws(EngineError) -> [UInt8]
  mutating func setSignalMask(_ mask: UInt64, of thread: ThreadID) throws(EngineError)

  /// Pending `siginfo_t` records, of the whole process or of the thread alone; they stay pending.
  func pendingSignals(
    of thread: ThreadID, shared: Bool
  ) throws(EngineError) -> [[UInt8]]

  /// rseq(2) registration; area 0 if there is none or the kernel cannot tell.
  func restartableSequence(of thread: ThreadID) throws(EngineError) -> RestartableSequence

  /// seccomp(2) filters of a thread, in the order in which they were set; EPERM or EACCES for whoever may
  /// not have them (CAP_SYS_ADMIN). The calls that a thread makes for us are not judged by them; where that
  /// cannot be had `call` and its like throw EPERM.
  func seccompFilters(of thread: ThreadID) throws(EngineError) -> [SeccompFilter]

  /// The signal that stopped a process held in a job-control stop; 0 if it was running.
  func stopSignal(of process: ProcessID) -> Int32

  /// Makes one system call in a held thread and returns its result; its error is an outcome.
  ///
  /// ENOSYS where the target's processor has no such call. Signals do not interrupt it.
  mutating func call(
    _ name: SystemCallName, _ arguments: [UInt64], in thread: ThreadID
  ) throws(EngineError) -> Result<UInt64, Errno>

  /// Has a thread of the engine's making begin a call and interrupts it at once, so that the kernel knows the moment
  /// at which it is to end: given the registers of one that was interrupted in it, the thread goes on with that.
  mutating func begin(
    _ call: SystemCall, in thread: ThreadID
  ) throws(EngineError) -> BegunCall

  /// Makes the same-shaped call in many threads at once (they run side by side); results in order.
  mutating func callEach(
    _ calls: [ThreadCall]
  ) throws(EngineError) -> [Result<UInt64, Errno>]

  /// Makes several calls, one after the other, in each of many threads, which run side by side. How
  /// a call ended is not told, and one that fails does not keep the next from being made: what is
  /// to be known must be what they leave in memory.
  mutating func callSequences(_ sequences: [CallSequence]) throws(EngineError)

  /// At least 64 KiB of memory of the engine's own inside the process, for arguments of calls.
  /// Not part of the program's memory: gone at release. Made at the first use.
  mutating func scratch(in process: ProcessID) throws(EngineError) -> MemoryRange

  /// Puts the scratch memory at this free place, page aligned, `scratchSpan` bytes long, so that it
  /// is not in the way of what is mapped next. In a spawned process calls are made from there, so
  /// that its own code, the vdso included, may be unmapped.
  mutating func placeScratch(
    in process: ProcessID, at address: UInt64
  ) throws(EngineError) -> MemoryRange
  /// Bytes that the scratch memory takes in all.
  var scratchSpan: UInt64 { get }

  /// Where memory of the engine's own is inside a held process at the moment, the scratch memory
  /// included. Not part of the program's memory, though the kernel may have joined it with a
  /// neighbour of the same kind in what /proc/PID/maps shows.
  func ownMemory(in process: ProcessID) -> [MemoryRange]

  /// Copies memory out; throws EFAULT if any of it is not mapped.
  func read(
    _ range: MemoryRange, of process: ProcessID
  ) throws(EngineError) -> [UInt8]
  /// Copies memory in, whatever its protection.
  mutating func write(
    _ bytes: [UInt8], to address: UInt64, of process: ProcessID) throws(EngineError)

  // MARK: Memory in bulk

  /// Writes ranges of a process's memory to a file, each at its own file offset, by the fastest way.
  ///
  /// `file` is seekable and open for writing in this process. Errors of writing (ENOSPC …) come
  /// back as they are. `progress` is told the number of bytes after each step and may throw to stop.
  mutating func save(
    _ pieces: [Extent], of process: ProcessID, to file: borrowing FileDescriptor,
    progress: (UInt64) throws(EngineError) -> Void
  ) throws(EngineError)

  /// Fills memory of a held process from a file. The ranges are mapped and were never touched;
  /// `kinds` of memory decide the way (userfaultfd copy, preadv), see `LoadPiece`.
  mutating func load(
    _ pieces: [LoadPiece], of process: ProcessID, from file: borrowing FileDescriptor,
    progress: (UInt64) throws(EngineError) -> Void
  ) throws(EngineError)

  // MARK: Making

  /// Makes a process that is held before its first instruction, running the wanted executable:
  /// an address space of the right kind with nothing of ours in it but the kernel's own mappings.
  ///
  /// As a child of this process, or of a spawned one (`SpawnRequest.parent`), which inherits as
  /// fork(2) says: descriptors (the exec closes those with FD_CLOEXEC), session, group, directories.
  /// Without an executable it can make calls, as a copy of its held parent, and never runs.
  /// EEXIST if the pid is taken.
  mutating func spawn(_ request: SpawnRequest) throws(EngineError) -> ProcessID

  /// Adds threads to a held process with these ids (nil: any), held as well.
  mutating func spawnThreads(
    _ ids: [ThreadID?], in process: ProcessID
  ) throws(EngineError) -> [ThreadID]

  /// Takes a process out of the engine's hands for good: it is killed and, if it is our child, waited for.
  mutating func kill(_ process: ProcessID)
}

/// One run of memory to be filled.
public struct LoadPiece: Sendable {
  public enum Kind: Sendable {
    /// Private anonymous memory in small pages: may be filled page by page by the kernel.
    case anonymous
    /// Everything else that is mapped and writable: private file pages, huge-page areas, shared.
    case mapped
  }

  public var kind: Kind
  public var extent: Extent

  public init(kind: Kind, extent: Extent) {
    self.kind = kind
    self.extent = extent
  }
}

/// What became of a call that was to be interrupted at once.
public enum BegunCall: Sendable {
  case interrupted
  /// There was nothing to wait for.
  case returned(Int64)
  /// This processor's kernel, or the engine, has no way of going on with it.
  case notBegun
}

/// A call for one thread of many.
public struct ThreadCall: Sendable {
  public var thread: ThreadID
  public var name: SystemCallName
  public var arguments: [UInt64]

  public init(thread: ThreadID, name: SystemCallName, arguments: [UInt64]) {
    self.thread = thread
    self.name = name
    self.arguments = arguments
  }
}

/// Calls for one thread of many, in their order.
public struct CallSequence: Sendable {
  public var thread: ThreadID
  public var calls: [(name: SystemCallName, arguments: [UInt64])]

  public init(thread: ThreadID, calls: [(name: SystemCallName, arguments: [UInt64])]) {
    self.thread = thread
    self.calls = calls
  }
}

/// rseq(2) as the kernel has it for a thread.
public struct RestartableSequence: Sendable {
  public var area: UInt64
  public var length: UInt32
  public var signature: UInt32

  public init(area: UInt64, length: UInt32, signature: UInt32) {
    self.area = area
    self.length = length
    self.signature = signature
  }
}

/// What a new process must be from its birth on, since it cannot be changed later.
public struct SpawnRequest: Sendable {
  /// The pid to have; nil for any.
  public var id: ProcessID?
  /// A held process that becomes its parent; nil for this process itself.
  public var parent: ProcessID?
  /// clone3's exit_signal.
  public var exitSignal: Int32
  /// What to execute; empty: nothing (a zombie to be, it never runs user code).
  public var executable: ByteString
  /// personality(2) before the exec, since it shapes the address space.
  public var personality: UInt32
  /// Becomes leader of a new session before anything is made below it.
  public var newSession: Bool
  /// What it has in common with `parent`. With memory or descriptors among them nothing is
  /// executed, since an exec would part them: it starts as a fork of its parent.
  public var sharing: Sharing

  /// clone(2) flags of a process that is no mere thread.
  public struct Sharing: OptionSet, Sendable {
    public var rawValue: UInt64
    public init(rawValue: UInt64) { self.rawValue = rawValue }

    /// CLONE_VM, CLONE_FS, CLONE_FILES.
    public static let memory = Sharing(rawValue: 0x100)
    public static let directories = Sharing(rawValue: 0x200)
    public static let descriptors = Sharing(rawValue: 0x400)
  }

  public init(executable: ByteString) {
    id = nil
    parent = nil
    exitSignal = 17
    self.executable = executable
    personality = 0
    newSession = false
    sharing = []
  }
}
