// SPDX-License-Identifier: Apache-2.0
import CLinux

/// Makes objects of the kernel that only a descriptor leads to; all with O_CLOEXEC.
public enum KernelObjects {
  /// eventfd2(2), and its count.
  public static func eventCounter(
    _ count: UInt64, isSemaphore: Bool
  ) throws(Errno) -> FileDescriptor {
    let flags = Int(O_CLOEXEC) | (isSemaphore ? 1 : 0)
    let file = try made(cr_syscall(Int(SYS_eventfd2), 0, flags, 0, 0, 0, 0))
    if count == 0 { return file }
    let bytes = withUnsafeBytes(of: count) { Array($0) }
    guard try DescriptorNumber(file.number).write(bytes[...]) == bytes.count else { throw .io }
    return file
  }

  static func made(_ result: Int) throws(Errno) -> FileDescriptor {
    FileDescriptor(owning: Int32(try checked(result)))
  }
}
