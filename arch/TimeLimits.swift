// SPDX-License-Identifier: Apache-2.0
import Linux

extension ByteString {
  fileprivate func hasInside(_ word: StaticString) -> Bool {
    let word = ByteString(word)
    guard count >= word.count else { return false }
    return (0 ... count - word.count).contains { dropFirst($0).hasPrefix(word) }
  }
}

/// The time-outs of calls that the kernel continues by restart_syscall(2).
extension Registers {
  /// Calls of this number, on any of our processors' word sizes, may be continued so.
  public static func mayHaveRestartBlock(_ number: UInt64) -> Bool {
    guard let native else { return false }
    var all: [Registers] = [native]
    if native.machine == .x86_64,
      let small = Registers(
        generalRegisters: [UInt8](repeating: 0, count: I386.registerCount * 4), machine: .i386)
    {
      all.append(small)
    }
    return all.contains { registers in
      ([.restartSyscall] + Self.limited).contains { registers.number(of: $0) == number }
    }
  }

  /// Where it was continued before, its number says only that: it is told by its arguments, and by where the kernel
  /// has it sleep (/proc/TID/wchan). What is no such call stays as it is.
  public mutating func nameContinuedCall(sleepingIn place: ByteString) {
    guard resumesByRestartBlock, interruptedCall == .withRestartBlock, let call = currentCall,
      call.number == number(of: .restartSyscall), let name = Self.name(of: call, sleepingIn: place),
      let number = number(of: name)
    else { return }
    switch self {
    case .x86_64(var registers):
      registers.setNumber(ofInterruptedCall: number)
      self = .x86_64(registers)
    // Times of 32 and of 64 bits look alike, and the time is all that would be known.
    default: break
    }
  }

  private static func name(of call: SystemCall, sleepingIn place: ByteString) -> SystemCallName? {
    if place.hasInside("poll") { return .poll }
    if place.hasInside("futex") { return .futex }
    guard place.hasInside("nanosleep") else { return nil }
    // A clock is a small number, or a negative one; no structure is there.
    let first = call.arguments[0]
    let isNegative = Int32(truncatingIfNeeded: first) < 0 && [0, 0xffff_ffff].contains(first >> 32)
    let isClock = first < 4096 || isNegative && call.arguments[1] <= 1
    return isClock ? .clockNanosleep : .nanosleep
  }

  /// See `Architecture.resumesByRestartBlock`.
  public var resumesByRestartBlock: Bool {
    switch self {
    case .x86_64: X86_64.resumesByRestartBlock
    case .i386: I386.resumesByRestartBlock
    case .aarch64: AArch64.resumesByRestartBlock
    case .powerpc64le: PowerPC64LE.resumesByRestartBlock
    case .arm: ARM.resumesByRestartBlock
    case .foreign: false
    }
  }

  private static var limited: [SystemCallName] {
    [.poll, .futex, .futexTime64, .nanosleep, .clockNanosleep, .clockNanosleepTime64]
  }

  private var limitedCall: (name: SystemCallName, call: SystemCall)? {
    guard let call = currentCall, let name = Self.limited.first(where: { number(of: $0) == call.number })
    else { return nil }
    return (name, call)
  }

  /// Nanoseconds for which the interrupted call was to wait in all; nil where it is no such call, waits for ever or
  /// to a moment, or tells the program itself what is left.
  ///
  /// - Parameter read: so many bytes of the program's memory.
  public func timeLimit(read: (UInt64, Int) -> [UInt8]?) -> UInt64? {
    guard let (name, call) = limitedCall else { return nil }
    switch name {
    case .poll:
      let milliseconds = Int32(truncatingIfNeeded: call.arguments[2])
      return milliseconds < 0 ? nil : UInt64(milliseconds) * 1_000_000
    case .futex, .futexTime64:
      // FUTEX_WAIT, without FUTEX_PRIVATE_FLAG and FUTEX_CLOCK_REALTIME: all others take a moment.
      guard call.arguments[1] & 0x7f == 0, call.arguments[3] != 0 else { return nil }
      return time(at: call.arguments[3], of: name, read)
    case .nanosleep:
      return call.arguments[1] == 0 ? time(at: call.arguments[0], of: name, read) : nil
    default:
      // TIMER_ABSTIME
      guard call.arguments[1] & 1 == 0, call.arguments[3] == 0 else { return nil }
      return time(at: call.arguments[2], of: name, read)
    }
  }

  /// The interrupted call with this time for all of it, which is to stand at `place`.
  ///
  /// - Returns: what must be written there, too.
  public func limitedCall(to nanoseconds: UInt64, at place: UInt64) -> (call: SystemCall, time: [UInt8])? {
    guard let (name, found) = limitedCall else { return nil }
    var call = found
    switch name {
    case .poll:
      let milliseconds = (nanoseconds + 999_999) / 1_000_000
      call.arguments[2] = min(milliseconds, UInt64(Int32.max))
      return (call, [])
    case .futex, .futexTime64: call.arguments[3] = place
    case .nanosleep: call.arguments[0] = place
    default: call.arguments[2] = place
    }
    let size = fieldSize(name)
    var bytes: [UInt8] = []
    for value in [nanoseconds / 1_000_000_000, nanoseconds % 1_000_000_000] {
      for index in 0 ..< size {
        let shift = machine.byteOrder == .little ? index : size - 1 - index
        bytes.append(UInt8(truncatingIfNeeded: value >> UInt64(8 * shift)))
      }
    }
    return (call, bytes)
  }

  private func fieldSize(_ name: SystemCallName) -> Int {
    switch name {
    case .futexTime64, .clockNanosleepTime64: 8
    default: machine.wordSize.bytes
    }
  }

  private func time(
    at address: UInt64, of name: SystemCallName, _ read: (UInt64, Int) -> [UInt8]?
  ) -> UInt64? {
    let size = fieldSize(name)
    guard let bytes = read(address, 2 * size), bytes.count == 2 * size else { return nil }
    func value(_ start: Int) -> UInt64 {
      (0 ..< size).reduce(0) { all, index in
        let shift = machine.byteOrder == .little ? index : size - 1 - index
        return all | UInt64(bytes[start + index]) << UInt64(8 * shift)
      }
    }
    let (seconds, fraction) = (value(0), value(size))
    // The kernel has taken it; a time beyond centuries is none to count down.
    guard seconds < 1 << 32, fraction < 1_000_000_000 else { return nil }
    return seconds * 1_000_000_000 + fraction
  }
}
