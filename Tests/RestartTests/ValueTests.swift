// SPDX-License-Identifier: Apache-2.0

import ContextFile
import Foundation
import Linux
import Snapshot
import Testing

@testable import Architecture
@testable import Restart

func buildIDOf(_ path: String) throws -> [UInt8] {
  buildID(of: try FileDescriptor(opening: ByteString(path), flags: O_RDONLY))
}

struct DescriptorTests {
  @Test func `everything between the descriptors of a process is closed`() {
    let none = Rebuilder.gaps(between: [])
    #expect(none.count == 1 && none[0] == (0, .max))
    let some = Rebuilder.gaps(between: [7, 0, 1, 5])
    #expect(some.map { $0.first } == [2, 6, 8])
    #expect(some.map { $0.last } == [4, 6, .max])
  }

  @Test func `inherited files stand at numbers that no process wants`() throws {
    let inheritance = Inheritance(outside: [0, 1, 2, 64, 66, 70], count: 8)
    for _ in 0 ..< 5 {
      let file = try FileDescriptor(opening: "/dev/null", flags: O_RDONLY)
      let number = try inheritance.adopt(file).rawValue
      #expect(number > 2 && ![64, 66, 70].contains(number))
    }
  }
}

struct TargetStructureTests {
  @Test func `words are the target's own`() {
    var little = TargetStructure(for: .x86_64)
    little.int32(1)
    little.align()
    little.word(2)
    #expect(little.bytes == [1, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0])
    var big = TargetStructure(for: .powerpc)
    big.word(0x0102)
    big.signalSet(0x1_0000_0002)
    #expect(big.bytes == [0, 0, 1, 2, 0, 0, 0, 2, 0, 0, 0, 1])
    #expect(TargetFields(big.bytes, .powerpc).word(at: 0) == 0x0102)
  }
}

struct CallRestartTests {
  private static let nanosleep: UInt64 = 35

  /// A thread that a stop met in nanosleep(request, rest).
  private func sleeping(code: Int64, rest: UInt64 = 0x2000) -> Registers {
    var words = [UInt64](repeating: 0, count: X86_64.registerCount)
    words[X86_64.Index.rax] = UInt64(bitPattern: code)
    words[X86_64.Index.originalRax] = Self.nanosleep
    words[X86_64.Index.rdi] = 0x1000
    words[X86_64.Index.rsi] = rest
    words[X86_64.Index.rip] = 0x40_0002
    let bytes = words.flatMap { word in (0 ..< 8).map { UInt8(truncatingIfNeeded: word >> (8 * $0)) } }
    return Registers(generalRegisters: bytes, machine: .x86_64)!
  }

  private func restarted(
    _ registers: Registers, _ process: SavedProcess, rest: [UInt8]?
  ) -> X86_64 {
    var registers = registers
    CallRestart(process).restart(
      &registers, registers.interruptedCall!, of: process.threads[0], isLeader: true
    ) { _ in rest }
    guard case .x86_64(let result) = registers else { fatalError() }
    return result
  }

  private let second: [UInt8] = [1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]

  @Test func `a sleep goes on with what is left of it`() throws {
    let process = try sampleProcess(2_000_001)
    let result = restarted(sleeping(code: -516), process, rest: second)
    #expect(result.values[X86_64.Index.rdi] == 0x2000)
    #expect(result.values[X86_64.Index.rax] == Self.nanosleep)
    #expect(result.programCounter == 0x40_0000)
  }

  @Test func `a sleep that wants no rest is made again`() throws {
    let process = try sampleProcess(2_000_001)
    let result = restarted(sleeping(code: -516, rest: 0), process, rest: nil)
    #expect(result.values[X86_64.Index.rdi] == 0x1000)
    #expect(result.programCounter == 0x40_0000)
  }

  @Test func `a sleep that a waiting handler ends is not made again`() throws {
    var process = try sampleProcess(2_000_001)
    var info = [UInt8](repeating: 0, count: 128)
    info[0] = 10
    process.pendingSignals = [info]
    let interrupted = restarted(sleeping(code: -516), process, rest: nil)
    #expect(interrupted.outcome == .failure(.interrupted))
    // A blocked signal decides nothing.
    process.threads[0].signalMask = 1 << 9
    #expect(restarted(sleeping(code: -516), process, rest: nil).programCounter == 0x40_0000)
  }

  @Test func `other calls are left to the kernel, which knows whether a handler comes first`() throws {
    let process = try sampleProcess(2_000_001)
    for code in [-512, -513, -514] as [Int64] {
      let sleeping = sleeping(code: code)
      #expect(
        restarted(sleeping, process, rest: nil).generalRegisters == sleeping.generalRegisters)
    }
  }
}
