// SPDX-License-Identifier: Apache-2.0
import CLinux
import Linux

/// Threads that hash blocks beside the one that called; joined at the latest when this value ends.
struct Helpers: ~Copyable {
  private var threads: [UInt] = []
  private let work: BlockHashing

  /// - Parameter cpus: a mask as sched_getaffinity(2) gives it: the caller may be bound to one CPU
  ///   with its target, and the helpers are to use the others.
  init(_ number: Int, for work: BlockHashing, cpus: [UInt8]) {
    self.work = work
    for _ in 0 ..< number {
      var thread: UInt = 0
      let result = cpus.withUnsafeBytes { mask in
        cr_thread_start(
          { context in
            Unmanaged<BlockHashing>.fromOpaque(context!).takeUnretainedValue().work()
            return nil
          },
          Unmanaged.passUnretained(work).toOpaque(),
          mask.isEmpty ? nil : mask.baseAddress, mask.count, &thread)
      }
      // With fewer threads it takes longer, that is all.
      if result < 0 { return }
      threads.append(thread)
    }
  }

  deinit {
    if !threads.isEmpty { work.cancel() }
    for thread in threads { cr_thread_join(thread) }
  }

  /// Waits until they have done what there was to do.
  mutating func join() {
    work.finish()
    for thread in threads { cr_thread_join(thread) }
    threads = []
  }

  /// The CPUs that the calling thread may use; empty if the kernel does not tell.
  static func usableCPUs() -> [UInt8] {
    var mask = [UInt8](repeating: 0, count: 1024)
    let size = mask.withUnsafeMutableBytes { cr_usable_cpus($0.baseAddress!, $0.count) }
    return size > 0 ? Array(mask.prefix(size)) : []
  }
}
