// SPDX-License-Identifier: Apache-2.0
import CLinux

/// Keeps the calling thread, and what it makes meanwhile, on one CPU.
///
/// Two processes that take turns, a tracer and its tracee, do so several times faster on one CPU
/// than across two, where each turn wakes an idle CPU up.
@frozen public struct ProcessorPin: ~Copyable {
  /// Our CPUs before, as sched_getaffinity(2) gives them; empty if we are not pinned at all.
  public let before: [UInt8]

  public init() {
    let own = ThreadID(0)
    guard let mask = try? cpuAffinity(of: own) else {
      before = []
      return
    }
    before = mask
    var processor: UInt32 = 0
    let found = withUnsafeMutablePointer(to: &processor) {
      cr_syscall(Int(SYS_getcpu), Int(bitPattern: $0), 0, 0, 0, 0, 0)
    }
    guard found == 0, Int(processor / 8) < mask.count else { return }
    var one = [UInt8](repeating: 0, count: mask.count)
    one[Int(processor / 8)] = 1 << UInt8(processor % 8)
    try? setCPUAffinity(one, of: own)
  }

  deinit {
    if !before.isEmpty { try? setCPUAffinity(before, of: ThreadID(0)) }
  }
}
