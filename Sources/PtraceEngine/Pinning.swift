// SPDX-License-Identifier: Apache-2.0
import Architecture
import CLinux
import Engine
import Linux

/// The CPUs of a thread that is bound to ours while it makes calls for us.
///
/// Only one thread of a process ever is: the others are asked side by side, and moving them all to
/// one CPU would cost a program the caches and the memory that it has near.
struct Pin {
  /// sched_getaffinity(2) before.
  let before: [UInt8]
  /// What gives it the same again.
  let after: [UInt8]

  /// nil where the kernel does not let us change it.
  init?(_ thread: ThreadID) {
    var before = [UInt8](repeating: 0, count: 1024)
    var after = before
    let size = before.withUnsafeMutableBytes { before in
      after.withUnsafeMutableBytes { after in
        cr_affinity(thread.rawValue, before.baseAddress!, after.baseAddress!)
      }
    }
    guard size > 0 else { return nil }
    self.before = Array(before.prefix(size))
    self.after = Array(after.prefix(size))
  }

  /// Room for a way back that undoes it: a signal frame without extended state, and the mask.
  static var span: UInt64 { 3072 }
  private static var maskOffset: UInt64 { 2048 }

  /// A frame for `place` in which `registers` restore the mask and then go on at their stack.
  func frame(
    at place: UInt64, _ registers: Registers, _ landmarks: Landmarks, signalReturn: UInt64
  ) -> [UInt8]? {
    guard let number = registers.number(of: .schedSetaffinity) else { return nil }
    var registers = registers
    registers.prepare(
      SystemCall(number: number, arguments: [0, UInt64(after.count), place + Self.maskOffset]),
      at: landmarks.systemCall)
    guard
      var bytes = registers.lifeline(
        at: place, signalReturn: signalReturn, mask: PtraceEngine.quiet, extendedState: []),
      bytes.count <= Self.maskOffset
    else { return nil }
    bytes += [UInt8](repeating: 0, count: Int(Self.maskOffset) - bytes.count)
    return bytes + after
  }
}

extension PtraceEngine {
  /// sched_getaffinity(2) of a held thread, as the program has set it.
  public func cpuAffinity(of thread: ThreadID) throws(EngineError) -> [UInt8] {
    let held = try heldThread(thread)
    if let pin = held.pin { return pin.before }
    return try attempt("read CPU affinity", held.process) { () throws(Errno) in
      try Linux.cpuAffinity(of: thread)
    }
  }

  static func pin(_ thread: HeldThread) {
    // The way back mentions it already, and giving a thread what it has does no harm.
    if cr_pin(thread.id.rawValue) < 0 { thread.pin = nil }
  }

  static func unpin(_ thread: HeldThread) {
    guard let pin = thread.pin else { return }
    thread.pin = nil
    pin.after.withUnsafeBytes { cr_unpin(thread.id.rawValue, $0.baseAddress!, pin.after.count) }
  }
}
