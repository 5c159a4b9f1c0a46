// SPDX-License-Identifier: Apache-2.0
import Architecture
import CLinux
import Engine
import Linux

/// How a thread stands: the same corrections as after any stop that no signal explains.
extension KernelEngine {
  /// The registers, out of any restartable sequence, and with waits that are to be made again. What
  /// is corrected is set at once: the thread may go on at any moment, if we die.
  func standing(_ thread: HeldThread) throws(EngineError) -> Registers {
    if let known = thread.registers { return known }
    let held = try held(thread.process)
    let bytes = try registerSet(1, of: thread.id)
    guard var registers = Registers(traced: bytes) else {
      if Registers.isOfWiderCode(traced: bytes) {
        throw EngineError("hold, with 32-bit tools, the 64-bit code", held.id, .notSupported)
      }
      throw EngineError("understand registers", held.id, .notSupported)
    }
    if !held.isNew {
      if registers.wantsInstruction {
        registers.stand(at: instruction(at: registers.programCounter, like: registers, of: held))
      }
      registers.hideInterruption(of: thread.sleep)
      try leaveSequence(&registers, thread, of: held)
      let corrected = registers.generalRegisters
      if corrected != bytes {
        var request = cr_registers()
        request.tid = thread.id.rawValue
        request.note = 1
        request.size = UInt32(corrected.count)
        request.set = 1
        var failure: EngineError?
        corrected.withUnsafeBytes { buffer in
          request.bytes = reference(buffer.baseAddress)
          do throws(EngineError) {
            try ask("set registers", held.id, cr_registers_request(), &request)
          } catch { failure = error }
        }
        if let failure { throw failure }
      }
    }
    thread.registers = registers
    return registers
  }

  /// Inside a restartable sequence the kernel would send the thread to the abort handler when it goes on; after calls
  /// made elsewhere it would not know. So that is done here (Documentation/rseq).
  private func leaveSequence(
    _ registers: inout Registers, _ thread: HeldThread, of held: HeldProcess
  ) throws(EngineError) {
    let area = try restartableSequence(of: thread.id).area
    // struct rseq: cpu_id_start, cpu_id, rseq_cs; struct rseq_cs: version and flags, start_ip,
    // post_commit_offset, abort_ip.
    guard area != 0, let section = words(area + 8, 1, of: held), section[0] != 0,
      let fields = words(section[0], 4, of: held),
      registers.programCounter &- fields[1] < fields[2]
    else { return }
    registers.programCounter = fields[3]
    try put([UInt8](repeating: 0, count: 8), to: area + 8, of: held)
  }

  private func words(_ address: UInt64, _ count: Int, of held: HeldProcess) -> [UInt64]? {
    var words = [UInt64](repeating: 0, count: count)
    let got = words.withUnsafeMutableBytes {
      (try? ProcessMemory.read(held.reachable, at: address, into: $0)) ?? 0
    }
    return got == count * 8 ? words : nil
  }

  /// The bytes where a thread goes on, as many as a call's instruction has; fewer if they cannot be
  /// read.
  private func instruction(
    at address: UInt64, like registers: Registers, of held: HeldProcess
  ) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: registers.systemCallInstruction.count)
    let got = bytes.withUnsafeMutableBytes {
      (try? ProcessMemory.read(held.reachable, at: address, into: $0)) ?? 0
    }
    return Array(bytes.prefix(got))
  }
}
