// SPDX-License-Identifier: Apache-2.0
import Linux
import Testing

@testable import Architecture

/// What a tracer of Linux on 32-bit ARM is shown, and what is made of it (arch/arm/kernel/signal.c).
@Suite struct `arm` {
  private let thumb: UInt32 = 1 << 5

  /// A thread in Thumb code whose call `number` has just ended with `result`, at 0x1_0002.
  private func registers(call number: UInt32 = 3, r0 result: Int32 = 0, original: Int32 = 5) throws -> ARM {
    let none = [UInt8](repeating: 0, count: ARM.registerCount * 4)
    var some = try #require(ARM(generalRegisters: none))
    some.values[0] = UInt32(bitPattern: result)
    some.values[ARM.Index.number] = number
    some.values[ARM.Index.originalR0] = UInt32(bitPattern: original)
    some.values[ARM.Index.status] = 0x6000_0010 | thumb
    some.programCounter = 0x1_0002
    return some
  }

  private func call(_ name: SystemCallName, _ arguments: [UInt64]) throws -> SystemCall {
    SystemCall(number: try #require(ARM.number(of: name)), arguments: arguments)
  }

  private func word(_ bytes: [UInt8], at offset: Int) -> UInt32 {
    bytes.withUnsafeBytes { $0.loadUnaligned(fromByteOffset: offset, as: UInt32.self) }
  }

  @Test func `registers are written as they were read`() throws {
    let bytes = (0 ..< ARM.registerCount * 4).map { UInt8(truncatingIfNeeded: $0 &* 7) }
    #expect(try #require(ARM(generalRegisters: bytes)).generalRegisters == bytes)
    #expect(ARM(generalRegisters: Array(bytes.dropLast())) == nil)
    #expect(Registers(generalRegisters: bytes, machine: .arm)?.machine == .arm)
  }

  @Test func `a prepared call is made by ARM code with clear flags, whatever was there`() throws {
    var some = try registers()
    some.values[ARM.Index.status] = 0xf60f_fc30  // in an IT block
    some.prepare(try call(.prctl, [1, 2, 3, 4, 5, 0x1_0000_0006]), at: 0x2000)
    #expect(some.values[ARM.Index.status] == 0x000f_0010)
    #expect(some.programCounter == 0x2000 && some.values[ARM.Index.number] == 172)
    #expect((0 ..< 6).map { some.values[$0] } == [1, 2, 3, 4, 5, 6])
    #expect(some.currentCall == nil)
  }

  @Test func `offsets of 64 bits begin in an even register, but those of vectors in the next`() throws {
    var some = try registers()
    some.prepare(try call(.pread64, [3, 0x1000, 2, 0x1_2345_6789, 0, 0]), at: 0x1000)
    #expect(some.values[4] == 0x2345_6789 && some.values[5] == 1)
    some.prepare(try call(.pwritev, [3, 0x1000, 2, 0x1_2345_6789, 0, 0]), at: 0x1000)
    #expect(some.values[3] == 0x2345_6789 && some.values[4] == 1)
    some.prepare(try call(.mmap, [0, 4096, 1, 2, 3, 0x12_3456_7000]), at: 0x1000)
    #expect(some.values[5] == 0x123_4567)
  }

  @Test func `a thread at its call makes it again, in either state`() throws {
    var some = try registers()
    some.stand(at: [0x00, 0xdf, 1, 2])
    #expect(some.interruptedCall == .again && some.currentCall?.number == 3)
    #expect(some.callToMakeAgain == 3)
    some.setResult(9)
    #expect(some.programCounter == 0x1_0004 && some.callToMakeAgain == nil)

    some = try registers()
    some.values[ARM.Index.status] &= ~thumb
    some.stand(at: [0x00, 0xdf, 1, 2])
    #expect(some.interruptedCall == nil && some.callToMakeAgain == nil)
    some.stand(at: ARM.systemCallInstruction)
    some.abandonInterruptedCall()
    #expect(some.programCounter == 0x1_0006 && some.outcome == .failure(.interrupted))
  }

  @Test func `a sleep goes on by restart_syscall, unless it has not begun`() throws {
    var some = try registers(call: 162, r0: 0x7000, original: 0x7000)
    some.stand(at: [0x00, 0xdf])
    #expect(some.interruptedCall == .withRestartBlock && some.callToMakeAgain == 0)
    some = try registers(call: 162, r0: 0x7000, original: -1)
    some.stand(at: [0x00, 0xdf])
    #expect(some.interruptedCall == .again && some.callToMakeAgain == 162)
  }

  @Test func `an endless wait is made again with the argument it had, one with a time-out is not`() throws {
    var some = try registers(call: 252, r0: -4)
    some.values[3] = 0xffff_ffff
    some.hideInterruption(of: nil)
    #expect(some.interruptedCall == .again && some.values[0] == 5 && some.programCounter == 0x1_0000)

    // The stop that it meets then ends it the same way, and is not to be seen either (ERESTARTNOHAND).
    var after = try registers(call: 252, r0: -4)
    after.values[3] = 0xffff_ffff
    after.interruptAgain(after: 252)
    #expect(Int32(bitPattern: after.values[0]) == -514)

    some = try registers(call: 252, r0: -4)
    some.values[3] = 1000
    some.hideInterruption(of: nil)
    some.interruptAgain(after: 252)
    #expect(some.interruptedCall == nil && some.outcome == .failure(.interrupted))
  }

  @Test func `registers that the kernel would change behind a call are set outside of it`() throws {
    var calling = try registers()
    calling.values[12] = 7
    for (r0, r12, expected) in [
      (-512, 7, true), (-516, 7, true), (-511, 7, false), (0, 7, false), (0, 8, true),
    ] as [(Int32, UInt32, Bool)] {
      var some = try registers(r0: r0)
      some.values[12] = r12
      #expect(some.mustBeOutside(ofCallFrom: calling) == expected)
    }
    var some = try registers(r0: -512)
    some.values[12] = 7
    some.stand(at: [0x00, 0xdf])
    #expect(!some.mustBeOutside(ofCallFrom: calling))
    // As it is read at a stop in a call.
    calling.values[12] = 1
    some.values[12] = 1
    #expect(some.mustBeOutside(ofCallFrom: calling))
  }

  @Test func `the way back has all registers, the mask and the floating-point state`() throws {
    var some = try registers(r0: 77)
    some.stackPointer = 0x8000
    let floats = (0 ..< 260).map { UInt8(truncatingIfNeeded: $0 &* 3) }
    let frame = try #require(
      some.lifeline(
        at: 0x9000, signalReturn: 0, mask: 0x1234_5678_9abc_def0, extendedState: floats))
    // Offsets as the C compiler gives them for the structures of <asm/ucontext.h>.
    #expect(frame.count == 888)
    #expect(word(frame, at: 160) == 77 && word(frame, at: 160 + 13 * 4) == 0x8000)
    #expect(word(frame, at: 160 + 15 * 4) == 0x1_0002 && word(frame, at: 160 + 16 * 4) == 0x6000_0030)
    #expect(word(frame, at: 232) == 0x9abc_def0 && word(frame, at: 236) == 0x1234_5678)
    #expect(word(frame, at: 360) == 0x5646_5001 && word(frame, at: 364) == 288)
    #expect(Array(frame[368 ..< 628]) == floats)
    #expect(word(frame, at: 632) == 0x4000_0000)
    #expect(some.lifeline(at: 0x9004, signalReturn: 0, mask: 0, extendedState: floats) == nil)
    #expect(some.lifeline(at: 0x9000, signalReturn: 0, mask: 0, extendedState: [1]) == nil)
  }

  @Test func `the thread register is set by a call`() throws {
    let some = Registers.arm(try registers())
    #expect(some.callSetting(0x401) == .setTLS && some.number(of: .setTLS) == 0xf0005)
    #expect(some.callSetting(0x400) == nil)
    let other = try #require(
      AArch64(generalRegisters: [UInt8](repeating: 0, count: AArch64.registerCount * 8)))
    #expect(Registers.aarch64(other).callSetting(0x401) == nil)
  }
}
