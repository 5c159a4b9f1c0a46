// SPDX-License-Identifier: Apache-2.0
import Architecture
import CLinux
import Engine
import Linux
import Snapshot

/// Calls in held threads. A thread goes on with registers that lead it to an instruction of ours, at
/// the end of a page behind which the module waits for it (kmod/place.c), and has its own again.
extension KernelEngine {
  public mutating func call(
    _ name: SystemCallName, _ arguments: [UInt64], in thread: ThreadID
  ) throws(EngineError) -> Result<UInt64, Errno> {
    try call(name, arguments, in: thread, nextID: 0)
  }

  /// - Parameter nextID: what the task that the call makes shall have; 0 for any.
  mutating func call(
    _ name: SystemCallName, _ arguments: [UInt64], in thread: ThreadID, nextID: Int32
  ) throws(EngineError) -> Result<UInt64, Errno> {
    let held = try heldThread(thread)
    let process = try self.held(held.process)
    try refuseSeccomp(name, arguments, in: process.id)
    let machine = try standing(held)
    guard let number = machine.number(of: name) else { return .failure(.notImplemented) }
    var sequence = try prepared(
      [SystemCall(number: number, arguments: arguments)], in: held, of: process)
    sequence.nextID = nextID
    var sequences = [sequence]
    try make(&sequences, for: process.id)
    switch name {
    case .execve, .execveat:
      // A new program: nothing that we knew of the old one holds.
      if let result = sequences[0].result(0), case .failure = result { return result }
      guard sequences[0].done > 0 else { break }
      held.registers = nil
      process.scratch = nil
      return .success(0)
    case .exit, .exitGroup:
      guard sequences[0].done == 0 else { break }
      if name == .exitGroup || process.threads.count == 1 {
        forget(process)
        awaitEnd(of: process)
      } else {
        process.threads.removeAll { $0 === held }
        tasks[thread.rawValue] = nil
      }
      return .success(0)
    default: break
    }
    guard let result = sequences[0].result(0) else {
      throw EngineError("call in thread", process.id, .noProcess)
    }
    return result
  }

  /// The module brings calls to their end.
  public mutating func begin(
    _ call: SystemCall, in thread: ThreadID
  ) throws(EngineError) -> BegunCall { .notBegun }

  public mutating func callEach(
    _ calls: [ThreadCall]
  ) throws(EngineError) -> [Result<UInt64, Errno>] {
    var results = [Result<UInt64, Errno>](repeating: .failure(.notImplemented), count: calls.count)
    var sequences: [Sequence] = []
    var indexes: [Int] = []
    var again: [Int] = []
    var busy: Set<Int32> = []
    for (index, call) in calls.enumerated() {
      let held = try heldThread(call.thread)
      guard let number = try standing(held).number(of: call.name) else { continue }
      // One call of a thread at a time.
      if !busy.insert(call.thread.rawValue).inserted {
        again.append(index)
        continue
      }
      sequences.append(
        try prepared(
          [SystemCall(number: number, arguments: call.arguments)], in: held,
          of: try self.held(held.process)))
      indexes.append(index)
    }
    guard let first = sequences.first else { return results }
    try make(&sequences, for: first.thread.process)
    for (place, index) in indexes.enumerated() {
      guard let result = sequences[place].result(0) else {
        throw EngineError("call in thread", sequences[place].thread.process, .noProcess)
      }
      results[index] = result
    }
    if !again.isEmpty {
      for (index, result) in zip(again, try callEach(again.map { calls[$0] })) {
        results[index] = result
      }
    }
    return results
  }

  public mutating func callSequences(_ sequences: [CallSequence]) throws(EngineError) {
    var prepared: [Sequence] = []
    for sequence in sequences {
      let held = try heldThread(sequence.thread)
      let registers = try standing(held)
      let calls = sequence.calls.compactMap { call in
        registers.number(of: call.name).map {
          SystemCall(number: $0, arguments: call.arguments)
        }
      }
      if calls.isEmpty { continue }
      prepared.append(try self.prepared(calls, in: held, of: try self.held(held.process)))
    }
    guard let first = prepared.first else { return }
    try make(&prepared, for: first.thread.process)
  }

  // MARK: One trip into the kernel

  /// Calls of one thread, as the module takes them.
  private struct Sequence {
    let thread: HeldThread
    let machine: Machine
    var registers: [UInt8]
    let count: Int
    var nextID: Int32 = 0
    var done = 0

    var size: Int { registers.count / count }

    /// nil where the thread has ended before.
    func result(_ index: Int) -> Result<UInt64, Errno>? {
      guard index < done else { return nil }
      return Registers(
        generalRegisters: Array(registers[index * size ..< (index + 1) * size]), machine: machine)?
        .outcome
    }
  }

  private mutating func prepared(
    _ calls: [SystemCall], in thread: HeldThread, of held: HeldProcess
  ) throws(EngineError) -> Sequence {
    if held.isBlank { throw EngineError("call in process", held.id, .notSupported) }
    let own = try standing(thread)
    let bell = try bell(for: own, in: held)
    let instruction = bell - UInt64(own.systemCallInstruction.count)
    var bytes: [UInt8] = []
    for call in calls {
      var registers = own
      registers.prepare(call, at: instruction)
      bytes += registers.generalRegisters
    }
    return Sequence(thread: thread, machine: own.machine, registers: bytes, count: calls.count)
  }

  private func make(_ sequences: inout [Sequence], for process: ProcessID) throws(EngineError) {
    var requests = [cr_sequence](repeating: cr_sequence(), count: sequences.count)
    // All of their registers in one piece, since each must stay where it is.
    var bytes: [UInt8] = []
    var offsets: [Int] = []
    for sequence in sequences {
      offsets.append(bytes.count)
      bytes += sequence.registers
    }
    var failure: EngineError?
    bytes.withUnsafeMutableBytes { buffer in
      for (index, sequence) in sequences.enumerated() {
        requests[index].tid = sequence.thread.id.rawValue
        requests[index].count = UInt32(sequence.count)
        requests[index].registers = reference(buffer.baseAddress! + offsets[index])
        requests[index].size = UInt32(sequence.size)
        requests[index].next_pid = sequence.nextID
      }
      requests.withUnsafeMutableBytes { list in
        var request = cr_calls()
        request.sequences = reference(list.baseAddress)
        request.count = UInt32(sequences.count)
        do throws(EngineError) {
          try ask("call in thread", process, cr_calls_request(), &request)
        } catch { failure = error }
      }
    }
    if let failure { throw failure }
    for index in sequences.indices {
      let size = sequences[index].registers.count
      sequences[index].registers = Array(bytes[offsets[index] ..< offsets[index] + size])
      sequences[index].done = Int(requests[index].done)
    }
  }

  // MARK: Scratch memory

  public mutating func scratch(in process: ProcessID) throws(EngineError) -> MemoryRange {
    let held = try held(process)
    return try place(in: held, at: 0).open
  }

  public var scratchSpan: UInt64 {
    UInt64(CR_SCRATCH_OPEN) + 2 * UInt64(sysconf(Int32(_SC_PAGESIZE)))
  }

  public mutating func placeScratch(
    in process: ProcessID, at address: UInt64
  ) throws(EngineError) -> MemoryRange {
    let held = try held(process)
    held.scratch = nil
    return try place(in: held, at: address).open
  }

  public func ownMemory(in process: ProcessID) -> [MemoryRange] {
    guard let scratch = processes[process.rawValue]?.scratch else { return [] }
    return [scratch.range]
  }

  private func place(in held: HeldProcess, at address: UInt64) throws(EngineError) -> Scratch {
    if let scratch = held.scratch { return scratch }
    var request = cr_scratch()
    request.pid = held.id.rawValue
    request.address = address
    try ask("make scratch memory", held.id, cr_scratch_request(), &request)
    let scratch = Scratch(
      range: MemoryRange(start: request.open, end: request.end),
      open: MemoryRange(start: request.open, count: UInt64(CR_SCRATCH_OPEN)),
      bell: request.bell, machine: nil)
    held.scratch = scratch
    return scratch
  }

  /// The end of the instruction that such a thread makes calls by.
  private func bell(for registers: Registers, in held: HeldProcess) throws(EngineError) -> UInt64 {
    let scratch = try place(in: held, at: 0)
    if scratch.machine == registers.machine { return scratch.bell }
    let instruction = registers.systemCallInstruction
    try put(instruction, to: scratch.bell - UInt64(instruction.count), of: held)
    held.scratch?.machine = registers.machine
    return scratch.bell
  }
}
