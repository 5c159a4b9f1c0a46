// SPDX-License-Identifier: Apache-2.0
import CLinux
import Linux

/// Says of a process that its memory is still being loaded (`cr_restart --lazy`), for whoever would
/// save it: a UNIX socket without a file, whose name is the message. It is gone with its maker.
///
/// Only a hint, since anybody can take the name: that pages are missing the kernel tells.
public struct LoadingMark: ~Copyable {
  private let socket: FileDescriptor

  public init(_ process: ProcessID) throws(Errno) {
    let made = try Self.socket()
    try DescriptorNumber(made.number).bind(Self.address(process))
    socket = made
  }

  public static func isSet(for process: ProcessID) -> Bool {
    guard let socket = try? socket() else { return false }
    return (try? DescriptorNumber(socket.number).connect(address(process))) != nil
  }

  private static func socket() throws(Errno) -> FileDescriptor {
    try KernelObjects.socket(family: AF_UNIX, type: Int32(SOCK_DGRAM.rawValue), protocol: 0)
  }

  /// struct sockaddr_un, with a name of the abstract kind (unix(7)).
  private static func address(_ process: ProcessID) -> [UInt8] {
    let name: ByteString = "cr_restart --lazy \(process)"
    return withUnsafeBytes(of: UInt16(AF_UNIX)) { Array($0) } + [0] + name.bytes
  }
}
