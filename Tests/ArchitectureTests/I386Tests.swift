// SPDX-License-Identifier: Apache-2.0
import Linux
import Testing

@testable import Architecture

@Suite struct `i386` {
  private func registers(eax: Int32 = 0, original: Int32 = 0, at address: UInt64 = 0x804_8002) throws
    -> I386
  {
    let none = [UInt8](repeating: 0, count: I386.registerCount * 4)
    var registers = try #require(I386(generalRegisters: none))
    registers.values[I386.Index.eax] = UInt32(bitPattern: eax)
    registers.values[I386.Index.originalEax] = UInt32(bitPattern: original)
    registers.programCounter = address
    return registers
  }

  private func call(_ name: SystemCallName, _ arguments: [UInt64]) throws -> SystemCall {
    SystemCall(number: try #require(I386.number(of: name)), arguments: arguments)
  }

  private func word(_ bytes: [UInt8], at offset: Int) -> UInt32 {
    bytes.withUnsafeBytes { $0.loadUnaligned(fromByteOffset: offset, as: UInt32.self) }
  }

  @Test func `registers are written as they were read`() throws {
    let bytes = (0 ..< I386.registerCount * 4).map { UInt8(truncatingIfNeeded: $0 &* 7) }
    #expect(try #require(I386(generalRegisters: bytes)).generalRegisters == bytes)
    #expect(I386(generalRegisters: Array(bytes.dropLast())) == nil)
    #expect(Registers(generalRegisters: bytes, machine: .i386)?.machine == .i386)
  }

  @Test func `a mapping high in memory is not taken for an error`() throws {
    #expect(try registers(eax: -4096).outcome.get() == 0xffff_f000)
    #expect(throws: Errno(rawValue: 4095)) { try registers(eax: -4095).outcome.get() }
  }

  @Test func `a prepared call has its arguments in order and cannot be restarted by the kernel`() throws {
    var some = try registers(eax: -512, original: 7)
    some.prepare(try call(.prctl, [1, 2, 3, 4, 5, 0x1_0000_0006]), at: 0x1000)
    #expect(some.currentCall == nil)
    #expect(some.interruptedCall == nil)
    #expect(some.programCounter == 0x1000)
    #expect((0 ..< 6).map { some.values[$0] } == [1, 2, 3, 4, 5, 6])
  }

  @Test func `file offsets of 64 bits are cut in two, and in pages for a mapping`() throws {
    var some = try registers()
    some.prepare(try call(.pwritev, [3, 0x1000, 2, 0x1_2345_6789, 0, 0]), at: 0x1000)
    #expect(some.values[I386.Index.esi] == 0x2345_6789)
    #expect(some.values[I386.Index.edi] == 1)
    some.prepare(try call(.mmap, [0, 4096, 1, 2, 3, 0x12_3456_7000]), at: 0x1000)
    #expect(some.values[I386.Index.ebp] == 0x123_4567)
  }

  @Test(arguments: [-512, -513, -514])
  func `an interrupted call is made again from its instruction`(code: Int32) throws {
    var some = try registers(eax: code, original: 3)
    #expect(some.interruptedCall == .again)
    some.repeatInterruptedCall()
    #expect(some.programCounter == 0x804_8000)
    #expect(some.values[I386.Index.eax] == 3)
    #expect(some.currentCall == nil)
  }

  @Test func `outside of a call nothing is taken for an interrupted one`() throws {
    #expect(try registers(eax: -512, original: -1).interruptedCall == nil)
    #expect(try registers(eax: -516, original: 162).interruptedCall == .withRestartBlock)
  }

  @Test func `an endless wait is made again, one with a time-out is not`() throws {
    var some = try registers(eax: -4, original: 256)
    some.values[I386.Index.esi] = 0xffff_ffff
    some.hideInterruption(of: nil)
    #expect(some.interruptedCall == .again)
    some = try registers(eax: -4, original: 256)
    some.values[I386.Index.esi] = 1000
    some.hideInterruption(of: nil)
    #expect(some.interruptedCall == nil)
  }

  @Test func `a call by ipc is seen as the one that it stands for`() throws {
    var some = try registers(eax: -512, original: 117)
    // semtimedop of set 9, two operations at 0x5000, until 0x6000
    for (index, value) in [UInt32(4), 9, 2, 0, 0x5000, 0x6000].enumerated() {
      some.values[index] = value
    }
    let seen = try #require(some.currentCall)
    #expect(seen.number == I386.number(of: .semop))
    #expect(seen.arguments[0] == 9)
    #expect(seen.arguments[1] == 0x5000)
    #expect(seen.arguments[3] == 0x6000)
    some.values[I386.Index.eax] = UInt32(bitPattern: -4)
    some.hideInterruption(of: nil)
    #expect(some.interruptedCall == nil)
    some.values[I386.Index.ebp] = 0
    some.hideInterruption(of: nil)
    #expect(some.interruptedCall == .again)
  }

  @Test func `a lifeline leads through three words to the return and holds the state`() throws {
    var some = try registers(at: 0x804_9999)
    some.values[I386.Index.esi] = 0x77
    some.values[I386.Index.gs] = 0x63
    var xsave = [UInt8](repeating: 0, count: 832)
    xsave[0] = 0x7f
    xsave[464] = 7
    let bytes = try #require(
      some.lifeline(at: 0xffff_0004, signalReturn: 0xf7f0_0610, mask: 1 << 40 | 2, extendedState: xsave))
    #expect(word(bytes, at: 12) == 0xf7f0_0610)
    let registers = 12 + 16 + 128 + 20
    #expect(word(bytes, at: registers) == 0x63)
    #expect(word(bytes, at: registers + 20) == 0x77)
    #expect(word(bytes, at: registers + 56) == 0x804_9999)
    #expect(word(bytes, at: registers + 88) == 2)
    #expect(word(bytes, at: registers + 92) == 1 << 8)
    // The old form, its 112 bytes right before the xsave area, which is aligned.
    let area = word(bytes, at: registers + 76)
    #expect((area + 112) % 64 == 0)
    let place = Int(area - 0xffff_0004)
    #expect(bytes[place] == 0x7f)
    #expect(word(bytes, at: place + 112 + 464) == 0x4650_5853)
    #expect(word(bytes, at: place + 112 + 832) == 0x4650_5845)
    #expect(bytes.count == place + 112 + 832 + 4)
  }

  @Test func `x87 tags tell valid, zero, special and empty`() throws {
    var xsave = [UInt8](repeating: 0, count: 512)
    xsave[3] = 5 << 3  // the top of the stack is register 5
    xsave[4] = 0b1110_0000
    xsave[32 + 7] = 0x80  // ST0 = 1
    xsave[32 + 8] = 0xff
    xsave[32 + 9] = 0x3f
    // ST1 = 0; ST2 = infinity
    xsave[64 + 7] = 0x80
    xsave[64 + 8] = 0xff
    xsave[64 + 9] = 0x7f
    let bytes = try #require(FloatingPoint32(xsave: xsave)).bytes
    #expect(bytes.count == FloatingPoint32.size)
    // Registers 7, 6, 5: special, zero, valid; the others empty.
    #expect(word(bytes, at: 8) & 0xffff == 0b10_01_00_11_11_11_11_11)
    #expect(Array(bytes[28 ..< 38]) == Array(xsave[32 ..< 42]))
    #expect(FloatingPoint32(xsave: Array(xsave.dropLast())) == nil)
  }

  @Test func `signal information is narrowed as the kernel does it`() {
    func wide(_ words: [Int: UInt32]) -> [UInt8] {
      var bytes = [UInt8](repeating: 0, count: 128)
      for (offset, value) in words {
        bytes.withUnsafeMutableBytes { $0.storeBytes(of: value, toByteOffset: offset, as: UInt32.self) }
      }
      return bytes
    }
    // SI_QUEUE: pid, user, value.
    let queued = SignalInformation32.narrowed(
      wide([0: 34, 8: UInt32(bitPattern: -1), 16: 100, 20: 7, 24: 0xabcd, 28: 9]))
    #expect(queued.count == 128)
    #expect([0, 8, 12, 16, 20].map { word(queued, at: $0) } == [34, .max, 100, 7, 0xabcd])
    #expect(word(queued, at: 24) == 0)
    // SIGCHLD, CLD_EXITED: pid, user, status, times.
    let child = SignalInformation32.narrowed(wide([0: 17, 8: 1, 16: 5, 20: 6, 24: 7, 32: 8, 40: 9]))
    #expect([12, 16, 20, 24, 28].map { word(child, at: $0) } == [5, 6, 7, 8, 9])
    // SIGSEGV: an address.
    let fault = SignalInformation32.narrowed(wide([0: 11, 8: 1, 16: 0xdead]))
    #expect(word(fault, at: 12) == 0xdead)
  }

  @Test func `a segment of the local table is noticed`() throws {
    var some = try registers()
    some.values[I386.Index.gs] = 0x33
    #expect(!some.usesLocalDescriptors)
    some.values[I386.Index.gs] = 0x0f
    #expect(some.usesLocalDescriptors)
  }
}
