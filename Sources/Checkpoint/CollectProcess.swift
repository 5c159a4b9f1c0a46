// SPDX-License-Identifier: Apache-2.0
import Architecture
import CLinux
import Engine
import Linux
import Request
import Snapshot

extension Collector {
  /// One living process, which is held.
  mutating func collectProcess<E: Engine & ~Copyable>(
    _ member: Frozen.Member, by engine: inout E
  ) throws(Failure) -> Process {
    let id = member.id
    let threads = engine.threads(of: id)
    let speaker = threads.first ?? id.leader
    if speaker != id.leader { speakers[id.rawValue] = ProcessID(speaker.rawValue) }
    let reach = reach(id)
    let files = try reading("/proc", of: id) { () throws(Errno) in try ProcessFiles(reach) }
    let status = ProcessStatus(try files.text("status", of: id))
    let registers = try engaging { () throws(EngineError) in try engine.registers(of: speaker) }
    try checkMode(of: member, registers.machine, files, by: &engine)
    try SeccompAccess.check(member.id, member.stat.name, status)
    let scratch = try engaging { () throws(EngineError) in try engine.scratch(in: id) }
    let remote = RemoteProcess(
      id: id, speaker: speaker, machine: registers.machine, scratch: scratch)
    let index = snapshot.processes.count

    let partner = kinship.partner(.memory, of: reach, at: index)
    let view = Background(apart: threads.count >= OutsideView.manyThreads) {
      Result { () throws(Failure) in
        try OutsideView(of: id, by: reach, threads, withMemory: partner == nil)
      }
    }

    var process = Process(id: id, parent: member.stat.parent, machine: registers.machine)
    process.describe(member.stat)
    process.umask = status.umask
    process.hugePagesDisabled = !status.hugePagesEnabled
    let stopSignal = engine.stopSignal(of: id)
    if stopSignal != 0 { process.state = .stopped(signal: stopSignal) }
    process.commandLine = ByteString((try? files.read("cmdline")) ?? [])

    process.sharesMemoryWith = partner
    process.sharesDescriptorsWith = kinship.partner(.files, of: reach, at: index)
    process.sharesDirectoriesWith = kinship.partner(.directories, of: reach, at: index)
    try collectPlaces(&process, files)
    try collectAttributes(&process, files)
    try collectRemoteAttributes(&process, remote, by: &engine)
    try collectPosixTimers(&process, files, remote, by: &engine)
    try collectSignals(&process, status, remote, by: &engine)
    let answers = try ThreadAnswers.ask(threads, remote, by: &engine)
    let outside = try view.value().get()
    (process.threads, process.seccompFilters) =
      try collectThreads(member, answers, outside, remote, by: &engine)
    if speaker != id.leader { try addEndedLeader(to: &process, member) }
    process.memory = try collectMemory(member, files, process, outside, remote, by: &engine)
    if process.sharesDescriptorsWith == nil {
      try collectDescriptors(&process, files)
    }
    return process
  }

  /// A thread may run code of another word size than its program has (a far jump); its memory and its
  /// system calls are then half the one and half the other.
  private func checkMode<E: Engine & ~Copyable>(
    of member: Frozen.Member, _ machine: Machine, _ files: borrowing ProcessFiles,
    by engine: inout E
  ) throws(Failure) {
    guard let program = machineOfProgram(files) else { return }
    for thread in engine.threads(of: member.id) {
      let present = try engaging { () throws(EngineError) in try engine.registers(of: thread) }
      guard present.machine != program else { continue }
      throw Failure(
        .notSupported,
        "process \(member.id) (\(member.stat.name)): its thread \(thread) runs "
          + "\(present.machine.wordSize.bytes * 8)-bit code in a "
          + "\(program.wordSize.bytes * 8)-bit program: not supported yet")
    }
  }

  /// By the ELF header; nil if it cannot be read.
  private func machineOfProgram(_ files: borrowing ProcessFiles) -> Machine? {
    guard let file = try? files.open("exe") else { return nil }
    var bytes = [UInt8](repeating: 0, count: 20)
    let count = bytes.withUnsafeMutableBytes {
      cr_pread(file.number, $0.baseAddress, $0.count, 0)
    }
    guard count == bytes.count, bytes[0] == 0x7f, let size = Machine.WordSize(rawValue: bytes[4]),
      let order = Machine.ByteOrder(rawValue: bytes[5])
    else { return nil }
    let pair = (UInt16(bytes[18]), UInt16(bytes[19]))
    return Machine(
      number: order == .little ? pair.0 | pair.1 << 8 : pair.0 << 8 | pair.1, wordSize: size,
      byteOrder: order)
  }

  /// Program file, working directory and root.
  mutating func collectPlaces(
    _ process: inout Process, _ files: borrowing ProcessFiles
  ) throws(Failure) {
    let id = process.id
    let program = try files.target("exe", of: id)
    let status = try reading("program file", of: id) { () throws(Errno) in
      try files.status(of: "exe")
    }
    // One that was deleted or replaced is saved with the memory that shows it; should a part of it
    // be mapped by a name that is another file's now, that is named there.
    let deleted: ByteString = " (deleted)"
    process.executable =
      identities.identity(of: program, matching: status)
      ?? FileIdentity(
        path: program.hasSuffix(deleted) ? program.dropLast(deleted.count) : program)
    process.workingDirectory = try files.target("cwd", of: id)
    let place = try reading("working directory", of: id) { () throws(Errno) in
      try files.status(of: "cwd")
    }
    if place.links == 0, process.workingDirectory.hasSuffix(deleted) {
      process.workingDirectory = process.workingDirectory.dropLast(deleted.count)
      process.lostDirectoryMode = place.mode
    }
    process.rootDirectory = try files.target("root", of: id)
  }

  /// What /proc and system calls of our own tell.
  mutating func collectAttributes(
    _ process: inout Process, _ files: borrowing ProcessFiles
  ) throws(Failure) {
    let id = process.id
    var personality = TextScanner(try files.text("personality", of: id))
    process.personality = UInt32(truncatingIfNeeded: personality.number(radix: 16))
    var filter = TextScanner((try? files.read("coredump_filter")) ?? Array("33".utf8))
    process.coredumpFilter = UInt32(truncatingIfNeeded: filter.number(radix: 16))
    var adjustment = TextScanner(try files.text("oom_score_adj", of: id))
    process.oomScoreAdjustment = Int32(truncatingIfNeeded: adjustment.signedNumber())
    process.controlGroups = ControlGroup.parse((try? files.read("cgroup")) ?? []).map {
      ControlGroupMembership($0, isOwn: !ownControlGroups.contains($0))
    }
    let limits = resourceLimits(text: try files.text("limits", of: id))
    process.limits = limits.map { ResourceLimit(soft: $0.soft, hard: $0.hard) }
  }

  /// What only the process itself can be asked.
  private mutating func collectRemoteAttributes<E: Engine & ~Copyable>(
    _ process: inout Process, _ remote: RemoteProcess, by engine: inout E
  ) throws(Failure) {
    process.dumpable = UInt32(
      truncatingIfNeeded: try remote.call(
        .prctl, [RemoteProcess.getDumpable], "read the dumpable flag", by: &engine))
    process.isChildSubreaper =
      try remote.int32(
        by: &engine, "read the subreaper flag", .prctl,
        [RemoteProcess.getChildSubreaper, remote.slot]) != 0
    if process.sharesMemoryWith == nil {
      process.membarrierCommands = try membarrierCommands(of: remote, by: &engine)
    }
    for timer in UInt64(0) ..< 3 {
      // struct itimerval: interval and value, each seconds and microseconds in words.
      var words = try remote.structure(
        4 * remote.wordSize, by: &engine, "read interval timers", .getitimer, [timer, remote.slot])
      let interval = words.word() * 1_000_000 + words.word()
      let remaining = words.word() * 1_000_000 + words.word()
      process.intervalTimers.append(IntervalTimer(remaining: remaining, interval: interval))
    }
  }
}

extension Collector {
  /// What it has registered for; the kernel tells since Linux 6.3 (MEMBARRIER_CMD_GET_REGISTRATIONS).
  private func membarrierCommands<E: Engine & ~Copyable>(
    of remote: RemoteProcess, by engine: inout E
  ) throws(Failure) -> UInt32 {
    if case .success(let commands) = try remote.outcome(.membarrier, [1 << 9, 0], by: &engine) {
      return UInt32(truncatingIfNeeded: commands)
    }
    // Before, only barriers for the process itself can be tried: EPERM to whoever has not registered.
    var commands: UInt32 = 0
    for bit in [3, 5, 7] as [UInt64] {
      if case .success = try remote.outcome(.membarrier, [1 << bit, 0], by: &engine) {
        commands |= 1 << UInt32(bit + 1)
      }
    }
    return commands
  }
}

extension ProcessFiles {
  /// A file that every process has.
  func text(
    _ name: ByteString, of process: ProcessID, expecting expected: Int = 4096
  ) throws(Failure) -> [UInt8] {
    do throws(Errno) { return try read(name, expecting: expected) } catch {
      throw Failure("read /proc/\(process)/" + name, process, error == .noEntry ? .noProcess : error)
    }
  }

  func target(_ name: ByteString, of process: ProcessID) throws(Failure) -> ByteString {
    do throws(Errno) { return try link(name) } catch {
      throw Failure("read /proc/\(process)/" + name, process, error == .noEntry ? .noProcess : error)
    }
  }
}
