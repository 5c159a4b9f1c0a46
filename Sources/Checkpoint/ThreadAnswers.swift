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
  /// Only where the kernel keeps it for each word size, and tells us of ours alone.
  var robustList: (head: UInt64, length: UInt64)?

  /// Bytes of scratch memory that a thread's answers take: stack_t, a pointer, an int, two words.
  private static var slotSize: Int { 64 }
  private static var addressOffset: Int { 32 }
  private static var signalOffset: Int { 40 }
  private static var listOffset: Int { 48 }
  private static var lengthOffset: Int { 56 }

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
      var calls: [(name: SystemCallName, arguments: [UInt64])] = [
        (.sigaltstack, [0, slot, 0, 0, 0, 0]),
        (.prctl, [RemoteProcess.getThreadAddress, slot + UInt64(addressOffset), 0, 0, 0, 0]),
        (.prctl, [RemoteProcess.getParentDeathSignal, slot + UInt64(signalOffset), 0, 0, 0, 0]),
      ]
      if remote.hasOtherWords {
        let places = [slot + UInt64(listOffset), slot + UInt64(lengthOffset)]
        calls.append((.getRobustList, [0] + places + [0, 0, 0]))
      }
      sequences.append(CallSequence(thread: thread, calls: calls))
    }
    try engaging { () throws(EngineError) in try engine.callSequences(sequences) }
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
      if remote.hasOtherWords {
        words = TargetWords(bytes, at: index * slotSize + listOffset, of: remote.machine)
        let head = words.word()
        words = TargetWords(bytes, at: index * slotSize + lengthOffset, of: remote.machine)
        if head != unanswered { answer.robustList = (head, words.word()) }
      }
      answers.append(answer)
    }
    return answers
  }
}
