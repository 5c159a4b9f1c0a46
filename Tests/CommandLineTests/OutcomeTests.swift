// SPDX-License-Identifier: Apache-2.0
import Linux
import Request
import Testing

@testable import CommandLine

@Suite struct ExitStatusTests {
  @Test(arguments: [
    (Int32(3), Int32(3)), (16, 16), (2354, 50), (2355, 51), (2356, 52), (2360, 56), (2365, 61),
    (256, 1), (65535, 255),
  ])
  func `an error's status is its low eight bits and never success`(errno: Int32, status: Int32) {
    #expect(ExitStatus.of(Errno(rawValue: errno)) == status)
  }
}

@Suite struct HooksTests {
  @Test(arguments: [
    (Int32(12), FailureClass.temporary), (16, .temporary), (13, .environment), (1, .environment),
    (2, .environment), (17, .environment), (21, .environment), (20, .environment),
    (38, .permanent), (5, .permanent), (22, .permanent), (2359, .permanent),
  ])
  func `an error number has one class`(errno: Int32, expected: FailureClass) {
    #expect(FailureClass(of: Errno(rawValue: errno)) == expected)
  }

  @Test func `a hook that worked changes nothing, one that failed decides`() {
    #expect(Hooks.exitStatus(after: WaitStatus(rawValue: 0)) == nil)
    #expect(Hooks.exitStatus(after: WaitStatus(rawValue: 7 << 8)) == 7)
    #expect(Hooks.exitStatus(after: WaitStatus(rawValue: 15)) == 143)
  }
}

@Suite struct SignalRelayTests {
  private func arrival(_ number: Int32, code: Int32) -> SignalQueue.Arrival {
    SignalQueue.Arrival(number: number, code: code, sender: ProcessID(99))
  }
  private let user: Int32 = 0
  private let kernel: Int32 = 128

  private func hands(
    _ signal: SignalQueue.Arrival, sharesGroup: Bool = true, inJob: Bool = false,
    stopped: Bool = false
  ) -> Bool {
    SignalRelay(sharesGroup: sharesGroup).hands(
      on: signal, senderIsInJob: inJob, rootIsStopped: stopped)
  }

  @Test(arguments: [Int32(1), 2, 3, 10, 12, 14, 15, 20, 28, 34, 64])
  func `what somebody sends is handed on`(number: Int32) {
    #expect(hands(arrival(number, code: user)))
    #expect(hands(arrival(number, code: user), sharesGroup: false))
  }

  @Test(arguments: [Int32(1), 2, 3, 20, 28])
  func `what a terminal sends reaches a shared group by itself`(number: Int32) {
    #expect(!hands(arrival(number, code: kernel)))
    #expect(hands(arrival(number, code: kernel), sharesGroup: false))
  }

  @Test func `the job does not get back what it sent, nor news of our children`() {
    #expect(!hands(arrival(15, code: user), inJob: true))
    #expect(!hands(arrival(17, code: 1)))
  }

  @Test func `a fault of ours is not the program's`() {
    #expect(!hands(arrival(11, code: 1), sharesGroup: false))
    #expect(hands(arrival(11, code: user)))
  }

  @Test func `a shared group is continued once`() {
    #expect(!hands(arrival(18, code: user)))
    #expect(hands(arrival(18, code: user), stopped: true))
    #expect(hands(arrival(18, code: user), sharesGroup: false))
  }

  @Test func `we stop with the program where somebody can wake both`() {
    for signal: Int32 in [20, 21, 22] {
      #expect(SignalRelay.ownStop(after: signal, isForeground: false) == signal)
    }
    #expect(SignalRelay.ownStop(after: 19, isForeground: true) == 20)
    #expect(SignalRelay.ownStop(after: 19, isForeground: false) == nil)
  }
}
