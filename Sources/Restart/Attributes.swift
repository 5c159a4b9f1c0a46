// SPDX-License-Identifier: Apache-2.0
import Architecture
import CLinux
import Engine
import Linux
import Request
import Snapshot

extension Rebuilder {
  /// Directories, umask, scheduling, limits: whatever a process has that is neither memory, files
  /// nor signals. Only what differs from what it has inherited from us takes a call.
  func restoreAttributes<E: Engine & ~Copyable>(
    _ index: Int, by engine: inout E, _ report: inout Report
  ) throws(Failure) {
    let process = snapshot.processes[index]
    let remote = remote(index)
    if process.sharesDirectoriesWith == nil {
      try restoreDirectories(process, remote, by: &engine)
    }
    for (place, thread) in process.threads.enumerated() {
      restoreScheduling(thread, of: members[index].threads[place], process, &report)
    }
    try each(index, "set the timer slack", .prctl, by: &engine) { place in
      let slack = process.threads[place].timerSlack
      return slack == 50_000 || slack == 0 ? nil : [UInt64(PR_SET_TIMERSLACK), slack]
    }
    restoreAccounting(process, remote, &report)
  }

  private func restoreDirectories<E: Engine & ~Copyable>(
    _ process: Process, _ remote: Remote, by engine: inout E
  ) throws(Failure) {
    if process.umask != surroundings.status.umask {
      try remote.call("set the umask", .umask, [UInt64(process.umask)], by: &engine)
    }
    if process.workingDirectory != surroundings.workingDirectory || process.lostDirectoryMode != 0 {
      let path = try remote.putPath(presentWorkingDirectory(process), by: &engine)
      if case .failure(let errno) = try remote.outcome(.chdir, [path], by: &engine) {
        throw Failure(
          errno,
          "cannot enter \(process.workingDirectory), the working directory of process \(process.id) "
            + "(\(process.name)): \(errno)")
      }
    }
    // Paths of the snapshot are those that we see, so this comes after the working directory.
    if process.rootDirectory != surroundings.rootDirectory {
      let path = try remote.putPath(process.rootDirectory, by: &engine)
      if case .failure(let errno) = try remote.outcome(.chroot, [path], by: &engine) {
        throw Failure(
          errno,
          "cannot make \(process.rootDirectory) the root directory of process \(process.id) "
            + "(\(process.name)): \(errno)")
      }
    }
  }

  /// One that was deleted is made again for a moment.
  private func presentWorkingDirectory(_ process: Process) throws(Failure) -> ByteString {
    if process.lostDirectoryMode == 0 { return process.workingDirectory }
    do throws(Errno) {
      return try files.lostDirectories.make(process.workingDirectory, mode: process.lostDirectoryMode)
    } catch {
      throw Failure(
        error,
        "cannot make a directory in place of the deleted \(process.workingDirectory), the working directory "
          + "of process \(process.id) (\(process.name)): \(error)")
    }
  }

  // MARK: From outside

  private func restoreScheduling(
    _ thread: Thread, of target: ThreadID, _ process: Process, _ report: inout Report
  ) {
    let wanted = SchedulingAttributes(thread.scheduling)
    let who: ByteString = "process \(process.id) (\(process.name)), thread \(thread.id)"
    if let present = try? SchedulingAttributes(of: target), present != wanted {
      do throws(Errno) { try wanted.apply(to: target) } catch {
        report.warn("\(who): its scheduling policy or nice value is refused here: \(error)")
      }
    }
    if let present = try? ioPriority(of: target), present != thread.scheduling.ioPriority {
      do throws(Errno) { try setIOPriority(thread.scheduling.ioPriority, of: target) } catch {
        report.warn("\(who): its I/O priority is refused here: \(error)")
      }
    }
  }

  /// The CPUs that each thread may run on. Until now they had the one that we kept to ourselves.
  func restoreAffinities(_ index: Int, _ report: inout Report) {
    let process = snapshot.processes[index]
    for (place, thread) in process.threads.enumerated() {
      restoreAffinity(
        thread, of: members[index].threads[place],
        "process \(process.id) (\(process.name)), thread \(thread.id)", &report)
    }
  }

  private func restoreAffinity(
    _ thread: Thread, of target: ThreadID, _ who: ByteString, _ report: inout Report
  ) {
    let saved = thread.scheduling.affinity
    let wanted = saved.isEmpty ? surroundings.processors : saved
    guard let present = try? cpuAffinity(of: target),
      !present.isSameSet(as: wanted)
    else { return }
    do throws(Errno) { try setCPUAffinity(wanted, of: target) } catch {
      report.warn("\(who): none of the CPUs it was bound to is here: it may run on all")
      try? setCPUAffinity(surroundings.processors, of: target)
      return
    }
    if let now = try? cpuAffinity(of: target), !now.isSameSet(as: wanted) {
      report.warn("\(who): not all of the CPUs it was bound to are here")
    }
  }

  private func restoreAccounting(_ process: Process, _ remote: Remote, _ report: inout Report) {
    for (number, wanted) in process.limits.enumerated() {
      restoreLimit(Int32(number), wanted, remote, &report)
    }
    if process.oomScoreAdjustment != surroundings.oomScoreAdjustment,
      !write("\(process.oomScoreAdjustment)", to: "oom_score_adj", of: remote)
    {
      report.warn(
        "process \(remote.id) (\(remote.name)): its out-of-memory score of "
          + "\(process.oomScoreAdjustment) is refused here")
    }
    if process.coredumpFilter != surroundings.coredumpFilter {
      // A kernel without ELF core dumps has no such file, and no use for it.
      _ = write("0x\(hex: process.coredumpFilter)", to: "coredump_filter", of: remote)
    }
  }

  private func restoreLimit(
    _ number: Int32, _ wanted: ResourceLimit, _ remote: Remote, _ report: inout Report
  ) {
    guard let present = try? resourceLimit(number, of: remote.id),
      present.soft != wanted.soft || present.hard != wanted.hard
    else { return }
    do throws(Errno) {
      try setResourceLimit(number, of: remote.id, soft: wanted.soft, hard: wanted.hard)
    } catch {
      // Without CAP_SYS_RESOURCE a hard limit only ever falls.
      let hard = min(wanted.hard, present.hard)
      try? setResourceLimit(number, of: remote.id, soft: min(wanted.soft, hard), hard: hard)
      report.warn(
        "process \(remote.id) (\(remote.name)): resource limit \(number) cannot be raised to what it "
          + "was: \(error)")
    }
  }

  private func write(_ text: ByteString, to name: ByteString, of remote: Remote) -> Bool {
    let path: ByteString = "/proc/\(remote.id)/"
    guard let file = try? FileDescriptor(opening: path + name, flags: O_WRONLY) else {
      return false
    }
    return (try? DescriptorNumber(file.number).write(text.bytes[...])) != nil
  }
}

extension SchedulingAttributes: Equatable {
  init(_ saved: Scheduling) {
    self.init(
      policy: saved.policy, flags: saved.flags, nice: saved.nice, priority: saved.priority,
      runtime: saved.runtime, deadline: saved.deadline, period: saved.period)
  }

  public static func == (left: SchedulingAttributes, right: SchedulingAttributes) -> Bool {
    // The runtime of an ordinary thread is its time slice, which the kernel fills in by itself.
    let isDeadline = left.policy == 6
    return left.policy == right.policy && left.flags == right.flags && left.nice == right.nice
      && left.priority == right.priority
      && (!isDeadline
        || left.runtime == right.runtime && left.deadline == right.deadline
          && left.period == right.period)
  }
}

extension [UInt8] {
  /// As sets of bits; missing bytes are 0.
  fileprivate func isSameSet(as other: [UInt8]) -> Bool {
    for index in 0 ..< Swift.max(count, other.count) {
      let left = index < count ? self[index] : 0
      let right = index < other.count ? other[index] : 0
      if left != right { return false }
    }
    return true
  }
}
