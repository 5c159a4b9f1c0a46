// SPDX-License-Identifier: Apache-2.0
import CLinux
import Linux

/// The kernel module's control file: an open one is a request, and holds what it was told to hold.
public struct Control: ~Copyable {
  let file: FileDescriptor

  /// Why a module that there may be cannot be used.
  public enum Refusal: Error {
    case notLoaded
    case notOpened(Errno)
    /// The module's version and that of its interface.
    case isOther(ByteString, interface: UInt32)
  }

  init() throws(Refusal) {
    let opened = try Self.opened()
    try Self.greet(opened.number)
    file = opened
  }

  private static func greet(_ file: Int32) throws(Refusal) {
    var hello = cr_hello()
    hello.version = UInt32(CR_UAPI_VERSION)
    do throws(Errno) { try perform(cr_hello_request(), &hello, on: file) } catch {
      guard error.rawValue == EPROTO else { throw .notOpened(error) }
      let name = withUnsafeBytes(of: hello.module) { ByteString(Array($0.prefix { $0 != 0 })) }
      throw .isOther(name, interface: hello.version)
    }
  }

  private static func opened() throws(Refusal) -> FileDescriptor {
    do throws(Errno) {
      return try FileDescriptor(opening: path, flags: O_RDWR | O_CLOEXEC)
    } catch {
      throw error == .noEntry || error.rawValue == ENOTDIR ? .notLoaded : .notOpened(error)
    }
  }

  static var path: ByteString { "/proc/checkpoint/ctrl" }

  func perform<Request>(_ number: UInt, _ request: inout Request) throws(Errno) {
    try Self.perform(number, &request, on: file.number)
  }

  private static func perform<Request>(
    _ number: UInt, _ request: inout Request, on file: Int32
  ) throws(Errno) {
    let result = withUnsafeMutablePointer(to: &request) {
      cr_syscall(
        Int(SYS_ioctl), Int(file), Int(bitPattern: number), Int(bitPattern: $0), 0, 0, 0)
    }
    try checked(result)
  }
}

/// Our own memory, as the module is told of it.
func reference(_ pointer: UnsafeRawPointer?) -> UInt64 { UInt64(UInt(bitPattern: pointer)) }
