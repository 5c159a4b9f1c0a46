// SPDX-License-Identifier: Apache-2.0
import Linux
import Testing

@testable import Architecture

/// What a tracer of Linux on AArch64 is shown, and what is made of it (arch/arm64/kernel/signal.c).
struct AArch64Tests {
  /// A thread behind the `svc` at 0x40_0000, as it is after the call has returned `result`.
  private func registers(call: UInt64, result: Int64, fourth: UInt64 = 0) throws -> AArch64 {
    var some = try #require(
      AArch64(generalRegisters: [UInt8](repeating: 0, count: AArch64.registerCount * 8)))
    some.values[0] = UInt64(bitPattern: result)
    some.values[3] = fourth
    some.values[8] = call
    some.stackPointer = 0x7000
    some.programCounter = 0x40_0004
    return some
  }

  private func sleep(_ text: String) -> SleepingCall? { SleepingCall(Array(text.utf8)) }

  private let epollWait = "22 0x5 0x7f00 0x1 0xffffffff 0x0 0x8 0x7000 0x400004\n"

  @Test func `a sleeping call is read with its arguments`() throws {
    let some = try #require(sleep(epollWait))
    #expect(some.call.number == 22)
    #expect(some.call.arguments == [5, 0x7f00, 1, 0xffff_ffff, 0, 8])
    #expect(some.stackPointer == 0x7000 && some.programCounter == 0x40_0004)
  }

  @Test(arguments: ["running\n", "-1 0x7000 0x400004\n", "", "22 0x5 0x1\n", "22 5 6 7"])
  func `a thread that sleeps in no call is no sleeping call`(_ text: String) {
    #expect(sleep(text) == nil)
  }

  @Test func `an endless wait is made again with the argument it had before the stop`() throws {
    var some = try registers(call: 22, result: -4, fourth: 0xffff_ffff)
    some.hideInterruption(of: sleep(epollWait))
    #expect(some.interruptedCall == .again)
    #expect(some.values[0] == 5 && some.programCounter == 0x40_0000)
    #expect(some.currentCall?.arguments[0] == 5)
    // With a handler in between it ends with EINTR (ERESTARTNOHAND).
    let farewell = try #require(some.farewell(from: some))
    #expect(Int64(bitPattern: farewell.after.values[0]) == -514)
    #expect(farewell.call.arguments == [5])
  }

  @Test func `a wait with a time-out, elsewhere, or unseen, is left as it is`() throws {
    for (fourth, text) in [
      (1000, epollWait), (0xffff_ffff, "running"),
      (0xffff_ffff, "22 0x5 0x7f00 0x1 0xffffffff 0x0 0x8 0x6ff0 0x400004"),
      (0xffff_ffff, "22 0x5 0x7f00 0x1 0xffffffff 0x0 0x8 0x7000 0x500004"),
      (0xffff_ffff, "63 0x5 0x7f00 0x1 0xffffffff 0x0 0x8 0x7000 0x400004"),
    ] as [(UInt64, String)] {
      var some = try registers(call: 22, result: -4, fourth: fourth)
      some.hideInterruption(of: sleep(text))
      #expect(some.interruptedCall == nil && some.outcome == .failure(.interrupted))
    }
  }

  @Test func `a read that a handler may restart still may`() throws {
    var some = try registers(call: 63, result: 7)
    some.programCounter = 0x40_0000
    some.stand(at: AArch64.systemCallInstruction)
    let farewell = try #require(some.farewell(from: some))
    #expect(Int64(bitPattern: farewell.after.values[0]) == -512)
  }
}
