// SPDX-License-Identifier: Apache-2.0
import Linux

/// Where a context file goes to, or comes from.
public enum Placement: Sendable {
  case file(ByteString)
  /// A descriptor that the caller opened; never closed by us. May be a pipe or a socket.
  case descriptor(Int32)
  /// A directory with a file `context.PID` for each process.
  case directory(ByteString)
}

/// What becomes of a file that already has the name of the new context file.
public enum Replacement: Sendable {
  /// Written aside as `.NAME.tmp` and renamed when complete: the old one is there until then.
  case atomic
  /// As atomic, and the old one is kept under this name; nil: the first free `NAME.~1~`, `.~2~`….
  case backup(ByteString?)
  /// Written in place; what was there is lost even if this fails.
  case clobber
  /// Fails with EEXIST, before anything is stopped.
  case noclobber
}
