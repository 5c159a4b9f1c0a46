// SPDX-License-Identifier: Apache-2.0
import Engine
import Linux
import Request
import Snapshot

extension Rebuilder {
  /// Moves processes into control groups of their own, before they have memory that would be counted to
  /// ours. Where the whole machine's users work (the groups of whoever asked for the checkpoint) they stay
  /// with us: that is the group of a batch job, or a login, which need not be that of then.
  func restoreControlGroups(_ report: inout Report) {
    guard request.restoreControlGroups else { return }
    let mounts = ControlGroupMounts()
    var told: Set<ControlGroup> = []
    for index in living {
      let present = ControlGroup.of(members[index].id)
      for membership in snapshot.processes[index].controlGroups
      where membership.isOwn && !present.contains(membership.group) {
        let group = membership.group
        guard let reason = move(members[index].id, into: group, mounts),
          told.insert(group).inserted
        else { continue }
        let hierarchy: ByteString = group.hierarchy.isEmpty ? "" : " of \(group.hierarchy)"
        report.warn(
          "process \(members[index].id) (\(name(index))) was in the control group \(group.path)\(hierarchy), "
            + "\(reason): it stays in that of the restarting command")
      }
    }
  }

  /// Why it does not go there; nil if it does.
  private func move(
    _ process: ProcessID, into group: ControlGroup, _ mounts: ControlGroupMounts
  ) -> ByteString? {
    guard let directory = mounts.directory(of: group) else { return "which cannot be seen from here" }
    if ControlGroupMounts.isFrozen(directory) { return "which is frozen" }
    do throws(Errno) { try process.enter(controlGroup: directory) } catch {
      return error == .noEntry ? "which is not there any more" : "which is refused here (\(error))"
    }
    return nil
  }
}
