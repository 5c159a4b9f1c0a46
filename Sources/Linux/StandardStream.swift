// SPDX-License-Identifier: Apache-2.0
import CLinux

/// Where a tool writes to people (error) and to programs (output).
public enum StandardStream: Int32, Sendable {
  case output = 1
  case error = 2

  /// Writes all of `bytes`; EPIPE and the like are for the caller to care about or not.
  public func write(_ bytes: [UInt8]) throws(Errno) {
    var done = 0
    while done < bytes.count {
      let count = bytes.withUnsafeBytes { buffer in
        cr_syscall(
          Int(SYS_write), Int(rawValue), Int(bitPattern: buffer.baseAddress! + done),
          buffer.count - done, 0, 0, 0)
      }
      if count == -Int(EINTR) { continue }
      done += try checked(count)
    }
  }

  public func write(_ text: ByteString) throws(Errno) { try write(text.bytes) }
}
