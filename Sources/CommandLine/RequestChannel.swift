// SPDX-License-Identifier: Apache-2.0
import CLinux
import Linux
import Request

/// The way back to libcr, when it was a program that asked (`--libcr=FD`): `struct cr_report`.
public struct RequestChannel: Sendable {
  private let number: Int32

  init(_ number: Int32) { self.number = number }

  /// The targets are known and may be taken.
  public func accepted() { tell(CR_REPORT_ACCEPTED, 0) }
  /// The restarted root.
  public func root(_ process: ProcessID) { tell(CR_REPORT_ROOT, process.rawValue) }

  public func message(_ text: ByteString) {
    let line = text + "\n"
    tell(CR_REPORT_MESSAGE, Int32(line.count), line)
  }

  /// The last word; 0 for success.
  public func done(_ errno: Int32 = 0) { tell(CR_REPORT_DONE, errno) }

  public func done(_ failure: Failure) {
    message(failure.message)
    done(failure.errno.rawValue)
  }

  /// A command line of libcr's own that is not accepted: an option that is not built.
  public static func tellRejection(_ error: ArgumentError, _ arguments: [ByteString]) {
    guard arguments.contains(where: { $0 == "--libcr=4" }) else { return }
    switch error {
    case .usage(let words): RequestChannel(4).done(Failure(.invalid, words))
    case .refused(let failure): RequestChannel(4).done(failure)
    }
  }

  private func tell(_ kind: cr_report_kind, _ value: Int32, _ more: ByteString = "") {
    let report = cr_report(kind: kind.rawValue, value: value)
    let bytes = withUnsafeBytes(of: report) { Array($0) } + more.bytes
    bytes.withUnsafeBytes {
      // Nobody is left to be told if the program is gone.
      _ = cr_syscall(
        Int(SYS_write), Int(number), Int(bitPattern: $0.baseAddress), $0.count, 0, 0, 0)
    }
  }
}
