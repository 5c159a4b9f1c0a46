// SPDX-License-Identifier: Apache-2.0
import CLinux
import Linux
import Request
import Snapshot

/// Clocks since boot that go on for the job where they stood: time_namespaces(7).
struct ClockNamespace {
  /// The children that this process makes from now on are in a time namespace in which CLOCK_MONOTONIC and
  /// CLOCK_BOOTTIME show what they showed when the job was saved.
  static func begin(at job: Job) throws(Failure) {
    let newTime = 0x80  // CLONE_NEWTIME, linux/sched.h
    do throws(Errno) {
      try checked(cr_syscall(Int(SYS_unshare), newTime, 0, 0, 0, 0, 0))
      let file = try FileDescriptor(opening: "/proc/self/timens_offsets", flags: O_WRONLY)
      let text =
        line("monotonic", job.monotonic, .monotonic) + line("boottime", job.bootTime, .bootTime)
      _ = try DescriptorNumber(file.number).write(text.bytes[...])
    } catch {
      let hint: ByteString =
        error == .notPermitted
        ? "that needs root (CAP_SYS_ADMIN and CAP_SYS_TIME), or --rootless"
        : "does this kernel have time namespaces (CONFIG_TIME_NS)?"
      throw Failure(error, "--restore-clock: cannot make a time namespace: \(error): \(hint)")
    }
  }

  /// `monotonic SECONDS NANOSECONDS`, the latter never below 0.
  private static func line(
    _ name: ByteString, _ saved: TimeValue, _ clock: Clock
  ) -> ByteString {
    let now = TimeValue(clock)
    var seconds = saved.seconds - now.seconds
    var nanoseconds = saved.nanoseconds - now.nanoseconds
    if nanoseconds < 0 {
      seconds -= 1
      nanoseconds += 1_000_000_000
    }
    return "\(name) \(seconds) \(nanoseconds)\n"
  }
}

extension TimeValue {
  init(_ clock: Clock) {
    let (seconds, nanoseconds) = clock.now
    self.init(seconds: seconds, nanoseconds: nanoseconds)
  }
}
