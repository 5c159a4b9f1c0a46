// SPDX-License-Identifier: Apache-2.0
import CLinux

/// A terminal behind a descriptor of this process.
public struct Terminal: Sendable {
  public let descriptor: Int32
  /// Width in characters.
  public let columns: Int

  /// Nil if the descriptor is not a terminal.
  public init?(descriptor: Int32) {
    columns = Int(cr_terminal_columns(descriptor))
    guard columns > 0 else { return nil }
    self.descriptor = descriptor
  }

  /// The process group that reads from it and gets its signals; ENOTTY if it is not our
  /// controlling terminal.
  public func foregroundGroup() throws(Errno) -> ProcessID {
    ProcessID(Int32(try checked(Int(cr_foreground_group(descriptor)))))
  }

  public func setForegroundGroup(_ group: ProcessID) throws(Errno) {
    try checked(Int(cr_set_foreground_group(descriptor, group.rawValue)))
  }
}
