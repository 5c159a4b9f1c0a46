// SPDX-License-Identifier: Apache-2.0
import CLinux

extension FileDescriptor {
  /// openat(2) with O_CLOEXEC, a relative path starting at an open directory.
  init(opening path: ByteString, at directory: Int32, flags: Int32) throws(Errno) {
    let result = path.withCString { cr_open(directory, $0, flags, 0) }
    self.init(owning: Int32(try checked(result)))
  }

  /// read(2) from the present position to the end: for files of /proc, which have no size.
  ///
  /// - Parameter expected: bytes to ask for at first.
  public func readToEnd(expecting expected: Int = 4096) throws(Errno) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: expected)
    var done = 0
    while true {
      if done == bytes.count { bytes += [UInt8](repeating: 0, count: bytes.count) }
      let number = self.number
      let count = bytes.withUnsafeMutableBytes { buffer in
        cr_syscall(
          Int(SYS_read), Int(number), Int(bitPattern: buffer.baseAddress! + done),
          buffer.count - done, 0, 0, 0)
      }
      if count == -Int(EINTR) { continue }
      if try checked(count) == 0 { break }
      done += count
    }
    bytes.removeLast(bytes.count - done)
    return bytes
  }
}

/// Bytes that a system call fills in: calls `body` with the address of `count` zeroed bytes.
public func bytesFilled(
  count: Int, by body: (Int) -> Int
) throws(Errno) -> (result: Int, bytes: [UInt8]) {
  var bytes = [UInt8](repeating: 0, count: count)
  let result = bytes.withUnsafeMutableBytes { body(Int(bitPattern: $0.baseAddress!)) }
  return (try checked(result), bytes)
}

extension [UInt8] {
  /// An integer at a byte offset, in this machine's own byte order; for our own system calls.
  public func native<Value: FixedWidthInteger>(_ type: Value.Type, at offset: Int) -> Value {
    withUnsafeBytes { $0.loadUnaligned(fromByteOffset: offset, as: Value.self) }
  }
}
