// SPDX-License-Identifier: Apache-2.0
import Architecture
import Engine
import Linux
import Request
import Snapshot

/// What only a thread itself can be asked, asked of all threads side by side.
struct ThreadAnswers {
  var thread: ThreadID
  var alternateStack = AlternateStack(address: 0, size: 0, flags: 2)
  /// nil: the kernel cannot tell.
  var clearChildTID: UInt64?
  var parentDeathSignal: Int32 = 0
  var timerSlack: UInt64 = 50_000

  /// Bytes of scratch memory that a thread's answers take: stack_t, a pointer, an int.
  private static var slotSize: Int { 64 }
  private static var addressOffset: Int { 32 }
  private static var signalOffset: Int { 40 }

  /// In the order of `threads`.
  static func ask<E: Engine & ~Copyable>(
    _ threads: [ThreadID], _ remote: RemoteProcess, by engine: inout E
  ) throws(Failure) -> [ThreadAnswers] {
    let atOnce = Int(remote.scratch.count) / slotSize
    var answers: [ThreadAnswers] = []
    var rest = threads[...]
    while !rest.isEmpty {
      answers += try askSome(Array(rest.prefix(atOnce)), remote, by: &engine)
      rest = rest.dropFirst(atOnce)
    }
    return answers
  }

  private static func askSome<E: Engine & ~Copyable>(
    _ threads: [ThreadID], _ remote: RemoteProcess, by engine: inout E
  ) throws(Failure) -> [ThreadAnswers] {
    let range = MemoryRange(start: remote.slot, count: UInt64(threads.count * slotSize))
    // A kernel that cannot tell leaves it as it was; no address looks like this.
    let unanswered: UInt64 = .max >> (64 - UInt64(remote.wordSize) * 8)
    try remote.write([UInt8](repeating: 0xff, count: Int(range.count)), by: &engine)
    var sequences: [CallSequence] = []
    for (index, thread) in threads.enumerated() {
      let slot = remote.slot + UInt64(index * slotSize)
      sequences.append(
        CallSequence(
          thread: thread,
          calls: [
            (.sigaltstack, [0, slot, 0, 0, 0, 0]),
            (.prctl, [RemoteProcess.getThreadAddress, slot + UInt64(addressOffset), 0, 0, 0, 0]),
            (.prctl, [RemoteProcess.getParentDeathSignal, slot + UInt64(signalOffset), 0, 0, 0, 0]),
          ]))
    }
    try engaging { () throws(EngineError) in try engine.callSequences(sequences) }
    let slacks = try timerSlacks(threads, by: &engine)
    let bytes = try remote.read(range, by: &engine)

    var answers: [ThreadAnswers] = []
    for (index, thread) in threads.enumerated() {
      var answer = ThreadAnswers(thread: thread)
      var stack = TargetWords(bytes, at: index * slotSize, of: remote.machine)
      let address = stack.word()
      let flags = stack.int32()
      stack.align()
      answer.alternateStack = AlternateStack(address: address, size: stack.word(), flags: flags)
      var words = TargetWords(bytes, at: index * slotSize + addressOffset, of: remote.machine)
      let place = words.word()
      if place != unanswered { answer.clearChildTID = place }
      words = TargetWords(bytes, at: index * slotSize + signalOffset, of: remote.machine)
      let signal = Int32(bitPattern: words.int32())
      guard flags != .max, signal >= 0 else {
        throw Failure("read the alternate signal stack", remote.id, .invalid)
      }
      answer.parentDeathSignal = signal
      answer.timerSlack = slacks[index]
      answers.append(answer)
    }
    return answers
  }

  /// From /proc where we may (it asks for CAP_SYS_NICE), else from the threads.
  private static func timerSlacks<E: Engine & ~Copyable>(
    _ threads: [ThreadID], by engine: inout E
  ) throws(Failure) -> [UInt64] {
    var slacks: [UInt64] = []
    for thread in threads {
      // No task directory has this file, but /proc/TID leads to the thread as well.
      guard
        let text = try? FileDescriptor(
          opening: "/proc/\(thread)/timerslack_ns", flags: 0
        ).readToEnd()
      else { break }
      var scanner = TextScanner(text)
      slacks.append(scanner.number())
    }
    if slacks.count == threads.count { return slacks }
    return try each(threads, .prctl, by: &engine) { _ in [RemoteProcess.getTimerSlack] }.map {
      if case .success(let value) = $0 { value } else { 50_000 }
    }
  }

  private static func each<E: Engine & ~Copyable>(
    _ threads: [ThreadID], _ name: SystemCallName, by engine: inout E,
    _ arguments: (Int) -> [UInt64]
  ) throws(Failure) -> [Result<UInt64, Errno>] {
    var calls: [ThreadCall] = []
    for (index, thread) in threads.enumerated() {
      let some = arguments(index)
      calls.append(
        ThreadCall(
          thread: thread, name: name,
          arguments: some + [UInt64](repeating: 0, count: 6 - some.count)))
    }
    do throws(EngineError) { return try engine.callEach(calls) } catch { throw Failure(error) }
  }
}
