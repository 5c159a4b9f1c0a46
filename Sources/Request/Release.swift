// SPDX-License-Identifier: Apache-2.0

/// Which release of this software this is.
public enum Release {
  /// As CMakeLists.txt has it; printed by `--version` and written into context files.
  public static let version: StaticString = "0.9.0"
}
