// SPDX-License-Identifier: Apache-2.0
import Linux
import Testing

@testable import Architecture

/// What a tracer of Linux on PowerPC is shown, and what is made of it (arch/powerpc/kernel/signal.c).
struct PowerPC64LETests {
  /// Behind the instruction at 0x1000_0000 that made the call by `sc` (0xc00) or `scv` (0x3000).
  private func registers(call: UInt64, result: Int64, trap: UInt64) throws -> PowerPC64LE {
    var some = try #require(
      PowerPC64LE(generalRegisters: [UInt8](repeating: 0, count: PowerPC64LE.registerCount * 8)))
    some.values[0] = call
    for argument in 4 ... 8 { some.values[argument] = UInt64(argument) }
    some.values[34] = 3
    some.values[33] = 0x9000_0000_0280_f033
    some.values[40] = trap
    let isNegative = (-4095 ... -1).contains(result)
    let saysByBit = trap != 0x3000 && isNegative
    some.values[3] = UInt64(bitPattern: saysByBit ? -result : result)
    if saysByBit { some.values[38] = 0x1000_0000 }
    some.stackPointer = 0x7000
    some.programCounter = 0x1000_0004
    return some
  }

  private static let ways: [UInt64] = [0xc00, 0x3000]

  @Test func `the layout is the kernel's`() throws {
    let bytes = (0 ..< 384).map { UInt8(truncatingIfNeeded: $0) }
    let some = try #require(PowerPC64LE(generalRegisters: bytes))
    #expect(some.stackPointer == 0x0f0e_0d0c_0b0a_0908)
    #expect(some.programCounter == 0x0706_0504_0302_0100)
    #expect(some.generalRegisters == bytes)
    #expect(PowerPC64LE(generalRegisters: Array(bytes.dropLast())) == nil)
  }

  @Test func `a call is loaded without anything left to be made again`() throws {
    var some = try registers(call: 3, result: -512, trap: 0xc00)
    some.prepare(SystemCall(number: 90, arguments: [1, 2, 3, 4, 5, 6]), at: 0x2000)
    #expect(some.programCounter == 0x2000 && some.values[0] == 90)
    #expect((3 ... 8).map { some.values[$0] } == [1, 2, 3, 4, 5, 6])
    #expect(some.interruptedCall == nil && some.currentCall == nil)
  }

  @Test(arguments: ways)
  func `a result and an error are told apart in either way`(_ trap: UInt64) throws {
    #expect(try registers(call: 3, result: 7, trap: trap).outcome == .success(7))
    #expect(try registers(call: 3, result: -13, trap: trap).outcome == .failure(Errno(rawValue: 13)))
    let high = try registers(call: 90, result: -4096, trap: trap)
    #expect(high.outcome == .success(UInt64(bitPattern: -4096)))
    for value: Int64 in [0, 5, -4, -4095] {
      var some = try registers(call: 3, result: -512, trap: trap)
      some.setResult(value)
      let expected: Result<UInt64, Errno> =
        value < 0 ? .failure(Errno(rawValue: Int32(-value))) : .success(UInt64(value))
      #expect(some.outcome == expected)
      #expect(some.interruptedCall == nil)
    }
  }

  @Test func `the bit of an earlier call says nothing about one by scv`() throws {
    var some = try registers(call: 3, result: 512, trap: 0x3000)
    some.values[38] = 0x1000_0000
    #expect(some.outcome == .success(512) && some.interruptedCall == nil)
  }

  @Test(arguments: ways)
  func `an interrupted call is made again with its first argument`(_ trap: UInt64) throws {
    for code: Int64 in [-512, -513, -514] {
      var some = try registers(call: 3, result: code, trap: trap)
      #expect(some.interruptedCall == .again)
      #expect(some.currentCall?.arguments == [3, 4, 5, 6, 7, 8])
      some.repeatInterruptedCall()
      #expect(some.programCounter == 0x1000_0000 && some.values[3] == 3 && some.values[0] == 3)
      #expect(some.interruptedCall == nil)
    }
    var sleep = try registers(call: 162, result: -516, trap: trap)
    #expect(sleep.interruptedCall == .withRestartBlock)
    sleep.repeatInterruptedCall(with: [9, 8])
    #expect((3 ... 5).map { sleep.values[$0] } == [9, 8, 5])
    var ended = try registers(call: 162, result: -516, trap: trap)
    ended.abandonInterruptedCall()
    #expect(ended.outcome == .failure(.interrupted) && ended.interruptedCall == nil)
  }

  @Test(arguments: ways)
  func `an endless wait is made again, one with a time-out is not`(_ trap: UInt64) throws {
    for (call, index, endless, limited) in [
      (238, 6, 0xffff_ffff, 1000), (303, 6, 0xffff_ffff, 0), (441, 6, 0, 0x7000), (392, 6, 0, 0x7000),
      (176, 5, 0, 0x7000), (229, 7, 0, 0x7000),
    ] as [(UInt64, Int, UInt64, UInt64)] {
      for (value, isEndless) in [(endless, true), (limited, false)] {
        var some = try registers(call: call, result: -4, trap: trap)
        some.values[index] = value
        some.hideInterruption(of: nil)
        #expect((some.interruptedCall == .again) == isEndless)
        #expect(some.outcome == .failure(Errno(rawValue: isEndless ? 514 : 4)))
      }
    }
  }

  @Test func `what ipc was asked for is shown as the call of its own`() throws {
    var some = try registers(call: 117, result: -4, trap: 0x3000)
    some.values[34] = 1
    let seen = try #require(some.currentCall)
    #expect(seen.number == PowerPC64LE.number(of: .semop))
    #expect(Array(seen.arguments.prefix(3)) == [4, 7, 5])
    some.hideInterruption(of: nil)
    #expect(some.interruptedCall == .again)
    // Of what the program asked for, not of what is shown.
    some.repeatInterruptedCall()
    #expect(some.values[0] == 117 && some.values[3] == 1 && some.values[4] == 4)
  }

  @Test func `an interrupt, or a page that was missing, is no call`() throws {
    for trap: UInt64 in [0x300, 0x400, 0x500, 0x700, 0x900, 0xd00, 0xea0] {
      let some = try registers(call: 3, result: -512, trap: trap)
      #expect(some.currentCall == nil && some.interruptedCall == nil)
    }
    // Bits that are the kernel's own.
    #expect(try registers(call: 3, result: -512, trap: 0xc01).interruptedCall == .again)
  }

  // MARK: Signal frames

  private func word(_ bytes: [UInt8], _ offset: Int) -> UInt64 {
    bytes.withUnsafeBytes {
      UInt64(littleEndian: $0.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
    }
  }

  @Test func `a lifeline is the ucontext that rt_sigreturn reads`() throws {
    var some = try registers(call: 3, result: 0, trap: 0xc00)
    some.values[33] &= ~(1 << 25 | 1 << 23)
    let state = (0 ..< 264 + 544 + 256).map { UInt8(truncatingIfNeeded: $0 * 7) }
    let bytes = try #require(
      some.lifeline(at: 0x10000, signalReturn: 0x2000, mask: 0x1234, extendedState: state))
    // uc_sigmask; gp_regs, fp_regs and v_regs of the sigcontext, 168 bytes into the ucontext.
    #expect(word(bytes, 128 + 40) == 0x1234)
    let registers = 128 + 168 + 64
    for index in 0 ..< 48 where index != 33 {
      #expect(word(bytes, registers + 8 * index) == some.values[index])
    }
    #expect(word(bytes, registers + 8 * 33) == some.values[33] | 1 << 25 | 1 << 23)
    #expect(Array(bytes[registers + 384 ..< registers + 384 + 264]) == Array(state[..<264]))
    let vectors = word(bytes, registers + 384 + 264)
    #expect(vectors % 16 == 0)
    let place = Int(vectors) - 0x10000
    #expect(place >= registers + 384 + 264 + 8 && bytes.count == 128 + 1696)
    #expect(Array(bytes[place ..< place + 544 + 256]) == Array(state[264...]))
  }

  @Test func `a lifeline without extended state claims none`() throws {
    var some = try registers(call: 3, result: 0, trap: 0xc00)
    some.values[33] |= 1 << 25 | 1 << 23
    let bytes = try #require(
      some.lifeline(at: 0x10000, signalReturn: 0x2000, mask: 0, extendedState: []))
    #expect(word(bytes, 128 + 168 + 64 + 8 * 33) & (1 << 25 | 1 << 23) == 0)
    #expect(some.lifeline(at: 0x10000, signalReturn: 0, mask: 0, extendedState: [1, 2]) == nil)
  }

  @Test func `a memory transaction is refused`() throws {
    var some = try registers(call: 3, result: 0, trap: 0xc00)
    #expect(Registers.powerpc64le(some).unsupportedReason == nil)
    some.values[33] |= 1 << 33
    #expect(Registers.powerpc64le(some).unsupportedReason != nil)
    #expect(some.lifeline(at: 0x10000, signalReturn: 0, mask: 0, extendedState: []) == nil)
  }
}

/// Registers that are read in files only.
struct ForeignRegistersTests {
  /// Words 1…48 in big-endian order.
  private func registers(_ machine: Machine) -> Registers {
    let size = machine.wordSize.bytes
    let bytes = (1 ... 48).flatMap { [UInt8](repeating: 0, count: size - 1) + [UInt8($0)] }
    return Registers(stored: bytes, machine: machine)
  }

  @Test(arguments: [Machine.powerpc, .powerpc64])
  func `those of big-endian PowerPC are understood`(_ machine: Machine) {
    let some = registers(machine)
    #expect(some.areUnderstood && some.machine == machine)
    #expect(some.programCounter == 33 && some.stackPointer == 2)
    #expect(some.currentCall == nil)
    var bytes = some.generalRegisters
    let size = machine.wordSize.bytes
    bytes[41 * size - 2] = 0x0c
    bytes[41 * size - 1] = 0x01
    #expect(Registers(stored: bytes, machine: machine).currentCall?.number == 1)
  }

  @Test(arguments: [Machine.powerpc, .powerpc64])
  func `too few bytes are shown as nothing`(_ machine: Machine) {
    let some = Registers(stored: [1, 2, 3], machine: machine)
    #expect(some.programCounter == 0 && some.stackPointer == 0 && some.currentCall == nil)
  }
}
