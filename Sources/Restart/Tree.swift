// SPDX-License-Identifier: Apache-2.0
import Architecture
import CLinux
import Engine
import Linux
import Request
import Snapshot

extension Rebuilder {
  /// Makes every process, each by its own parent, so that parents can wait for their children.
  ///
  /// A session is inherited at birth. With sessions restored, a process that was born before its
  /// parent started a session of its own is therefore made before that is done again; one whose
  /// session nobody above it has is made by a helper and then left to its parent as an orphan.
  mutating func spawnTree<E: Engine & ~Copyable>(by engine: inout E) throws(Failure) {
    var pending = Array(snapshot.processes.indices)
    while !pending.isEmpty {
      var later: [Int] = []
      for index in pending {
        guard isParentReady(index) else {
          later.append(index)
          continue
        }
        try spawn(index, by: &engine)
      }
      // Every parent stands before its children, so each turn makes at least one.
      precondition(later.count < pending.count, "a process tree with a circle in it")
      pending = later
      try startSessions(besides: pending, by: &engine)
    }
  }

  /// Whose child it becomes; nil for ours.
  func parent(of index: Int) -> Int? {
    let parent = snapshot.processes[index].parent
    return snapshot.processes[..<index].firstIndex { $0.id == parent }
  }

  private func isParentReady(_ index: Int) -> Bool {
    guard let parent = parent(of: index) else { return true }
    if members[parent].id.rawValue == 0 { return false }
    // Its session, and so its terminal, must be there to be inherited.
    let process = snapshot.processes[index]
    let isInherited = process.session == snapshot.processes[parent].id && restoresSession(index)
    return !isInherited || !hasOlderChildren(parent) || startedSessions.contains(parent)
  }

  private mutating func spawn<E: Engine & ~Copyable>(
    _ index: Int, by engine: inout E
  ) throws(Failure) {
    let process = snapshot.processes[index]
    let parent = parent(of: index)
    var order = SpawnRequest(executable: process.executable.path)
    if request.restoreProcessIDs { order.id = process.id }
    order.parent = parent.map { members[$0].id }
    order.exitSignal = process.exitSignal
    order.personality = process.personality
    if case .zombie = process.state {
      // Without a parent in the job nobody would ever wait for it.
      guard parent != nil else {
        members[index].hasEnded = true
        return
      }
      order.executable = ""
    }
    if let parent {
      order.sharing = sharing(of: index, with: parent)
      // An exec makes it SIGCHLD again (fs/exec.c): then a fork of the same program must do.
      if process.exitSignal != SIGCHLD,
        snapshot.processes[parent].executable.path == process.executable.path
      {
        order.executable = ""
      }
    }
    var helper: ProcessID?
    if restoresSession(index) {
      if process.session == process.id { order.newSession = !hasOlderChildren(index) }
      helper = try sessionHelper(for: index, &order, by: &engine)
    }
    let id = try spawn(order, named: process, by: &engine)
    members[index].id = id
    members[index].threads = [id.leader]
    if let helper { try end(helper, by: &engine) }
    if case .zombie = process.state { return }
    try checkRegisters(index, by: &engine)
    try placeScratch(index, by: &engine)
    if order.newSession {
      startedSessions.insert(index)
      try giveTerminal(index, by: &engine)
    }
    if process.isChildSubreaper {
      // At once: orphans among its descendants are left to it while the tree is made.
      try remote(index).call(
        "make it a subreaper", .prctl, [UInt64(PR_SET_CHILD_SUBREAPER), 1], by: &engine)
    }
  }

  /// What clone(2) has to let it share with its parent. Things are shared with the first process of
  /// the job that has them, and so with every other one that does.
  private func sharing(of index: Int, with parent: Int) -> SpawnRequest.Sharing {
    let one = snapshot.processes[index]
    let other = snapshot.processes[parent]
    var sharing: SpawnRequest.Sharing = []
    if let owner = one.sharesMemoryWith, owner == other.sharesMemoryWith ?? parent {
      sharing.insert(.memory)
    }
    if let owner = one.sharesDescriptorsWith, owner == other.sharesDescriptorsWith ?? parent {
      sharing.insert(.descriptors)
    }
    if let owner = one.sharesDirectoriesWith, owner == other.sharesDirectoriesWith ?? parent {
      sharing.insert(.directories)
    }
    return sharing
  }

  private func spawn<E: Engine & ~Copyable>(
    _ order: SpawnRequest, named process: Process, by engine: inout E
  ) throws(Failure) -> ProcessID {
    do throws(EngineError) { return try engine.spawn(order) } catch {
      switch error.errno {
      case .exists:
        throw Failure(
          .busy,
          "process id \(process.id) is in use, and process \(process.name) needs it: end the "
            + "process (or group, or session) that has it, or use --no-restore-pid")
      case .notPermitted where order.id != nil && !surroundings.rights.isUndisputed:
        throw Failure(.notPermitted, Rights.missingRightToSetIDs)
      default:
        throw Failure(
          error.errno,
          "cannot start \(process.executable.path) as process \(process.id) (\(process.name)): "
            + "\(error.errno)")
      }
    }
  }

  /// Our memory in it goes where neither the fresh program nor the restored one has any.
  private mutating func placeScratch<E: Engine & ~Copyable>(
    _ index: Int, by engine: inout E
  ) throws(Failure) {
    let process = snapshot.processes[index]
    let id = members[index].id
    if let owner = process.sharesMemoryWith {
      members[index].remote = Remote(
        id: id, name: process.name, machine: process.machine, scratch: remote(owner).scratch)
      return
    }
    var failure: EngineError?
    for place in scratchPlaces(index, engine.scratchSpan) {
      do throws(EngineError) {
        let scratch = try engine.placeScratch(in: id, at: place)
        members[index].remote = Remote(
          id: id, name: process.name, machine: process.machine, scratch: scratch)
        return
      } catch {
        failure = error
        // EEXIST: the fresh program has something there.
        if error.errno != .exists { break }
      }
    }
    throw Failure(failure ?? EngineError("find room for work in process", id, .noMemory))
  }

  private func scratchPlaces(_ index: Int, _ span: UInt64) -> [UInt64] {
    let memory = snapshot.processes[index].memory
    var specials: UInt64 = 0
    for region in memory.regions {
      if case .special = region.backing, region.range.count < 1 << 24 {
        specials += region.range.count
      }
    }
    // The kernel's mappings may have to be put aside behind it.
    let count = span + specials + 4 * memory.pageSize
    return FreeSpace(besides: memory.regions)
      .places(for: count, pageSize: max(memory.pageSize, 0x1_0000))
  }

  // MARK: Sessions

  /// Whether it has children of an older session than its own: those must be made first.
  private func hasOlderChildren(_ index: Int) -> Bool {
    snapshot.processes.indices.contains { isOlder($0, than: snapshot.processes[index]) }
  }

  /// Whether it is a child that was born before its parent had a session of its own.
  private func isOlder(_ index: Int, than parent: Process) -> Bool {
    let child = snapshot.processes[index]
    return child.parent == parent.id && child.session != parent.id && child.session != child.id
  }

  /// A process of the wanted session that will be the real maker; nil where the parent is in it,
  /// or where that session cannot be had.
  private mutating func sessionHelper<E: Engine & ~Copyable>(
    for index: Int, _ order: inout SpawnRequest, by engine: inout E
  ) throws(Failure) -> ProcessID? {
    let process = snapshot.processes[index]
    if process.session == process.id { return nil }
    let maker = parent(of: index).map { members[$0].id } ?? .own
    guard let session = try? maker.session(), session != present(process.session) else { return nil }
    var helper = SpawnRequest(executable: process.executable.path)
    helper.exitSignal = 0
    if let leader = snapshot.processes.firstIndex(where: { $0.id == process.session }),
      members[leader].id.rawValue != 0
    {
      helper.parent = members[leader].id
    } else if request.restoreProcessIDs, !isTaken(process.session) {
      // Its leader has ended: a session of that id begins once more, and its leader ends again.
      helper.parent = order.parent
      helper.id = process.session
      helper.newSession = true
    } else {
      return nil
    }
    if order.parent == nil { try? setOwnSubreaper(true) }
    let id = try spawn(helper, named: process, by: &engine)
    helpers.append(Helper(id: id, parent: helper.parent))
    order.parent = id
    return id
  }

  private func isTaken(_ id: ProcessID) -> Bool {
    (try? FileStatus.of("/proc/\(id)")) != nil
  }

  /// Ends a helper, and waits for it where its parent would otherwise find it.
  mutating func end<E: Engine & ~Copyable>(
    _ helper: ProcessID, by engine: inout E
  ) throws(Failure) {
    guard let place = helpers.firstIndex(where: { $0.id == helper }) else { return }
    let parent = helpers[place].parent
    engine.kill(helper)
    helpers.remove(at: place)
    guard let parent, let index = members.firstIndex(where: { $0.id == parent }) else { return }
    // __WALL: without an exit signal it is a clone to wait4(2).
    try remote(index).call(
      "wait for a helper", .wait4, [UInt64(helper.rawValue), 0, 0x4000_0000, 0], by: &engine)
  }

  /// setsid(2) by those whose older children had to be made first, and are.
  private mutating func startSessions<E: Engine & ~Copyable>(
    besides pending: [Int], by engine: inout E
  ) throws(Failure) {
    for index in living where !startedSessions.contains(index) {
      let process = snapshot.processes[index]
      guard process.session == process.id, restoresSession(index),
        !pending.contains(where: { isOlder($0, than: process) })
      else { continue }
      try remote(index).call("start a session", .setsid, [], by: &engine)
      startedSessions.insert(index)
      try giveTerminal(index, by: &engine)
    }
  }
}
