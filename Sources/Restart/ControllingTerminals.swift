// SPDX-License-Identifier: Apache-2.0
import Architecture
import CLinux
import Engine
import Linux
import Request
import Snapshot

extension Snapshot {
  /// Sessions whose controlling terminal has its master in the job, by the ids of their leaders.
  ///
  /// Such a session cannot be another one afterwards: a shell could not give its terminal to a job.
  /// So they are restored even where sessions otherwise are not.
  var sessionsWithTerminals: Set<Int32> {
    var devices: Set<UInt64> = []
    for file in openFiles {
      if case .master(let terminal) = file.kind { devices.insert(terminal.device) }
    }
    var sessions: Set<Int32> = []
    for process in processes
    where process.session == process.id && devices.contains(process.controllingTerminal) {
      if case .zombie = process.state { continue }
      sessions.insert(process.id.rawValue)
    }
    return sessions
  }
}

extension Rebuilder {
  func restoresSession(_ index: Int) -> Bool {
    request.restoreSessions
      || sessionsWithTerminals.contains(snapshot.processes[index].session.rawValue)
  }

  func restoresGroup(_ index: Int) -> Bool {
    request.restoreGroups
      || sessionsWithTerminals.contains(snapshot.processes[index].session.rawValue)
  }

  /// Gives the leader of a session its terminal. That is inherited at birth, so its children come later.
  func giveTerminal<E: Engine & ~Copyable>(_ index: Int, by engine: inout E) throws(Failure) {
    guard let file = slave(of: snapshot.processes[index].controllingTerminal) else { return }
    let remote = remote(index)
    let outcome = try remote.outcome(
      .ioctl, [UInt64(file.rawValue), UInt64(TIOCSCTTY), 0], by: &engine)
    if case .failure(let errno) = outcome {
      throw Failure(
        errno, "cannot give process \(remote.id) (\(remote.name)) its controlling terminal: \(errno)")
    }
  }

  /// What needs all processes and their groups: who is in the foreground, who has left the terminal.
  mutating func restoreForegrounds<E: Engine & ~Copyable>(by engine: inout E) throws(Failure) {
    for index in living {
      let process = snapshot.processes[index]
      let session = process.session
      guard sessionsWithTerminals.contains(session.rawValue),
        let leader = living.first(where: { snapshot.processes[$0].id == session }),
        let file = slave(of: snapshot.processes[leader].controllingTerminal)
      else { continue }
      if index == leader {
        try setForeground(process, file, remote(index), by: &engine)
      } else if process.controllingTerminal == 0 {
        // It has said that it has none (TIOCNOTTY).
        _ = try remote(index).outcome(
          .ioctl, [UInt64(file.rawValue), UInt64(TIOCNOTTY), 0], by: &engine)
      }
    }
    try openByProcesses(by: &engine)
  }

  private func slave(of device: UInt64) -> DescriptorNumber? {
    guard device != 0 else { return nil }
    for (index, file) in snapshot.openFiles.enumerated() {
      guard case .slave(let slave) = file.kind, !slave.isHungUp,
        PseudoTerminal.device(slave.number) == device
      else { continue }
      return files.openFiles[index]
    }
    return nil
  }

  private func setForeground<E: Engine & ~Copyable>(
    _ process: Process, _ file: DescriptorNumber, _ remote: Remote, by engine: inout E
  ) throws(Failure) {
    let group = present(process.foregroundGroup)
    guard group.rawValue > 0, group != remote.id else { return }
    let bytes = withUnsafeBytes(of: group.rawValue) { Array($0) }
    let address = try remote.put(bytes, by: &engine)
    // Fails for a group that has ended: then nobody is in the foreground until the shell says so.
    _ = try remote.outcome(.ioctl, [UInt64(file.rawValue), UInt64(CR_TIOCSPGRP), address], by: &engine)
  }

  /// What was opened as /dev/tty is opened so again, by a process of that session.
  private mutating func openByProcesses<E: Engine & ~Copyable>(by engine: inout E) throws(Failure) {
    for (place, saved) in snapshot.openFiles.enumerated() {
      guard case .slave(let slave) = saved.kind, slave.path == "/dev/tty", !slave.isHungUp,
        let number = files.openFiles[place],
        let index = living.first(where: {
          snapshot.processes[$0].controllingTerminal == PseudoTerminal.device(slave.number)
            && restoresSession($0)
        })
      else { continue }
      let remote = remote(index)
      let path = try remote.putPath(slave.path, by: &engine)
      let flags = UInt64(saved.flags & ~openingFlags) | UInt64(O_NOCTTY)
      let atWorkingDirectory = UInt64(bitPattern: -100)
      guard
        case .success(let made) = try remote.outcome(
          .openat, [atWorkingDirectory, path, flags, 0], by: &engine)
      else { continue }
      do throws(Errno) {
        let file = try ProcessHandle(remote.id).descriptor(Int32(truncatingIfNeeded: made))
        try DescriptorNumber(file.number).replace(number)
        files.late.insert(place)
      } catch {
        throw Failure("open the terminal", remote.id, remote.name, error)
      }
      try remote.call("close a descriptor", .close, [made], by: &engine)
    }
  }
}
