// SPDX-License-Identifier: Apache-2.0
import CLinux

/// Threads of this process that share one piece of work.
public enum Workers {
  /// Runs `task` with 0 ..< count at the same time, each on a thread (the last on the caller's),
  /// and returns when all have ended. A thread that cannot be made has its part done by the caller.
  public static func run(_ count: Int, _ task: (Int) -> Void) {
    withoutActuallyEscaping(task) { task in
      var handles: [UInt64] = []
      for index in 0 ..< max(0, count - 1) {
        let job = Unmanaged.passRetained(Job(index: index, task: task))
        let handle = cr_start_thread(
          { argument in
            let job = Unmanaged<Job>.fromOpaque(argument!).takeRetainedValue()
            job.task(job.index)
            return nil
          }, job.toOpaque())
        if handle == 0 {
          job.release()
          task(index)
        } else {
          handles.append(handle)
        }
      }
      if count > 0 { task(count - 1) }
      for handle in handles { cr_join_thread(handle) }
    }
  }

  private final class Job {
    let index: Int
    let task: (Int) -> Void

    init(index: Int, task: @escaping (Int) -> Void) {
      self.index = index
      self.task = task
    }
  }

  /// CPUs that this thread may run on.
  public static var processorCount: Int {
    var mask = [UInt8](repeating: 0, count: 1024)
    let result = mask.withUnsafeMutableBytes {
      cr_usable_cpus($0.baseAddress!, $0.count)
    }
    guard result > 0 else { return 1 }
    return max(1, mask[..<result].reduce(0) { $0 + $1.nonzeroBitCount })
  }
}
