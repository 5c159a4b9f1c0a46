// SPDX-License-Identifier: Apache-2.0
import Architecture
import Engine
import Linux
import Snapshot

/// What happened to a `ScriptedEngine`, to be looked at when it is gone.
final class Journal {
  var held: Set<ProcessID> = []
  var everHeld: Set<ProcessID> = []
  /// Steps that can fail, in the order in which they were made.
  var steps: [StaticString] = []
  var savedBytes: UInt64 = 0
}

/// An engine without hands: it stops nobody, answers every question with zeros, and fails at one
/// chosen step. Everything that does not go through an engine is read from a real process.
struct ScriptedEngine: Engine, ~Copyable {
  let journal: Journal
  /// The number of the step that fails, counted from 1; 0 for none.
  let failingStep: Int
  let errno: Errno

  init(_ journal: Journal, failingStep: Int = 0, errno: Errno = .io) {
    self.journal = journal
    self.failingStep = failingStep
    self.errno = errno
  }

  private func step(_ name: StaticString, _ process: ProcessID) throws(EngineError) {
    journal.steps.append(name)
    if journal.steps.count == failingStep { throw EngineError(name, process, errno) }
  }

  mutating func hold(_ process: ProcessID, until deadline: Deadline) throws(EngineError) {
    try step("stop process", process)
    journal.held.insert(process)
    journal.everHeld.insert(process)
  }

  func threads(of process: ProcessID) -> [ThreadID] { [process.leader] }

  mutating func release(_ process: ProcessID, stopped: Bool) throws(EngineError) {
    journal.held.remove(process)
    try step("release process", process)
  }

  mutating func release(_ processes: [ProcessID]) {
    for process in processes { try? release(process, stopped: false) }
  }

  func registers(of thread: ThreadID) throws(EngineError) -> Registers {
    try step("read registers", ProcessID(thread.rawValue))
    return Registers(
      generalRegisters: [UInt8](repeating: 0, count: X86_64.registerCount * 8), machine: .x86_64)!
  }

  mutating func setRegisters(_ registers: Registers, of thread: ThreadID) throws(EngineError) {
    fatalError("a checkpoint changes no registers")
  }

  func registerSet(_ noteType: UInt32, of thread: ThreadID) throws(EngineError) -> [UInt8] {
    try step("read registers", ProcessID(thread.rawValue))
    return [UInt8](repeating: 0, count: 576)
  }

  mutating func setRegisterSet(
    _ noteType: UInt32, to bytes: [UInt8], of thread: ThreadID
  ) throws(EngineError) { fatalError("a checkpoint changes no registers") }

  func cpuAffinity(of thread: ThreadID) throws(EngineError) -> [UInt8] { [1] }

  func signalMask(of thread: ThreadID) throws(EngineError) -> UInt64 {
    try step("read signal mask", ProcessID(thread.rawValue))
    return 0
  }

  mutating func setSignalMask(_ mask: UInt64, of thread: ThreadID) throws(EngineError) {
    fatalError("a checkpoint changes no signal masks")
  }

  func pendingSignals(of thread: ThreadID, shared: Bool) throws(EngineError) -> [[UInt8]] {
    try step("read pending signals", ProcessID(thread.rawValue))
    return []
  }

  func restartableSequence(of thread: ThreadID) throws(EngineError) -> RestartableSequence {
    try step("read rseq", ProcessID(thread.rawValue))
    return RestartableSequence(area: 0, length: 0, signature: 0)
  }

  func seccompFilters(of thread: ThreadID) throws(EngineError) -> [SeccompFilter] { [] }

  func stopSignal(of process: ProcessID) -> Int32 { 0 }

  mutating func call(
    _ name: SystemCallName, _ arguments: [UInt64], in thread: ThreadID
  ) throws(EngineError) -> Result<UInt64, Errno> {
    try step("make system call", ProcessID(thread.rawValue))
    return .success(0)
  }

  mutating func begin(
    _ call: SystemCall, in thread: ThreadID
  ) throws(EngineError) -> BegunCall { .notBegun }

  mutating func callEach(_ calls: [ThreadCall]) throws(EngineError) -> [Result<UInt64, Errno>] {
    try step("make system calls", ProcessID(calls[0].thread.rawValue))
    return calls.map { _ in .success(0) }
  }

  mutating func callSequences(_ sequences: [CallSequence]) throws(EngineError) {
    try step("make system calls", ProcessID(sequences[0].thread.rawValue))
  }

  mutating func scratch(in process: ProcessID) throws(EngineError) -> MemoryRange {
    try step("make scratch memory", process)
    return MemoryRange(start: 0x1000, count: 65536)
  }

  mutating func placeScratch(
    in process: ProcessID, at address: UInt64
  ) throws(EngineError) -> MemoryRange { fatalError("only a restart does") }

  var scratchSpan: UInt64 { 65536 }

  func ownMemory(in process: ProcessID) -> [MemoryRange] {
    [MemoryRange(start: 0x1000, count: 65536)]
  }

  func read(_ range: MemoryRange, of process: ProcessID) throws(EngineError) -> [UInt8] {
    try step("read memory", process)
    return [UInt8](repeating: 0, count: Int(range.count))
  }

  mutating func write(
    _ bytes: [UInt8], to address: UInt64, of process: ProcessID
  ) throws(EngineError) { try step("write memory", process) }

  mutating func save(
    _ pieces: [Extent], of process: ProcessID, to file: borrowing FileDescriptor,
    progress: (UInt64) throws(EngineError) -> Void
  ) throws(EngineError) {
    for piece in pieces {
      try step("write memory", process)
      do throws(Errno) {
        try file.write([UInt8](repeating: 0, count: Int(piece.count)), at: piece.fileOffset)
      } catch { throw EngineError("write memory", process, error) }
      journal.savedBytes += piece.count
      try progress(piece.count)
    }
  }

  mutating func load(
    _ pieces: [LoadPiece], of process: ProcessID, from file: borrowing FileDescriptor,
    progress: (UInt64) throws(EngineError) -> Void
  ) throws(EngineError) { fatalError("only a restart does") }

  mutating func spawn(_ request: SpawnRequest) throws(EngineError) -> ProcessID {
    fatalError("only a restart does")
  }

  mutating func spawnThreads(
    _ ids: [ThreadID?], in process: ProcessID
  ) throws(EngineError) -> [ThreadID] { fatalError("only a restart does") }

  mutating func kill(_ process: ProcessID) { fatalError("a checkpoint kills nobody by this way") }
}
