// SPDX-License-Identifier: Apache-2.0
import Architecture
import CLinux
import Engine
import Linux
import Rendezvous
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
  ///
  /// Those with callbacks run under our eyes until these have returned, all together, since one may
  /// wait for another.
  mutating func releaseAll<E: Engine & ~Copyable>(
    by engine: inout E, _ report: inout Report
  ) throws(Failure) {
    var rendezvous = Rendezvous(until: .never)
    for index in living where !members[index].isReleased {
      let process = snapshot.processes[index]
      try rendezvous.enroll(
        restarted: members[index].id, savedAs: process.id, threads: process.threads.map { $0.id },
        requester: request.requester ?? .own, source: request.source, by: &engine)
    }
    for index in living.reversed() where !members[index].isReleased {
      let id = members[index].id
      if try rendezvous.resume(restarted: id, by: &engine) { continue }
      try engaging { () throws(EngineError) in try engine.release(id, stopped: false) }
      members[index].isReleased = true
    }
    try rendezvous.awaitRestarted(by: &engine, report: &report)
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
