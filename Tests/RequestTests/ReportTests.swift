// SPDX-License-Identifier: Apache-2.0
import Linux
import Testing

@testable import Request

@Suite struct ReportTests {
  @Test func `bytes add up and the caller is told of all of them`() {
    var told: [[UInt64]] = []
    var report = Report(onProgress: { done, total in
      told.append([done, total])
      return true
    })
    report.expect(100)
    let answers = [report.advance(30), report.advance(70)]
    #expect(answers == [true, true])
    #expect(told == [[30, 100], [100, 100]])
  }

  @Test func `a caller can call it off`() {
    var report = Report(onProgress: { done, _ in done < 50 })
    let answers = [report.advance(49), report.advance(1)]
    #expect(answers == [true, false])
  }
}
