// SPDX-License-Identifier: Apache-2.0
import CLinux
import Linux
import Request
import Snapshot

extension FileOpener {
  /// A new object of the kernel, with the status flags that the old one had.
  func keepObject(_ index: Int, _ object: consuming FileDescriptor) throws(Errno) {
    let flags = snapshot.openFiles[index].flags & ~UInt32(O_ASYNC)
    try keep(index, object).setStatusFlags(flags)
  }
}

extension TimerFile {
  /// Sets a new timer as this one stood.
  ///
  /// - Parameter goesOn: its clock goes on for the program where it stood (`--restore-clock`).
  func start(_ file: DescriptorNumber, goesOn: Bool) throws(Errno) {
    var value = remaining
    var settings = settings
    if value > 0, isAbsolute, let clock = Clock(ofTimers: clock) {
      if clock == .realTime || !goesOn && clock.reading >= now {
        // The moment it was set for, which may be behind us.
        value = now &+ remaining
      } else {
        // A clock that counts from the start of another machine: what was left of the time.
        value = clock.reading &+ remaining
      }
    } else if value == 0 {
      // Disarmed: an absolute time of zero is long past, but means the same.
      settings &= ~2
    }
    try file.setTimer(
      settings: settings, value: value, interval: interval, expirations: expirations)
  }
}
