// SPDX-License-Identifier: Apache-2.0

/// Where NT_PRSTATUS has what a person asks for first, counted in words of the processor: enough to show
/// registers that cannot run here.
struct RegisterLayout: Sendable {
  var programCounter: Int
  var stackPointer: Int
  /// The word that tells by one of `entries` that the thread is in a system call.
  var trap: Int
  var entries: [UInt64]
  /// The number of that call.
  var callNumber: Int

  /// nil for a processor that we know nothing of.
  static func of(_ machine: Machine) -> RegisterLayout? {
    machine == .powerpc64 || machine == .powerpc ? .powerpc : nil
  }
}
