// SPDX-License-Identifier: Apache-2.0
import Linux
import Request

/// What our tools end with when they did not do what was asked.
public enum ExitStatus {
  public static let success: Int32 = 0
  /// A wrong command line.
  public static let usage: Int32 = 255

  /// The low 8 bits of the error number: CR_ETEMPFAIL 2354 gives 50. Never 0, which means success.
  public static func of(_ errno: Errno) -> Int32 {
    let low = errno.rawValue & 0xFF
    return low == 0 ? 1 : low
  }
}

/// Why a command line was not accepted.
public enum ArgumentError: Error, Sendable {
  /// Malformed: usage on stderr, exit status 255.
  case usage(ByteString)
  /// Understood, but not possible: a message, and the error's exit status.
  case refused(Failure)
}

extension ArgumentError {
  /// An option that is in the specification and not in this program yet.
  static func notBuilt(_ option: ByteString, _ advice: StaticString = "") -> ArgumentError {
    let hint: ByteString = advice.utf8CodeUnitCount == 0 ? "" : "; \(advice)"
    return .refused(Failure(.notImplemented, "\(option) is not built yet\(hint)"))
  }
}
