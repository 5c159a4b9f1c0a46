// SPDX-License-Identifier: Apache-2.0
import CLinux

/// Why a system call failed: a positive errno value of errno(3).
public struct Errno: Error, Hashable, Sendable {
  public let rawValue: Int32
  public init(rawValue: Int32) { self.rawValue = rawValue }

  /// The C library's sentence for it.
  public var reason: ByteString { ByteString(cString: cr_errno_text(rawValue)) }

  public static let notPermitted = Errno(rawValue: EPERM)
  public static let noEntry = Errno(rawValue: ENOENT)
  public static let noProcess = Errno(rawValue: ESRCH)
  public static let interrupted = Errno(rawValue: EINTR)
  public static let io = Errno(rawValue: EIO)
  public static let badDescriptor = Errno(rawValue: EBADF)
  public static let tryAgain = Errno(rawValue: EAGAIN)
  public static let noMemory = Errno(rawValue: ENOMEM)
  public static let accessDenied = Errno(rawValue: EACCES)
  public static let fault = Errno(rawValue: EFAULT)
  public static let busy = Errno(rawValue: EBUSY)
  public static let exists = Errno(rawValue: EEXIST)
  public static let invalid = Errno(rawValue: EINVAL)
  public static let noSpace = Errno(rawValue: ENOSPC)
  public static let notImplemented = Errno(rawValue: ENOSYS)
  public static let notSupported = Errno(rawValue: EOPNOTSUPP)
  public static let timedOut = Errno(rawValue: ETIMEDOUT)
  public static let noChild = Errno(rawValue: ECHILD)
  public static let messageTooLong = Errno(rawValue: EMSGSIZE)
  public static let overflow = Errno(rawValue: EOVERFLOW)
}

/// Decodes the result of a call we made ourselves; a target's calls go through `outcome`.
@discardableResult
public func checked(_ result: Int) throws(Errno) -> Int {
  // Only -4095…-1 is an error; anything lower is an address that mmap may return.
  if (-4095 ... -1).contains(result) { throw Errno(rawValue: Int32(-result)) }
  return result
}
