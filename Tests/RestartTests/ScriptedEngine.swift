// SPDX-License-Identifier: Apache-2.0
import Architecture
import Engine
import Foundation
import Linux
import Snapshot

/// What happened to a `ScriptedEngine`, to be looked at when it is gone.
final class Journal {
  /// Made, and not killed.
  var living: Set<Int32> = []
  var released: Set<ProcessID> = []
  /// Steps that can fail, in the order in which they were made.
  var steps: [StaticString] = []
  var calls: [SystemCallName] = []
  var loadedBytes: UInt64 = 0

  func end(_ id: ProcessID) {
    guard living.remove(id.rawValue) != nil else { return }
    var status: Int32 = 0
    kill(id.rawValue, SIGKILL)
    waitpid(id.rawValue, &status, 0)
  }

  deinit { for id in living { end(ProcessID(id)) } }
}

/// An engine without hands: what it makes are sleeping programs, which it never touches, and it
/// fails at one chosen step.
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
    fatalError("a restart stops nobody")
  }

  func threads(of process: ProcessID) -> [ThreadID] { [process.leader] }

  mutating func release(_ process: ProcessID, stopped: Bool) throws(EngineError) {
    try step("release process", process)
    journal.released.insert(process)
    if stopped { try? process.send(SIGSTOP) }
  }

  mutating func release(_ processes: [ProcessID]) {
    for process in processes { try? release(process, stopped: false) }
  }

  func registers(of thread: ThreadID) throws(EngineError) -> Registers {
    try step("read registers", ProcessID(thread.rawValue))
    return .zero
  }

  mutating func setRegisters(_ registers: Registers, of thread: ThreadID) throws(EngineError) {
    try step("set registers", ProcessID(thread.rawValue))
  }

  func registerSet(_ noteType: UInt32, of thread: ThreadID) throws(EngineError) -> [UInt8] {
    try step("read registers", ProcessID(thread.rawValue))
    return [UInt8](repeating: 0, count: 576)
  }

  mutating func setRegisterSet(
    _ noteType: UInt32, to bytes: [UInt8], of thread: ThreadID
  ) throws(EngineError) {
    try step("set registers", ProcessID(thread.rawValue))
  }

  func cpuAffinity(of thread: ThreadID) throws(EngineError) -> [UInt8] { [1] }

  func signalMask(of thread: ThreadID) throws(EngineError) -> UInt64 { 0 }

  mutating func setSignalMask(_ mask: UInt64, of thread: ThreadID) throws(EngineError) {
    try step("set signal mask", ProcessID(thread.rawValue))
  }

  func pendingSignals(of thread: ThreadID, shared: Bool) throws(EngineError) -> [[UInt8]] { [] }

  func restartableSequence(of thread: ThreadID) throws(EngineError) -> RestartableSequence {
    RestartableSequence(area: 0, length: 0, signature: 0)
  }

  func seccompFilters(of thread: ThreadID) throws(EngineError) -> [SeccompFilter] { [] }

  func stopSignal(of process: ProcessID) -> Int32 { 0 }

  mutating func call(
    _ name: SystemCallName, _ arguments: [UInt64], in thread: ThreadID
  ) throws(EngineError) -> Result<UInt64, Errno> {
    try step("make system call", ProcessID(thread.rawValue))
    journal.calls.append(name)
    return .success(0)
  }

  mutating func begin(
    _ call: SystemCall, in thread: ThreadID
  ) throws(EngineError) -> BegunCall { .notBegun }

  mutating func callEach(_ calls: [ThreadCall]) throws(EngineError) -> [Result<UInt64, Errno>] {
    try step("make system calls", ProcessID(calls[0].thread.rawValue))
    journal.calls.append(calls[0].name)
    return calls.map { _ in .success(0) }
  }

  mutating func callSequences(_ sequences: [CallSequence]) throws(EngineError) {
    try step("make system calls", ProcessID(sequences[0].thread.rawValue))
  }

  mutating func scratch(in process: ProcessID) throws(EngineError) -> MemoryRange {
    try step("make scratch memory", process)
    return MemoryRange(start: 0x11_0000, count: 65536)
  }

  mutating func placeScratch(
    in process: ProcessID, at address: UInt64
  ) throws(EngineError) -> MemoryRange {
    try step("make scratch memory", process)
    return MemoryRange(start: address, count: 65536)
  }

  var scratchSpan: UInt64 { 65536 }

  func ownMemory(in process: ProcessID) -> [MemoryRange] { [] }

  func read(_ range: MemoryRange, of process: ProcessID) throws(EngineError) -> [UInt8] {
    try step("read memory", process)
    return [UInt8](repeating: 0, count: Int(range.count))
  }

  mutating func write(
    _ bytes: [UInt8], to address: UInt64, of process: ProcessID
  ) throws(EngineError) {
    try step("write memory", process)
  }

  mutating func save(
    _ pieces: [Extent], of process: ProcessID, to file: borrowing FileDescriptor,
    progress: (UInt64) throws(EngineError) -> Void
  ) throws(EngineError) { fatalError("a restart saves nothing") }

  mutating func load(
    _ pieces: [LoadPiece], of process: ProcessID, from file: borrowing FileDescriptor,
    progress: (UInt64) throws(EngineError) -> Void
  ) throws(EngineError) {
    for piece in pieces {
      try step("load memory", process)
      journal.loadedBytes += piece.extent.count
      try progress(piece.extent.count)
    }
  }

  mutating func spawn(_ request: SpawnRequest) throws(EngineError) -> ProcessID {
    try step("make process", request.id ?? ProcessID(0))
    var id: Int32 = 0
    let words = [strdup("sleep"), strdup("60"), nil]
    guard posix_spawn(&id, "/bin/sleep", nil, nil, words, environ) == 0 else {
      throw EngineError("make process", ProcessID(0), .io)
    }
    journal.living.insert(id)
    return ProcessID(id)
  }

  mutating func spawnThreads(
    _ ids: [ThreadID?], in process: ProcessID
  ) throws(EngineError) -> [ThreadID] {
    try step("make threads", process)
    return ids.map { _ in process.leader }
  }

  mutating func kill(_ process: ProcessID) { journal.end(process) }
}

extension Registers {
  static var zero: Registers {
    Registers(
      generalRegisters: [UInt8](repeating: 0, count: X86_64.registerCount * 8), machine: .x86_64)!
  }
}
