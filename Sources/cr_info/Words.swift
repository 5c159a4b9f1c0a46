// SPDX-License-Identifier: Apache-2.0
import Architecture
import CommandLine
import Linux
import Snapshot

/// Names as a terminal may show them: control characters and what is no UTF-8 come as `\x1b`.
func shown(_ name: ByteString) -> ByteString {
  var result: [UInt8] = []
  // Valid UTF-8 stays; the decoder turns the rest into U+FFFD, so only then bytes are escaped.
  let isText = !name.bytes.contains { $0 >= 0x80 } || Array(name.text.utf8) == name.bytes
  for byte in name.bytes {
    if byte < 0x20 || byte == 0x7f || (byte >= 0x80 && !isText) {
      let escaped: ByteString = "\\x\(hex: byte, width: 2)"
      result += escaped.bytes
    } else {
      result.append(byte)
    }
  }
  return ByteString(result)
}

/// A command line: words separated by blanks.
func commandLine(of process: Process) -> ByteString {
  var words = process.commandLine.bytes
  while words.last == 0 { words.removeLast() }
  if words.isEmpty { return "[\(shown(process.name))]" }
  return shown(ByteString(words.map { $0 == 0 ? 0x20 : $0 }))
}

extension Machine {
  var words: ByteString {
    let name: ByteString = self.name.map { ByteString($0) } ?? "processor \(number)"
    let bits = wordSize == .bits64 ? 64 : 32
    return "\(name) (\(bits)-bit \(byteOrder == .little ? "little" as ByteString : "big") endian)"
  }

  var shortName: ByteString { name.map { ByteString($0) } ?? "processor \(number)" }
}

extension Process.State {
  var words: ByteString {
    switch self {
    case .running: "running"
    case .stopped(let signal): "stopped by signal \(signal)"
    case .zombie(let status):
      status & 0x7f == 0
        ? "ended with status \(status >> 8 & 0xff), not waited for"
        : "ended by signal \(status & 0x7f), not waited for"
    }
  }
}

extension TimeValue {
  /// `2026-11-23 02:33:50 UTC`
  var words: ByteString {
    // Days to civil date after Howard Hinnant: years begin in March, so that leap days end them.
    let day = seconds >= 0 ? seconds / 86400 : (seconds - 86399) / 86400
    let second = seconds - day * 86400
    let shifted = day + 719_468
    let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
    let ofEra = shifted - era * 146_097
    let year = (ofEra - ofEra / 1460 + ofEra / 36524 - ofEra / 146_096) / 365
    let ofYear = ofEra - (365 * year + year / 4 - year / 100)
    let marchMonth = (5 * ofYear + 2) / 153
    let date = ofYear - (153 * marchMonth + 2) / 5 + 1
    let month = marchMonth < 10 ? marchMonth + 3 : marchMonth - 9
    let civilYear = year + era * 400 + (month <= 2 ? 1 : 0)
    return """
      \(civilYear)-\(two(month))-\(two(date)) \
      \(two(second / 3600)):\(two(second / 60 % 60)):\(two(second % 60)) UTC
      """
  }

  private func two(_ number: Int64) -> ByteString { number < 10 ? "0\(number)" : "\(number)" }
}

/// `text` and blanks up to `width`.
func padded(_ text: ByteString, _ width: Int) -> ByteString {
  ByteString(
    text.bytes + [UInt8](repeating: 0x20, count: max(0, width - text.text.unicodeScalars.count)))
}
