// SPDX-License-Identifier: Apache-2.0
import Linux
import Testing

@testable import Architecture

@Suite struct `x86_64` {
  private let none = [UInt8](repeating: 0, count: X86_64.registerCount * 8)

  private func registers(rax: Int64, original: Int64 = 0, at address: UInt64 = 0x40_0002) throws
    -> X86_64
  {
    var registers = try #require(X86_64(generalRegisters: none))
    registers.values[X86_64.Index.rax] = UInt64(bitPattern: rax)
    registers.values[X86_64.Index.originalRax] = UInt64(bitPattern: original)
    registers.programCounter = address
    return registers
  }

  @Test func `a mapping high in memory is not taken for an error`() throws {
    let high = try registers(rax: -4096)
    #expect(try high.outcome.get() == 0xffff_ffff_ffff_f000)
    #expect(throws: Errno(rawValue: 4095)) { try registers(rax: -4095).outcome.get() }
    #expect(throws: Errno.notPermitted) { try registers(rax: -1).outcome.get() }
  }

  @Test func `registers are written as they were read`() throws {
    let bytes = (0 ..< X86_64.registerCount * 8).map { UInt8(truncatingIfNeeded: $0 &* 7) }
    #expect(try #require(X86_64(generalRegisters: bytes)).generalRegisters == bytes)
    #expect(X86_64(generalRegisters: Array(bytes.dropLast())) == nil)
  }

  @Test func `a prepared call cannot be restarted by the kernel`() throws {
    var some = try registers(rax: -512, original: 7)
    some.prepare(SystemCall(number: 9, arguments: [1, 2, 3, 4, 5, 6]), at: 0x1000)
    #expect(some.currentCall == nil)
    #expect(some.interruptedCall == nil)
    #expect(some.programCounter == 0x1000)
    #expect(some.values[X86_64.Index.r10] == 4)
    #expect(some.values[X86_64.Index.r9] == 6)
  }

  @Test(arguments: [-512, -513, -514])
  func `an interrupted call is made again from its instruction`(code: Int64) throws {
    var some = try registers(rax: code, original: 0)
    #expect(some.interruptedCall == .again)
    some.repeatInterruptedCall()
    #expect(some.programCounter == 0x40_0000)
    #expect(some.values[X86_64.Index.rax] == 0)
    #expect(some.currentCall == nil)
  }

  @Test func `a call with a restart block is told from others`() throws {
    #expect(try registers(rax: -516, original: 35).interruptedCall == .withRestartBlock)
  }

  @Test func `an endless wait is made again, one with a time-out is not`() throws {
    var some = try registers(rax: -4, original: 232)
    some.values[X86_64.Index.r10] = 0xffff_ffff
    some.hideInterruption(of: nil)
    #expect(some.interruptedCall == .again)
    some = try registers(rax: -4, original: 232)
    some.values[X86_64.Index.r10] = 1000
    some.hideInterruption(of: nil)
    #expect(some.interruptedCall == nil && some.outcome == .failure(.interrupted))
    some = try registers(rax: -4, original: 441)
    some.values[X86_64.Index.r10] = 0
    some.hideInterruption(of: nil)
    #expect(some.interruptedCall == .again)
    some = try registers(rax: 3, original: 232)
    some.hideInterruption(of: nil)
    #expect(some.interruptedCall == nil)
  }

  @Test func `a result that looks like a restart code is none outside a call`() throws {
    #expect(try registers(rax: -512, original: -1).interruptedCall == nil)
  }

  @Test func `the floating point area of a way back is aligned for XRSTOR`() throws {
    let state = [UInt8](repeating: 0, count: 2688)
    for address: UInt64 in [0x7000, 0x7008, 0x7038] {
      let frame = try #require(
        registers(rax: 0).lifeline(
          at: address, signalReturn: 0x1234, mask: 0x55, extendedState: state))
      let words = frame.withUnsafeBytes { Array($0.bindMemory(to: UInt64.self)) }
      #expect(words[0] == 0x1234)
      // struct ucontext: flags, link, stack (3 words), 23 words of registers, then the pointer.
      let area = words[1 + 5 + 23]
      #expect(area % 64 == 0)
      #expect(words[1 + 5 + 32] == 0x55)
      let end = Int(area - address) + 2688
      #expect(Array(frame[end...]) == [0x45, 0x58, 0x50, 0x46])
    }
  }

  @Test func `a state without an FXSAVE area makes no way back`() throws {
    let frame = try registers(rax: 0).lifeline(
      at: 0x7000, signalReturn: 1, mask: 0, extendedState: [1, 2, 3])
    #expect(frame == nil)
  }
}
