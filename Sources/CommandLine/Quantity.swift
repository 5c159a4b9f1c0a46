// SPDX-License-Identifier: Apache-2.0
import Linux

/// Times as people read them.
public enum Duration {
  /// `0.62 ms`, `14.3 s`, `3 min 20 s`, `2 h 5 min`.
  public static func short(nanoseconds: UInt64) -> ByteString {
    let microseconds = nanoseconds / 1000
    if microseconds < 100_000 { return "\(decimal(microseconds, per: 1000, places: 2)) ms" }
    if microseconds < 1_000_000 { return "\(microseconds / 1000) ms" }
    let seconds = microseconds / 1_000_000
    if seconds < 60 { return "\(decimal(microseconds, per: 1_000_000, places: 1)) s" }
    return long(seconds: seconds)
  }

  /// Whole seconds: `9 s`, `3 min 20 s`, `2 h 5 min`.
  public static func long(seconds: UInt64) -> ByteString {
    if seconds < 60 { return "\(seconds) s" }
    if seconds < 3600 { return "\(seconds / 60) min \(seconds % 60) s" }
    return "\(seconds / 3600) h \(seconds % 3600 / 60) min"
  }
}

/// Amounts of memory as people read them.
public enum Size {
  /// `512 B`, `3.4 MiB`, `1.2 GiB`.
  public static func short(_ bytes: UInt64) -> ByteString {
    if bytes < 1024 { return "\(bytes) B" }
    let units: [StaticString] = ["KiB", "MiB", "GiB", "TiB", "PiB"]
    var unit: UInt64 = 1024
    var index = 0
    // By the rounded tenths, so that 1023.96 becomes 1.0 of the next unit and not 1024.0.
    while index + 1 < units.count && tenths(bytes, of: unit) >= 10240 {
      unit *= 1024
      index += 1
    }
    return "\(decimal(bytes, per: unit, places: 1)) \(units[index])"
  }
}

/// Rounded half up, where that does not overflow.
private func tenths(_ bytes: UInt64, of unit: UInt64) -> UInt64 {
  bytes > .max / 16 ? bytes / unit * 10 : (bytes * 10 + unit / 2) / unit
}

/// `value / unit` with this many decimals, rounded half up. `unit` is at most 2^50, places at most 3.
func decimal(_ value: UInt64, per unit: UInt64, places: Int) -> ByteString {
  var scale: UInt64 = 1
  for _ in 0 ..< places { scale *= 10 }
  var whole = value / unit
  var part = (value % unit * scale * 2 + unit) / (unit * 2)
  if part == scale {
    whole += 1
    part = 0
  }
  var digits: ByteString = "\(part)"
  while digits.count < places { digits = "0" + digits }
  return "\(whole).\(digits)"
}
