// SPDX-License-Identifier: Apache-2.0
import Architecture
import CLinux
import Engine
import Linux
import Snapshot

/// Reaching into processes through the kernel module: it parks their threads on their way to user
/// mode, and keeps what they had while they make calls for us. No tracer is involved, so a process
/// may have another one; and whatever becomes of us, the module lets everybody go on.
public struct KernelEngine: Engine, ~Copyable {
  let control: Control
  var processes: [Int32: HeldProcess] = [:]
  var tasks: [Int32: HeldThread] = [:]

  public init() throws(Control.Refusal) { control = try Control() }

  func held(_ process: ProcessID) throws(EngineError) -> HeldProcess {
    guard let held = processes[process.rawValue] else {
      throw EngineError("use process", process, .noProcess)
    }
    return held
  }

  func heldThread(_ thread: ThreadID) throws(EngineError) -> HeldThread {
    guard let held = tasks[thread.rawValue] else {
      throw EngineError("use thread", ProcessID(thread.rawValue), .noProcess)
    }
    return held
  }

  mutating func adopt(_ held: HeldProcess) {
    processes[held.id.rawValue] = held
    for thread in held.threads { tasks[thread.id.rawValue] = thread }
  }

  mutating func forget(_ held: HeldProcess) {
    processes[held.id.rawValue] = nil
    for thread in held.threads { tasks[thread.id.rawValue] = nil }
  }

  func ask<Request>(
    _ step: StaticString, _ process: ProcessID, _ number: UInt, _ request: inout Request
  ) throws(EngineError) {
    do throws(Errno) { try control.perform(number, &request) } catch {
      throw EngineError(step, process, error)
    }
  }
}

// MARK: Looking and acting inside

extension KernelEngine {
  public func registers(of thread: ThreadID) throws(EngineError) -> Registers {
    try standing(try heldThread(thread))
  }

  public mutating func setRegisters(
    _ registers: Registers, of thread: ThreadID
  ) throws(EngineError) {
    let held = try heldThread(thread)
    try setRegisterSet(1, to: registers.generalRegisters, of: thread)
    held.registers = registers
  }

  public func registerSet(
    _ noteType: UInt32, of thread: ThreadID
  ) throws(EngineError) -> [UInt8] {
    let held = try heldThread(thread)
    var bytes = [UInt8](repeating: 0, count: 16 << 10)
    var request = cr_registers()
    request.tid = thread.rawValue
    request.note = noteType
    request.size = UInt32(bytes.count)
    var failure: EngineError?
    bytes.withUnsafeMutableBytes { buffer in
      request.bytes = reference(buffer.baseAddress)
      do throws(EngineError) {
        try ask("read registers", held.process, cr_registers_request(), &request)
      } catch { failure = error }
    }
    if let failure { throw failure }
    bytes.removeLast(bytes.count - Int(request.size))
    return bytes
  }

  public mutating func setRegisterSet(
    _ noteType: UInt32, to bytes: [UInt8], of thread: ThreadID
  ) throws(EngineError) {
    let held = try heldThread(thread)
    var request = cr_registers()
    request.tid = thread.rawValue
    request.note = noteType
    request.size = UInt32(bytes.count)
    request.set = 1
    var failure: EngineError?
    bytes.withUnsafeBytes { buffer in
      request.bytes = reference(buffer.baseAddress)
      do throws(EngineError) {
        try ask("set registers", held.process, cr_registers_request(), &request)
      } catch { failure = error }
    }
    if let failure { throw failure }
  }

  public func signalMask(of thread: ThreadID) throws(EngineError) -> UInt64 {
    try attribute(CR_ATTRIBUTE_MASK, of: thread).value
  }

  public mutating func setSignalMask(_ mask: UInt64, of thread: ThreadID) throws(EngineError) {
    var request = cr_attribute()
    request.tid = thread.rawValue
    request.which = UInt32(CR_ATTRIBUTE_MASK)
    request.set = 1
    request.value = mask
    try ask(
      "set signal mask", try heldThread(thread).process, cr_attribute_request(), &request)
  }

  private func attribute(
    _ which: Int32, of thread: ThreadID
  ) throws(EngineError) -> cr_attribute {
    var request = cr_attribute()
    request.tid = thread.rawValue
    request.which = UInt32(which)
    try ask(
      "read signal mask", try heldThread(thread).process, cr_attribute_request(), &request)
    return request
  }

  public func cpuAffinity(of thread: ThreadID) throws(EngineError) -> [UInt8] {
    try attempt("read CPU affinity", try heldThread(thread).process) { () throws(Errno) in
      try Linux.cpuAffinity(of: thread)
    }
  }

  public func pendingSignals(
    of thread: ThreadID, shared: Bool
  ) throws(EngineError) -> [[UInt8]] {
    let held = try heldThread(thread)
    let registers = try standing(held)
    let size = 128
    var capacity = 64
    while true {
      var bytes = [UInt8](repeating: 0, count: capacity * size)
      var request = cr_signals()
      request.tid = thread.rawValue
      request.shared = shared ? 1 : 0
      request.capacity = UInt32(capacity)
      var failure: EngineError?
      bytes.withUnsafeMutableBytes { buffer in
        request.records = reference(buffer.baseAddress)
        do throws(EngineError) {
          try ask("read pending signals", held.process, cr_signals_request(), &request)
        } catch { failure = error }
      }
      if let failure { throw failure }
      let count = Int(request.count)
      if count <= capacity {
        return (0 ..< count).map {
          registers.signalInformation(traced: Array(bytes[$0 * size ..< ($0 + 1) * size]))
        }
      }
      capacity = count + 16
    }
  }

  public func restartableSequence(
    of thread: ThreadID
  ) throws(EngineError) -> RestartableSequence {
    let found = try attribute(CR_ATTRIBUTE_SEQUENCE, of: thread)
    return RestartableSequence(
      area: found.value, length: found.length, signature: found.signature)
  }

  public func stopSignal(of process: ProcessID) -> Int32 {
    processes[process.rawValue]?.stopSignal ?? 0
  }
}
