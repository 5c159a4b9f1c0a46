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
        if let handle = Job.start({ task(index) }) { handles.append(handle) } else { task(index) }
      }
      if count > 0 { task(count - 1) }
      for handle in handles { cr_join_thread(handle) }
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

/// A value that a thread of its own computes while its maker does something else.
///
/// What the two use must be apart: nothing guards it.
public final class Background<Value> {
  private let result = Result()
  private let task: () -> Value
  private var handle: UInt64?

  private final class Result { var value: Value? }

  /// - Parameter apart: false to compute it only when it is asked for, since a thread costs some 50 µs.
  public init(apart: Bool = true, _ task: @escaping () -> Value) {
    self.task = task
    let result = result
    if apart { handle = Job.start { result.value = task() } }
  }

  deinit { join() }

  /// Waits until it is there.
  public func value() -> Value {
    join()
    if let value = result.value { return value }
    let value = task()
    result.value = value
    return value
  }

  private func join() {
    if let handle { cr_join_thread(handle) }
    handle = nil
  }
}

/// What a new thread runs.
private final class Job {
  private let task: () -> Void

  private init(_ task: @escaping () -> Void) { self.task = task }

  /// A handle to wait for it by; nil if there can be no further thread.
  static func start(_ task: @escaping () -> Void) -> UInt64? {
    let job = Unmanaged.passRetained(Job(task))
    let handle = cr_start_thread(
      { argument in
        Unmanaged<Job>.fromOpaque(argument!).takeRetainedValue().task()
        return nil
      }, job.toOpaque())
    if handle == 0 { job.release() }
    return handle == 0 ? nil : handle
  }
}
