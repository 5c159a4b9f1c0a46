// SPDX-License-Identifier: Apache-2.0
import Architecture
import CLinux
import Engine
import Linux
import Request
import Snapshot

extension Rebuilder {
  /// Brings a process into its job-control stop, before any other runs: its parent has been told of
  /// it once, so what it is told now is forgotten.
  mutating func stop<E: Engine & ~Copyable>(
    _ index: Int, by engine: inout E
  ) throws(Failure) {
    let id = members[index].id
    try engaging { () throws(EngineError) in try engine.release(id, stopped: true) }
    members[index].isReleased = true
    try awaitState("T", of: index)
    if let parent = parent(of: index) { try forget(SIGCHLD, in: parent, by: &engine) }
  }

  /// Lets everything run, children before their parents, so that no parent runs into a child that
  /// is not ready.
  mutating func releaseAll<E: Engine & ~Copyable>(by engine: inout E) throws(Failure) {
    for index in living.reversed() where !members[index].isReleased {
      let id = members[index].id
      try engaging { () throws(EngineError) in try engine.release(id, stopped: false) }
      members[index].isReleased = true
    }
    guard request.signal != 0 else { return }
    for index in living { try? members[index].id.send(request.signal) }
  }

  func result(_ report: Report) -> RestartedJob {
    var job = RestartedJob(root: members[0].id, members: [])
    for (index, member) in members.enumerated() where member.id.rawValue != 0 {
      job.members.append(RestartedJob.Member(saved: snapshot.processes[index].id, id: member.id))
    }
    job.warnings = report.warnings
    return job
  }
}
