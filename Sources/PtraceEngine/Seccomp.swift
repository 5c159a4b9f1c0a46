// SPDX-License-Identifier: Apache-2.0
import CLinux
import Engine
import Linux
import Snapshot

/// Threads that have given up system calls: seccomp(2).
///
/// A filter could kill the target for a call that it never makes itself, and no filter tells before. So
/// it is suspended for the calls that are ours, which takes root, or else none are made. Should we die,
/// the kernel puts it in force again: then the way back must do with what any program may, which is to
/// return from a signal handler.
extension PtraceEngine {
  static func suspendSeccomp(
    of thread: HeldThread, in held: HeldProcess
  ) throws(EngineError) {
    if thread.isUnjudged { return }
    do throws(Errno) {
      // The right to do this does not depend on whether there is a filter.
      try Tracing.setOptions(held.options | Tracing.suspendSeccomp, of: thread.id)
      thread.isUnjudged = true
      if (try? Tracing.seccompFilterLength(0, of: thread.id)) != nil { held.isConfined = true }
      return
    } catch {
      // EPERM: not root, or under a filter ourselves. EINVAL: not in this kernel.
    }
    // What it has from us cannot be helped.
    if held.isNew { return }
    let status = try attempt("look at thread", held.id) { () throws(Errno) in
      ProcessStatus(try ProcessFiles(thread.id, of: held.id).read("status"))
    }
    if status.seccompMode == 0 { return }
    throw EngineError(
      "make calls, which takes root (CAP_SYS_ADMIN, outside of containers), in a thread under seccomp",
      held.id, .notPermitted)
  }

  static func resumeSeccomp(of thread: HeldThread, in held: HeldProcess) {
    guard thread.isUnjudged else { return }
    // Cannot fail for a thread that stands still; one that is gone needs nothing.
    try? Tracing.setOptions(held.options, of: thread.id)
    thread.isUnjudged = false
  }

  public func seccompFilters(of thread: ThreadID) throws(EngineError) -> [SeccompFilter] {
    let process = try heldThread(thread).process
    return try attempt("read the seccomp filters", process) { () throws(Errno) in
      var filters: [SeccompFilter] = []
      while let filter = try Tracing.seccompFilter(filters.count, of: thread) {
        filters.append(
          SeccompFilter(
            flags: UInt32(truncatingIfNeeded: filter.flags), instructions: filter.instructions))
      }
      return filters
    }
  }
}
