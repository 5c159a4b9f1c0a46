// SPDX-License-Identifier: Apache-2.0
import CLinux

/// uname(2).
public struct HostNames: Sendable {
  public var host: ByteString
  public var release: ByteString
  public var version: ByteString
  public var machine: ByteString

  public init() throws(Errno) {
    // struct new_utsname: six fields of 65 bytes.
    let (_, bytes) = try bytesFilled(count: 6 * 65) { buffer in
      cr_syscall(Int(SYS_uname), buffer, 0, 0, 0, 0, 0)
    }
    func field(_ index: Int) -> ByteString {
      ByteString(bytes[(index * 65) ..< (index * 65 + 65)].prefix { $0 != 0 })
    }
    host = field(1)
    release = field(2)
    version = field(3)
    machine = field(4)
  }
}

/// clock_gettime(2).
public enum Clock: Int32, Sendable {
  case realTime = 0
  case monotonic = 1
  case bootTime = 7

  /// The clock that a timer of this kernel number goes by; nil for an unknown one. An alarm clock
  /// (CLOCK_REALTIME_ALARM 8, CLOCK_BOOTTIME_ALARM 9) shows what the clock shows that it wakes by.
  public init?(ofTimers number: Int32) {
    self.init(rawValue: number == 8 ? 0 : number == 9 ? 7 : number)
  }

  public var now: (seconds: Int64, nanoseconds: Int64) {
    // The kernel's calls take 64-bit times where a word is 64 bits wide, and words elsewhere.
    var words: (Int, Int) = (0, 0)
    withUnsafeMutablePointer(to: &words) { pointer in
      _ = cr_syscall(Int(SYS_clock_gettime), Int(rawValue), Int(bitPattern: pointer), 0, 0, 0, 0)
    }
    return (Int64(words.0), Int64(words.1))
  }

  /// Nanoseconds.
  public var reading: UInt64 {
    let (seconds, nanoseconds) = now
    return UInt64(seconds) * 1_000_000_000 + UInt64(nanoseconds)
  }
}

/// geteuid(2).
public var effectiveUser: UInt32 {
  UInt32(truncatingIfNeeded: cr_syscall(Int(SYS_geteuid), 0, 0, 0, 0, 0, 0))
}

/// getpid(2).
public var ownProcess: ProcessID {
  ProcessID(Int32(truncatingIfNeeded: cr_syscall(Int(SYS_getpid), 0, 0, 0, 0, 0, 0)))
}

/// Two milliseconds.
public func pauseBriefly() {
  var words: (Int, Int) = (0, 2_000_000)
  withUnsafeMutablePointer(to: &words) {
    _ = cr_syscall(Int(SYS_nanosleep), Int(bitPattern: $0), 0, 0, 0, 0, 0)
  }
}
