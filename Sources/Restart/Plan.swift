// SPDX-License-Identifier: Apache-2.0
import Architecture
import CLinux
import Linux
import Request
import Snapshot

/// Finds everything that stands in the way, before the first process is made.
struct Plan {
  let request: RestartRequest
  let snapshot: Snapshot
  let surroundings: Surroundings
  var problems = Problems()

  init(_ request: RestartRequest, _ snapshot: Snapshot, _ surroundings: Surroundings) {
    self.request = request
    self.snapshot = snapshot
    self.surroundings = surroundings
  }

  /// Throws everything that was found, as one failure.
  mutating func check(_ report: inout Report) throws(Failure) {
    examine(&report)
    if let failure = problems.failure { throw failure }
  }

  /// Looks, and gathers `problems`.
  mutating func examine(_ report: inout Report) {
    guard !snapshot.processes.isEmpty else {
      problems.add(.invalid, "there is no process in the context file")
      return
    }
    for process in snapshot.processes {
      if case .zombie = process.state { continue }
      checkMachine(process)
      checkSharing(process)
      checkCredentials(process, &report)
      checkSeccomp(process)
    }
    if request.restoreProcessIDs { checkProcessIDs() }
    if request.isLazy, let failure = LazyLoading.obstacle { problems.add(failure.errno, failure.message) }
    if request.restoreClock, !surroundings.rights.canSetClocks {
      problems.add(
        .notPermitted,
        "--restore-clock needs root (CAP_SYS_ADMIN and CAP_SYS_TIME), or --rootless")
    }
    var systemV = SystemVCheck(restoresIDs: request.restoreSystemV)
    systemV.check(snapshot)
    // What it warns of is told when it has come about.
    for problem in systemV.problems.found { problems.add(problem.errno, problem.message) }
    var files = FileCheck()
    files.check(snapshot)
    for warning in files.warnings { report.warn(warning) }
    for problem in files.problems.found { problems.add(problem.errno, problem.message) }
  }

  private func who(_ process: Process) -> ByteString { "process \(process.id) (\(process.name))" }

  private func name(of machine: Machine) -> ByteString {
    machine.name.map { "\($0)" } ?? "ELF machine \(machine.number)"
  }

  // MARK: Processor and kernel

  private mutating func checkMachine(_ process: Process) {
    if !process.machine.runsHere {
      problems.add(
        .notSupported,
        "\(who(process)) is a program for another processor (\(name(of: process.machine))): it "
          + "cannot run here, this one is \(name(of: .native))")
      return
    }
    if process.memory.pageSize != hostPageSize, process.sharesMemoryWith == nil {
      problems.add(
        .notSupported,
        "\(who(process)) was saved with pages of \(process.memory.pageSize) bytes; this kernel's "
          + "have \(hostPageSize)")
    }
  }

  /// A process can only be made to share with its parent (clone(2)).
  private mutating func checkSharing(_ process: Process) {
    let parent = snapshot.processes.firstIndex { $0.id == process.parent }
    func isWithParent(_ owner: Int?, _ parents: (Process) -> Int?) -> Bool {
      guard let owner else { return true }
      guard let parent else { return false }
      return owner == parents(snapshot.processes[parent]) ?? parent
    }
    if !isWithParent(process.sharesMemoryWith, { $0.sharesMemoryWith })
      || !isWithParent(process.sharesDescriptorsWith, { $0.sharesDescriptorsWith })
      || !isWithParent(process.sharesDirectoriesWith, { $0.sharesDirectoriesWith })
    {
      problems.add(
        .notSupported,
        "\(who(process)) shares memory, descriptors or directories with a process that is not its "
          + "parent: not supported yet")
    }
  }

  // MARK: Credentials

  private mutating func checkCredentials(_ process: Process, _ report: inout Report) {
    let ours = surroundings.credentials
    let rights = surroundings.rights
    for thread in process.threads {
      let wanted = thread.credentials
      if let words = missing(wanted) {
        problems.add(.notPermitted, "\(who(process)) \(words)")
        return
      }
      if wanted.userIDs != ours.userIDs, !rights.canSetUserIDs {
        problems.add(
          .notPermitted,
          "\(who(process)) ran as user \(wanted.userIDs[1]), and you are user \(ours.userIDs[1]): "
            + "ask as that user, or as root")
        return
      }
      if wanted.groupIDs != ours.groupIDs || !keepsGroups(wanted), !rights.canSetGroupIDs {
        problems.add(
          .notPermitted,
          "\(who(process)) had other groups than you have: log in again as that user, or ask as root")
        return
      }
      if wanted.permitted & ~ours.permitted != 0 {
        report.warn("\(who(process)) had capabilities that are not to be had here")
        break
      }
    }
    if process.rootDirectory != surroundings.rootDirectory, !rights.canChangeRoot {
      problems.add(
        .notPermitted,
        "\(who(process)) had the root directory \(process.rootDirectory), which only root can set")
    }
  }

  /// What this user namespace does not have or forbids.
  private func missing(_ wanted: Credentials) -> ByteString? {
    let users = surroundings.users
    let how: ByteString =
      "use cr_restart --rootless outside of it, or map that id (unshare --map-current-user)"
    for id in wanted.userIDs
    where !surroundings.credentials.userIDs.contains(id) && !users.has(user: id) {
      return "ran as user \(id), which this user namespace does not have: \(how)"
    }
    for id in wanted.groupIDs
    where !surroundings.credentials.groupIDs.contains(id) && !users.has(group: id) {
      return "ran with group \(id), which this user namespace does not have: \(how)"
    }
    if users.allowsGroups || keepsGroups(wanted) { return nil }
    return "had other groups than you have, and this user namespace forbids to set them "
      + "(/proc/self/setgroups): log in again as that user, or ask as root"
  }

  /// The groups are ours. Where groups cannot be set, those that the user namespace lacks look alike.
  private func keepsGroups(_ wanted: Credentials) -> Bool {
    let ours = surroundings.credentials.groups
    if wanted.groups.sorted() == ours.sorted() { return true }
    if wanted.groups.sorted() == surroundings.status.groups.sorted() { return true }
    let users = surroundings.users
    return !users.allowsGroups && request.groups == nil
      && users.shown(groups: wanted.groups) == users.shown(groups: ours)
  }

  // MARK: Process ids

  private mutating func checkProcessIDs() {
    if !surroundings.rights.canSetProcessIDs {
      problems.add(.notPermitted, Rights.missingRightToSetIDs)
      return
    }
    for process in snapshot.processes {
      checkFree(process.id.leader, process)
      for thread in process.threads.dropFirst() { checkFree(thread.id, process) }
    }
  }

  private mutating func checkFree(_ id: ThreadID, _ process: Process) {
    guard TaskLife.isThere(id), !TaskLife.leaves(id, within: 3_000_000_000) else { return }
    let what: ByteString =
      id == process.id.leader ? "process id \(id)" : "thread id \(id)"
    let holder: ByteString =
      id.rawValue == ProcessID.own.rawValue
      ? "this very command has it: just try again"
      : "\(TaskLife.name(of: id)) has it: end that, or use --no-restore-pid"
    problems.add(
      .busy, "\(what), which \(process.name) needs, is in use; \(holder)")
  }
}

/// Whether an id belongs to somebody.
enum TaskLife {
  static func isThere(_ id: ThreadID) -> Bool {
    // Any call that takes a thread id and changes nothing.
    cr_syscall(Int(SYS_sched_getscheduler), Int(id.rawValue), 0, 0, 0, 0, 0) != -Int(ESRCH)
  }

  /// A dead process keeps its id until its parent has waited for it, which may take a while.
  static func leaves(_ id: ThreadID, within nanoseconds: UInt64) -> Bool {
    let deadline = Clock.monotonic.reading + nanoseconds
    while isThere(id) {
      guard let text = try? FileDescriptor(opening: "/proc/\(id)/stat", flags: O_RDONLY).readToEnd(),
        let stat = ProcessStat(text)
      else { continue }
      guard stat.isZombie, Clock.monotonic.reading < deadline else { return false }
      pause()
    }
    return true
  }

  private static func pause() {
    var time = timespec(tv_sec: 0, tv_nsec: 500_000)
    withUnsafeMutablePointer(to: &time) {
      _ = cr_syscall(Int(SYS_nanosleep), Int(bitPattern: $0), 0, 0, 0, 0, 0)
    }
  }

  /// `bash (process 12)`
  static func name(of id: ThreadID) -> ByteString {
    guard let text = try? FileDescriptor(opening: "/proc/\(id)/status", flags: O_RDONLY).readToEnd()
    else { return "another process" }
    var scanner = TextScanner(text)
    guard scanner.skip("Name:\t") else { return "another process" }
    let name = scanner.restOfLine()
    return "\(name) (process \(ProcessStatus(text).threadGroup))"
  }
}
