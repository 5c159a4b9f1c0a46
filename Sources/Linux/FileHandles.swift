// SPDX-License-Identifier: Apache-2.0
import CLinux

/// One line of /proc/self/mountinfo.
public struct Mount: Sendable {
  /// Of the file system, as the kernel has it inside: twelve bits and twenty.
  public var device: UInt32
  public var path: ByteString

  public static func all() -> [Mount] {
    guard let file = try? FileDescriptor(opening: "/proc/self/mountinfo", flags: O_RDONLY),
      let text = try? file.readToEnd(expecting: 1 << 14)
    else { return [] }
    var mounts: [Mount] = []
    var scanner = TextScanner(text)
    while !scanner.isAtEnd {
      // ID, parent, major:minor, root, mount point.
      _ = scanner.number()
      _ = scanner.number()
      let major = UInt32(truncatingIfNeeded: scanner.number())
      _ = scanner.skip(":")
      let minor = UInt32(truncatingIfNeeded: scanner.number())
      _ = scanner.word()
      mounts.append(Mount(device: major << 20 | minor, path: unescaped(scanner.word())))
      scanner.skipLine()
    }
    return mounts
  }

  /// Blanks stand as `\040`.
  private static func unescaped(_ text: ByteString) -> ByteString {
    var bytes: [UInt8] = []
    var index = 0
    while index < text.count {
      if text.bytes[index] == UInt8(ascii: "\\"), index + 3 < text.count {
        var digits = TextScanner(Array(text.bytes[index + 1 ... index + 3]))
        bytes.append(UInt8(truncatingIfNeeded: digits.number(radix: 8)))
        index += 4
      } else {
        bytes.append(text.bytes[index])
        index += 1
      }
    }
    return ByteString(bytes)
  }

  /// The path of the file with this handle, by open_by_handle_at(2). EPERM without
  /// CAP_DAC_READ_SEARCH, ESTALE for a file that is gone.
  public func path(of handle: [UInt8]) throws(Errno) -> ByteString {
    let mount = try FileDescriptor(opening: path, flags: O_RDONLY)
    let number = Int(mount.number)
    var handle = handle
    let result = handle.withUnsafeMutableBytes {
      cr_syscall(
        Int(SYS_open_by_handle_at), number, Int(bitPattern: $0.baseAddress!),
        Int(CR_O_PATH | O_CLOEXEC), 0, 0, 0)
    }
    let file = FileDescriptor(owning: Int32(try checked(result)))
    return try readLink("/proc/self/fd/\(file.number)")
  }
}
