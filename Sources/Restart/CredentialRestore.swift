// SPDX-License-Identifier: Apache-2.0
import Architecture
import CLinux
import Engine
import Linux
import Request
import Snapshot

extension Rebuilder {
  /// Users, groups and capabilities, thread by thread, and what depends on them. After this the
  /// process may have lost the right to change anything else about itself.
  func restoreCredentials<E: Engine & ~Copyable>(
    _ index: Int, by engine: inout E
  ) throws(Failure) {
    let process = snapshot.processes[index]
    for (place, thread) in process.threads.enumerated()
    where thread.credentials != surroundings.credentials {
      try setCredentials(
        thread.credentials, of: members[index].threads[place], remote(index), by: &engine)
    }
    try each(index, "set no_new_privs", .prctl, by: &engine) { place in
      process.threads[place].noNewPrivileges && !surroundings.status.noNewPrivileges
        ? [UInt64(PR_SET_NO_NEW_PRIVS), 1] : nil
    }
    // A change of credentials clears this one.
    try each(index, "set the signal for its parent's death", .prctl, by: &engine) { place in
      let signal = process.threads[place].parentDeathSignal
      return signal == 0 ? nil : [UInt64(PR_SET_PDEATHSIG), UInt64(signal)]
    }
    if process.sharesMemoryWith == nil {
      let present = process.threads.contains { $0.credentials != surroundings.credentials }
      // 2, for root only, cannot be asked for; a change of credentials has set what is right.
      if process.dumpable < 2, present || process.dumpable != 1 {
        try remote(index).call(
          "set the dumpable flag", .prctl, [UInt64(PR_SET_DUMPABLE), UInt64(process.dumpable)],
          by: &engine)
      }
    }
  }

  private func setCredentials<E: Engine & ~Copyable>(
    _ wanted: Credentials, of thread: ThreadID, _ remote: Remote, by engine: inout E
  ) throws(Failure) {
    let ours = surroundings.credentials
    func call(
      _ step: StaticString, _ name: SystemCallName, _ arguments: [UInt64], by engine: inout E
    ) throws(Failure) {
      try one(step, name, arguments, thread, remote, by: &engine)
    }
    if surroundings.rights.canSetCapabilities {
      for capability in UInt64(0) ..< 64
      where (ours.bounding & ~wanted.bounding) >> capability & 1 != 0 {
        try call("limit capabilities", .prctl, [UInt64(PR_CAPBSET_DROP), capability], by: &engine)
      }
      // SECBIT_NO_SETUID_FIXUP: capabilities stay until they are set.
      try call("set secure bits", .prctl, [UInt64(PR_SET_SECUREBITS), 4], by: &engine)
    }
    if wanted.groups != ours.groups, surroundings.users.allowsGroups {
      var list = TargetStructure(for: remote.machine)
      for group in wanted.groups { list.int32(group) }
      let address = try remote.put(list.bytes, by: &engine)
      try call("set groups", .setgroups, [UInt64(wanted.groups.count), address], by: &engine)
    }
    if wanted.groupIDs != ours.groupIDs {
      try call("set group ids", .setresgid, wanted.groupIDs.prefix(3).map { UInt64($0) }, by: &engine)
      try call("set the file-system group id", .setfsgid, [UInt64(wanted.groupIDs[3])], by: &engine)
    }
    if wanted.userIDs != ours.userIDs {
      try call("set user ids", .setresuid, wanted.userIDs.prefix(3).map { UInt64($0) }, by: &engine)
      try call("set the file-system user id", .setfsuid, [UInt64(wanted.userIDs[3])], by: &engine)
    }
    if !surroundings.rights.canSetCapabilities { return }
    var full = wanted
    full.permitted = ours.permitted
    full.effective = ours.permitted
    try setCapabilities(full, of: thread, remote, by: &engine)
    for capability in UInt64(0) ..< 64 where wanted.ambient >> capability & 1 != 0 {
      // PR_CAP_AMBIENT_RAISE
      try call(
        "set ambient capabilities", .prctl, [UInt64(PR_CAP_AMBIENT), 2, capability], by: &engine)
    }
    try call(
      "set secure bits", .prctl, [UInt64(PR_SET_SECUREBITS), UInt64(wanted.secureBits)],
      by: &engine)
    var possible = wanted
    possible.permitted &= ours.permitted
    possible.effective &= ours.permitted
    try setCapabilities(possible, of: thread, remote, by: &engine)
  }

  /// capset(2), _LINUX_CAPABILITY_VERSION_3.
  private func setCapabilities<E: Engine & ~Copyable>(
    _ wanted: Credentials, of thread: ThreadID, _ remote: Remote, by engine: inout E
  ) throws(Failure) {
    var fields = TargetStructure(for: remote.machine)
    fields.int32(0x2008_0522)
    fields.int32(0)
    for shift in [UInt64(0), 32] {
      for set in [wanted.effective, wanted.permitted, wanted.inheritable] {
        fields.int32(UInt32(truncatingIfNeeded: set >> shift))
      }
    }
    let address = try remote.put(fields.bytes, by: &engine)
    try one("set capabilities", .capset, [address, address + 8], thread, remote, by: &engine)
  }
}
