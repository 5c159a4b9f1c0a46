// SPDX-License-Identifier: Apache-2.0
import CLinux
import ContextFile
import Engine
import Linux
import Rendezvous
import Request

/// Has the frozen processes' callbacks run, and finds what has come into being while they did.
///
/// `frozen` holds those afterwards that are to be saved: without the ones that left themselves out,
/// with the ones that callbacks have added.
func gather<E: Engine & ~Copyable>(
  _ rendezvous: inout Rendezvous, _ request: CheckpointRequest, _ frozen: inout Frozen,
  by engine: inout E, until deadline: Deadline, _ destination: borrowing Destination,
  _ report: inout Report
) throws(Failure) {
  try frozen.checkRequester(request)
  let invitation = Invitation(
    request, from: request.requester ?? ownProcess, destination: destination.path)
  var newcomers = frozen.held
  while !newcomers.isEmpty {
    try rendezvous.gather(newcomers, for: invitation, by: &engine, report: &report) {
      scope, target, engine throws(Failure) in
      var further = request
      further.scope = scope
      further.target = target
      var guests = Frozen()
      var quiet = Report()
      do throws(Failure) {
        try freeze(
          further, by: &engine, into: &guests, besides: frozen.known, until: deadline,
          report: &quiet)
        try guests.checkRequester(request)
        if guests.members.isEmpty,
          !ScopeSearch(request: further).candidates.contains(where: { ProcessStat(of: $0) != nil })
        {
          throw Failure(.noProcess, "there is no process \(target) to be taken in")
        }
      } catch {
        guests.release(by: &engine)
        throw error
      }
      frozen.members += guests.members
      frozen.held += guests.held
      return guests.held
    }
    frozen.leaveOut(rendezvous.leftOut)
    frozen.held.removeAll { rendezvous.ended.contains($0) }
    if !rendezvous.hasLetRun { break }
    frozen.since = Clock.monotonic.reading
    // They ran on for a while, and may have started others.
    var born = Frozen()
    born.leftOut = frozen.leftOut
    do throws(Failure) {
      try freeze(
        request, by: &engine, into: &born, besides: frozen.known, until: deadline, report: &report)
    } catch {
      born.release(by: &engine)
      throw error
    }
    frozen.members += born.members
    frozen.held += born.held
    newcomers = born.held
  }
  frozen.refresh()
  if frozen.held.isEmpty {
    throw Failure(.noProcess, "all processes have left themselves out; nothing was saved")
  }
  guard frozen.members.contains(where: { !$0.stat.isZombie }) else {
    throw Failure(
      .noProcess, "process \(frozen.held[0]) has ended before it could be saved; nothing was saved")
  }
}

extension Frozen {
  /// Whom we have met, whether or not they are to be saved.
  fileprivate var known: Set<Int32> { Set(members.map { $0.id.rawValue }).union(leftOut) }

  fileprivate mutating func leaveOut(_ processes: [ProcessID]) {
    let numbers = Set(processes.map { $0.rawValue })
    leftOut.formUnion(numbers)
    held.removeAll { numbers.contains($0.rawValue) }
    members.removeAll { numbers.contains($0.id.rawValue) }
  }

  /// What was known of them is from before their callbacks ran. Of those that have ended meanwhile there is
  /// the status, as long as their parents have not waited for them.
  fileprivate mutating func refresh() {
    var present: [Member] = []
    for member in members {
      let stat = ProcessStat(of: member.id).flatMap { $0.startTime == member.stat.startTime ? $0 : nil }
      if let stat, held.contains(member.id) || stat.isZombie {
        present.append(Member(id: member.id, stat: stat))
      } else if held.contains(member.id) {
        present.append(member)
      }
    }
    members = parentsFirst(present)
  }

  fileprivate func checkRequester(_ request: CheckpointRequest) throws(Failure) {
    guard request.prohibitsRequester, let requester = request.requester, held.contains(requester)
    else { return }
    throw Failure(
      Errno(rawValue: EDEADLK), "process \(requester), which asks for it, would be included")
  }
}
