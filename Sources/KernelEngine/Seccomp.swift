// SPDX-License-Identifier: Apache-2.0
import Architecture
import CLinux
import Engine
import Linux
import Snapshot

/// Only a tracer may suspend seccomp(2) and read its filters. Without that a call that we make in a
/// thread under it could be the thread's last one, so such a process is not touched at all.
extension KernelEngine {
  static var refusalOfSeccomp: StaticString {
    "act under seccomp with the kernel module (--engine=user can, for root), in a thread"
  }

  /// Lets the process go again if one of its threads is under seccomp.
  mutating func refuseSeccomp(_ held: HeldProcess) throws(EngineError) {
    let files = try attempt("look at process", held.id) { () throws(Errno) in try ProcessFiles(held.id) }
    for thread in held.threads {
      guard let text = try? files.read("task/\(thread.id)/status"),
        ProcessStatus(text).seccompMode != 0
      else { continue }
      try release(held.id, stopped: false)
      throw EngineError(Self.refusalOfSeccomp, held.id, .notSupported)
    }
  }

  /// Nor is a process put under it by us, since it makes further calls afterwards.
  func refuseSeccomp(
    _ name: SystemCallName, _ arguments: [UInt64], in process: ProcessID
  ) throws(EngineError) {
    let isSeccomp =
      switch name {
      case .seccomp: true
      case .prctl: arguments.first == UInt64(PR_SET_SECCOMP)
      default: false
      }
    if isSeccomp { throw EngineError(Self.refusalOfSeccomp, process, .notSupported) }
  }

  public func seccompFilters(of thread: ThreadID) throws(EngineError) -> [SeccompFilter] {
    throw EngineError(Self.refusalOfSeccomp, try heldThread(thread).process, .notSupported)
  }
}
