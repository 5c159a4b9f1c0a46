// SPDX-License-Identifier: Apache-2.0
import Linux
import Request

/// Why a restart failed, as far as somebody who wants to try again cares.
public enum FailureClass: Sendable {
  /// The command line is wrong, or the context file is missing or cannot be read.
  case arguments
  /// May go away by itself: no memory, an id in use.
  case temporary
  /// A person can mend it: files and permissions.
  case environment
  case permanent

  /// Of a failure of the restart itself; `arguments` is known by the step and not by the number.
  public init(of errno: Errno) {
    switch errno.rawValue {
    case 12, 16:  // ENOMEM, EBUSY
      self = .temporary
    case 1, 2, 13, 17, 20, 21:  // EPERM, ENOENT, EACCES, EEXIST, ENOTDIR, EISDIR
      self = .environment
    default:
      self = .permanent
    }
  }
}

/// Commands that cr_restart runs through the shell when it knows how the restart went.
public struct Hooks: Sendable {
  public var onSuccess: ByteString?
  public var onArguments: ByteString?
  public var onTemporary: ByteString?
  public var onEnvironment: ByteString?
  public var onPermanent: ByteString?

  public init() {}

  public mutating func setAllFailures(_ command: ByteString?) {
    onArguments = command
    onTemporary = command
    onEnvironment = command
    onPermanent = command
  }

  public func command(for failure: FailureClass) -> ByteString? {
    switch failure {
    case .arguments: onArguments
    case .temporary: onTemporary
    case .environment: onEnvironment
    case .permanent: onPermanent
    }
  }

  /// What cr_restart must end with after this hook; nil: it goes on as if there were none.
  ///
  /// As a shell's `$?`: a command that a signal killed counts 128 and the signal's number.
  public static func exitStatus(after status: WaitStatus) -> Int32? {
    switch status.event {
    case .exited(let code): code == 0 ? nil : code
    case .killed(let signal): 128 + signal
    case .stopped, .continued: nil
    }
  }
}
