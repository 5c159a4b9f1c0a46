// SPDX-License-Identifier: Apache-2.0
import Linux

/// What `--check` finds: whether the real thing would succeed, as far as looking can tell.
public struct Prospect: Sendable {
  /// The processes it is about, by the ids they have or had.
  public var processes: [ProcessID] = []
  /// Everything that stands in the way; the first gives the error number. Empty: nothing does.
  public var problems: [Failure] = []
  /// What would be left out, or differ after a restart.
  public var warnings: [ByteString] = []

  public init() {}
}
