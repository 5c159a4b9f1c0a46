// SPDX-License-Identifier: Apache-2.0
import Architecture
import CLinux
import Engine
import Linux
import Request
import Snapshot

extension Rebuilder {
  /// The filters of each thread, in the order in which they were set; none can be taken away again.
  func restoreSeccomp<E: Engine & ~Copyable>(
    _ index: Int, by engine: inout E
  ) throws(Failure) {
    let process = snapshot.processes[index]
    let remote = remote(index)
    for (place, thread) in process.threads.enumerated() where thread.seccompMode != 0 {
      let target = members[index].threads[place]
      for number in thread.seccompFilters {
        let filter = process.seccompFilters[Int(number)]
        try set(filter, in: target, remote, by: &engine)
      }
      // SECCOMP_MODE_STRICT
      guard thread.seccompMode == 1 else { continue }
      try one(
        "set the seccomp mode", .prctl, [UInt64(PR_SET_SECCOMP), 1], target, remote, by: &engine)
    }
  }

  private func set<E: Engine & ~Copyable>(
    _ filter: SeccompFilter, in thread: ThreadID, _ remote: Remote, by engine: inout E
  ) throws(Failure) {
    // struct sock_fprog: how many, and where they are.
    let instructions = try remote.put(filter.instructions, at: 64, by: &engine)
    var program = TargetStructure(for: remote.machine)
    program.int16(UInt16(filter.instructions.count / 8))
    program.align()
    program.word(instructions)
    let address = try remote.put(program.bytes, by: &engine)
    // SECCOMP_SET_MODE_FILTER
    try one(
      "set a seccomp filter", .seccomp, [1, UInt64(filter.flags), address], thread, remote,
      by: &engine)
  }
}

extension Plan {
  /// Whoever is not root may set filters (with no_new_privs), but not have them wait for the end.
  mutating func checkSeccomp(_ process: Process) {
    guard process.threads.contains(where: { $0.seccompMode != 0 }) else { return }
    if surroundings.rights.canSuspendSeccomp, surroundings.users.isFirst,
      surroundings.status.seccompMode == 0
    {
      return
    }
    problems.add(
      .notPermitted,
      "process \(process.id) (\(process.name)) ran under seccomp, which only root can bring back "
        + "(CAP_SYS_ADMIN), outside of containers: ask as root")
  }
}
