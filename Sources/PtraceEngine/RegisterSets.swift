// SPDX-License-Identifier: Apache-2.0
import Architecture
import CLinux
import Engine
import Linux
import Snapshot

/// What a thread has besides its general registers, by the note types of core files (NT_*).
extension PtraceEngine {
  public func registerSet(
    _ noteType: UInt32, of thread: ThreadID
  ) throws(EngineError) -> [UInt8] {
    let held = try heldThread(thread)
    let process = held.process
    if let seen = held.seen.extendedState?.first(where: { $0.noteType == noteType }) {
      return seen.bytes
    }
    do throws(Errno) {
      if Registers.isThreadArea(noteType) { return try Tracing.threadArea(of: thread) }
      return try Tracing.registerSet(noteType, of: thread, capacity: 16 << 10)
    } catch {
      // EINVAL, ENODEV: this processor has no such registers.
      if error == .invalid || error.rawValue == ENODEV { return [] }
      throw EngineError("read registers", process, error)
    }
  }

  public mutating func setRegisterSet(
    _ noteType: UInt32, to bytes: [UInt8], of thread: ThreadID
  ) throws(EngineError) {
    let held = try heldThread(thread)
    if let name = (held.calling ?? Registers.native)?.callSetting(noteType) {
      // A word, in the program's byte order, which is ours.
      let value = bytes.withUnsafeBytes { $0.count < 4 ? 0 : $0.loadUnaligned(as: UInt32.self) }
      try Self.done(
        "set the thread register", name, [UInt64(value)], in: held, of: try self.held(held.process))
      return
    }
    held.seen.extendedState = nil
    if noteType == held.first?.setDiscardedByCalls ?? Registers.native?.setDiscardedByCalls {
      held.discarded = RegisterSet(noteType: noteType, bytes: bytes)
    }
    try attempt("set registers", held.process) { () throws(Errno) in
      do throws(Errno) {
        if let word = Registers.native?.userWord(of: noteType) {
          try Self.setUserWord(word, of: noteType, to: bytes, in: thread)
        } else {
          try Tracing.setRegisterSet(noteType, to: bytes, of: thread)
        }
      } catch {
        // What this processor lacks and the thread never used.
        guard error.rawValue == ENODEV, !bytes.contains(where: { $0 != 0 }) else { throw error }
      }
    }
  }

  /// Only what differs from what every thread begins with becomes the thread's own.
  private static func setUserWord(
    _ word: UInt64, of noteType: UInt32, to bytes: [UInt8], in thread: ThreadID
  ) throws(Errno) {
    if try Tracing.registerSet(noteType, of: thread, capacity: bytes.count) == bytes { return }
    guard bytes.count == UInt.bitWidth / 8 else { throw .invalid }
    let value = bytes.withUnsafeBytes { $0.loadUnaligned(as: UInt.self) }
    try Tracing.setUserWord(word, to: UInt64(value), of: thread)
  }

  /// What a lifeline of the thread holds besides its general registers.
  static func extendedState(of thread: HeldThread) -> [UInt8] {
    if let seen = thread.seen.extendedState { return seen.flatMap { $0.bytes } }
    for choice in thread.first?.extendedStateSets ?? [] {
      let sets = choice.compactMap { note in
        (try? Tracing.registerSet(note, of: thread.id, capacity: 16 << 10))
          .map { RegisterSet(noteType: note, bytes: $0) }
      }
      guard sets.count == choice.count else { continue }
      thread.seen.extendedState = sets
      return sets.flatMap { $0.bytes }
    }
    return []
  }
}
