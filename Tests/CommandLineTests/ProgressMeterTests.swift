// SPDX-License-Identifier: Apache-2.0
import Linux
import Testing

@testable import CommandLine

private let second: UInt64 = 1_000_000_000
private let gibibyte: UInt64 = 1 << 30

@Suite struct ProgressMeterTests {
  @Test func `nothing is shown in the first second, then at most ten lines a second`() {
    var meter = ProgressMeter(start: 5 * second)
    #expect(meter.line("writing", done: 1, total: 10, at: 5 * second + 999_999_999) == nil)
    #expect(!meter.wasShown)
    #expect(meter.line("writing", done: 1, total: 10, at: 6 * second) != nil)
    #expect(meter.line("writing", done: 2, total: 10, at: 6 * second + 99_999_999) == nil)
    #expect(meter.line("writing", done: 2, total: 10, at: 6 * second + 100_000_000) != nil)
    #expect(meter.wasShown)
  }

  @Test func `the end is shown however soon it comes`() {
    var meter = ProgressMeter(start: 0)
    _ = meter.line("writing", done: 9, total: 10, at: 2 * second)
    #expect(meter.line("writing", done: 10, total: 10, at: 2 * second + 1) != nil)
  }

  @Test func `a line has the share, the whole, the rate and the rest`() {
    let meter = ProgressMeter(start: 0, columns: 80)
    #expect(
      meter.render("writing memory", done: gibibyte, total: 4 * gibibyte, elapsed: 2 * second)
        == "writing memory [######..................] 25% of 4.0 GiB, 512.0 MiB/s, 6 s left")
  }

  @Test func `a line fits the terminal, and a narrow one has no bar`() {
    for columns in [40, 60, 80, 200] {
      let meter = ProgressMeter(start: 0, columns: columns)
      let line = meter.render("writing memory", done: 3, total: 4 * gibibyte, elapsed: second)
      if columns >= 60 { #expect(line.count <= columns) }
      if columns == 40 { #expect(!line.bytes.contains(UInt8(ascii: "["))) }
    }
  }

  @Test(arguments: [
    (UInt64(0), UInt64(10), 0), (1, 3, 33), (9_999, 10_000, 99), (10, 10, 100), (11, 10, 100),
    (0, 0, 100), (UInt64.max / 2, UInt64.max, 50),
  ])
  func `a hundred per cent is said only of the whole`(done: UInt64, total: UInt64, percent: Int) {
    #expect(ProgressMeter.percent(done, of: total) == percent)
  }

  @Test func `rates do not overflow or divide by nothing`() {
    #expect(ProgressMeter.rate(1000, nanoseconds: 0) == 1_000_000)
    #expect(ProgressMeter.rate(UInt64.max, nanoseconds: 1000 * second) > UInt64.max / 1001)
    #expect(ProgressMeter.remaining(done: 0, total: 10, nanoseconds: second) == nil)
    #expect(ProgressMeter.remaining(done: 10, total: 25, nanoseconds: second) == 2)
  }
}

@Suite struct QuantityTests {
  @Test(arguments: [
    (UInt64(0), "0 B"), (1023, "1023 B"), (1024, "1.0 KiB"), (1536, "1.5 KiB"),
    (1_048_575, "1.0 MiB"), (1 << 30, "1.0 GiB"), (UInt64.max, "16384.0 PiB"),
  ])
  func `a size has one decimal and its unit`(bytes: UInt64, text: String) {
    #expect(Size.short(bytes) == ByteString(text))
  }

  @Test(arguments: [
    (UInt64(0), "0.00 ms"), (620_000, "0.62 ms"), (99_999_000, "100.00 ms"),
    (250_000_000, "250 ms"), (14_340_000_000, "14.3 s"), (200_000_000_000, "3 min 20 s"),
    (7_500_000_000_000, "2 h 5 min"),
  ])
  func `a time has the digits that matter`(nanoseconds: UInt64, text: String) {
    #expect(Duration.short(nanoseconds: nanoseconds) == ByteString(text))
  }
}

@Suite struct JSONTests {
  @Test func `members stand in the order they were set in`() {
    var inner = JSONObject()
    inner.set("yes", true)
    var object = JSONObject()
    object.set("pid", Int32(-7))
    object.set("list", [ProcessID(1), ProcessID(2)])
    object.set("inner", inner)
    object.setNull("none")
    #expect(object.text == #"{"pid":-7,"list":[1,2],"inner":{"yes":true},"none":null}"#)
  }

  @Test func `what is not text is made text`() {
    #expect(JSONObject.quoted("a\"b\\c\n\u{1}é") == #""a\"b\\c\n\u0001é""#)
    #expect(JSONObject.quoted(ByteString([0x61, 0xFF])) == "\"a\u{FFFD}\"")
  }
}
