// SPDX-License-Identifier: Apache-2.0
import Architecture
import Engine
import Linux
import Request
import Snapshot

extension Rebuilder {
  /// Puts every process into the group it was in. A group begins with its leader; where that has
  /// ended already, a helper stands in for it until the others have joined.
  mutating func restoreGroups<E: Engine & ~Copyable>(
    by engine: inout E, _ report: inout Report
  ) throws(Failure) {
    try joinRequester(by: &engine)
    for index in members.indices where isLeader(index) && restoresGroup(index) {
      try join(index, group: members[index].id, by: &engine)
    }
    var refused: Set<Int32> = []
    for index in members.indices
    where !isLeader(index) && restoresGroup(index) && members[index].id.rawValue != 0 {
      let group = snapshot.processes[index].group
      if refused.contains(group.rawValue) { continue }
      if try !tryJoin(index, group: present(group), by: &engine) {
        guard try startGroup(group, for: index, by: &engine) else {
          refused.insert(group.rawValue)
          report.warn(
            "process group \(group) cannot be restored here: its processes stay in the group of "
              + "their parents")
          continue
        }
        try join(index, group: group, by: &engine)
      }
    }
    for helper in helpers { try end(helper.id, by: &engine) }
  }

  /// The group that all who are not given their old one are in: that of who asked.
  var homeGroup: ProcessID {
    get throws(Errno) { try (request.requester ?? .own).group() }
  }

  /// A tool that libcr started has a group of its own, so that what a terminal sends to the program is
  /// not for the tool. The job is to be where the program is.
  private func joinRequester<E: Engine & ~Copyable>(by engine: inout E) throws(Failure) {
    guard request.requester != nil, let group = try? homeGroup else { return }
    for index in members.indices where members[index].id.rawValue != 0 {
      // Not possible for those with a session of their own, and not wanted.
      _ = try tryJoin(index, group: group, by: &engine)
    }
  }

  private func isLeader(_ index: Int) -> Bool {
    let process = snapshot.processes[index]
    return members[index].id.rawValue != 0 && process.group == process.id
  }

  private mutating func join<E: Engine & ~Copyable>(
    _ index: Int, group: ProcessID, by engine: inout E
  ) throws(Failure) {
    if try tryJoin(index, group: group, by: &engine) { return }
    throw Failure(
      "set the process group", members[index].id, name(index), .notPermitted)
  }

  /// setpgid(2), by the process or, for one that is only made to end, by its parent; false where
  /// there is no such group in its session.
  private func tryJoin<E: Engine & ~Copyable>(
    _ index: Int, group: ProcessID, by engine: inout E
  ) throws(Failure) -> Bool {
    let id = members[index].id
    if (try? id.group()) == group { return true }
    let actor = members[index].remote == nil ? parent(of: index) : index
    guard let actor else { return false }
    let outcome = try remote(actor).outcome(
      .setpgid, [UInt64(id.rawValue), UInt64(group.rawValue)], by: &engine)
    switch outcome {
    case .success: return true
    case .failure(.notPermitted), .failure(.noProcess): return false
    case .failure(let errno): throw Failure("set the process group", id, name(index), errno)
    }
  }

  /// A leader for a group whose own has ended, as a child of one of the group's processes.
  private mutating func startGroup<E: Engine & ~Copyable>(
    _ group: ProcessID, for index: Int, by engine: inout E
  ) throws(Failure) -> Bool {
    guard request.restoreProcessIDs, members[index].remote != nil else { return false }
    var order = SpawnRequest(executable: "")
    order.id = group
    order.parent = members[index].id
    order.exitSignal = 0
    let made: ProcessID
    do throws(EngineError) { made = try engine.spawn(order) } catch {
      if error.errno == .exists { return false }
      throw Failure(error)
    }
    helpers.append(Helper(id: made, parent: order.parent))
    try remote(index).call(
      "set the process group", .setpgid, [UInt64(made.rawValue), UInt64(made.rawValue)], by: &engine)
    return true
  }
}
