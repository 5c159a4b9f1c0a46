// SPDX-License-Identifier: Apache-2.0
import Linux
import Testing

@testable import Architecture

/// Registers that were saved on a processor with more than this one has, and the other way round.
struct LackingTests {
  private func x86(_ machine: Machine = .x86_64) throws -> Registers {
    let count = machine == .i386 ? I386.registerCount * 4 : X86_64.registerCount * 8
    return try #require(
      Registers(generalRegisters: [UInt8](repeating: 0, count: count), machine: machine))
  }

  private var aarch64: Registers {
    get throws {
      let bytes = [UInt8](repeating: 0, count: AArch64.registerCount * 8)
      return try #require(Registers(generalRegisters: bytes, machine: .aarch64))
    }
  }

  /// Of a processor with the components `present`, by a thread that uses `inUse` of them.
  private func xstate(present: UInt64, inUse: UInt64, count: Int) -> [UInt8] {
    var bytes = [UInt8](repeating: 7, count: count)
    bytes.withUnsafeMutableBytes {
      $0.storeBytes(of: present, toByteOffset: 464, as: UInt64.self)
      $0.storeBytes(of: inUse, toByteOffset: 512, as: UInt64.self)
    }
    return bytes
  }

  private func sve(length: UInt8, longest: UInt8, inUse: Bool) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: 16 + 528)
    bytes[8] = length
    bytes[10] = longest
    bytes[12] = inUse ? 1 : 0
    return bytes
  }

  @Test(arguments: [Machine.x86_64, .i386])
  func `vectors that this processor does not have are named with those it has`(_ machine: Machine) throws {
    let saved = xstate(present: 0xe7, inUse: 0xe7, count: 2696)
    let present = xstate(present: 7, inUse: 1, count: 832)
    let lack = try #require(try x86(machine).lacking(0x202, saved: saved, present: present))
    #expect(lack == "AVX-512, and this processor has x87, SSE, AVX")
    #expect(try x86(machine).mayLack(0x202))
  }

  @Test func `a component without a name has its number`() throws {
    let saved = xstate(present: 1 << 40 | 3, inUse: 1 << 40 | 1, count: 4096)
    let present = xstate(present: 3, inUse: 1, count: 576)
    let lack = try #require(try x86().lacking(0x202, saved: saved, present: present))
    #expect(lack == "component 40 of XSAVE, and this processor has x87, SSE")
  }

  @Test func `what is not in use is not missed, and cut off`() throws {
    let saved = xstate(present: 0xe7, inUse: 3, count: 2696)
    let present = xstate(present: 7, inUse: 1, count: 832)
    #expect(try x86().lacking(0x202, saved: saved, present: present) == nil)
    #expect(try x86().fitted(0x202, saved: saved, present: present) == Array(saved.prefix(832)))
  }

  @Test func `on a processor with more, more is added`() throws {
    let saved = xstate(present: 7, inUse: 7, count: 832)
    let present = xstate(present: 0xe7, inUse: 1, count: 2696)
    #expect(try x86().lacking(0x202, saved: saved, present: present) == nil)
    let fitted = try #require(try x86().fitted(0x202, saved: saved, present: present))
    #expect(fitted.count == 2696 && Array(fitted.prefix(832)) == saved)
    #expect(fitted[832...].allSatisfy { $0 == 0 })
  }

  @Test func `scalable vectors are refused where there are none, or only shorter ones`() throws {
    let registers = try aarch64
    let saved = sve(length: 64, longest: 64, inUse: true)
    #expect(
      registers.lacking(0x405, saved: saved, present: []) == "SVE, and this processor has none")
    #expect(
      registers.lacking(0x405, saved: saved, present: sve(length: 32, longest: 32, inUse: false))
        == "vectors of 64 bytes (SVE), and this processor's have at most 32")
    #expect(
      registers.lacking(0x405, saved: saved, present: sve(length: 32, longest: 64, inUse: false)) == nil)
    #expect(registers.fitted(0x405, saved: saved, present: saved) == saved)
  }

  @Test func `a thread that uses the common part of the vectors alone needs no SVE`() throws {
    let registers = try aarch64
    let saved = sve(length: 64, longest: 64, inUse: false)
    #expect(registers.lacking(0x405, saved: saved, present: []) == nil)
    #expect(registers.fitted(0x405, saved: saved, present: []) == nil)
  }

  @Test func `keys of signed pointers need a processor that signs`() throws {
    let registers = try aarch64
    let lack = registers.lacking(0x407, saved: [UInt8](repeating: 3, count: 64), present: [])
    #expect(lack == "signed pointers, and this processor does not sign them")
    #expect(registers.lacking(0x407, saved: [1], present: [2]) == nil)
    #expect(!registers.mayLack(0x401))
  }
}
