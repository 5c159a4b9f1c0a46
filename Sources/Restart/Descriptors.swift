// SPDX-License-Identifier: Apache-2.0
import Architecture
import CLinux
import Engine
import Linux
import Request
import Snapshot

extension Rebuilder {
  /// Gives the inherited files the numbers that the process had, and closes everything else.
  func numberDescriptors<E: Engine & ~Copyable>(
    _ index: Int, by engine: inout E, _ report: inout Report
  ) throws(Failure) {
    let process = snapshot.processes[index]
    if process.sharesDescriptorsWith != nil { return }
    let remote = remote(index)
    try fetchLateFiles(index, by: &engine)
    try fillEpolls(index, by: &engine, &report)
    for descriptor in process.descriptors {
      guard let file = files.source(of: descriptor) else { continue }
      let flags = descriptor.closeOnExec ? UInt64(O_CLOEXEC) : 0
      let outcome = try remote.outcome(
        .dup3, [UInt64(file.rawValue), UInt64(descriptor.number), flags], by: &engine)
      if case .failure(let errno) = outcome {
        throw Failure(
          errno,
          "cannot give descriptor \(descriptor.number) to process \(remote.id) (\(remote.name)): "
            + "\(errno)")
      }
    }
    for gap in Self.gaps(between: process.descriptors.map { $0.number }) {
      try remote.call(
        "close inherited descriptors", .closeRange, [UInt64(gap.first), UInt64(gap.last), 0],
        by: &engine)
    }
  }

  /// The numbers from 0 to the highest possible one that are not among these.
  static func gaps(between numbers: [Int32]) -> [(first: UInt32, last: UInt32)] {
    var gaps: [(first: UInt32, last: UInt32)] = []
    var next: UInt32 = 0
    for number in numbers.sorted() {
      let number = UInt32(bitPattern: number)
      if number > next { gaps.append((next, number - 1)) }
      next = number + 1
    }
    gaps.append((next, .max))
    return gaps
  }

  /// Locks on files, asked for again now that pids and descriptors are final.
  func lockFiles<E: Engine & ~Copyable>(
    _ index: Int, by engine: inout E
  ) throws(Failure) {
    let process = snapshot.processes[index]
    let remote = remote(index)
    for lock in process.fileLocks {
      let outcome: Result<UInt64, Errno>
      switch lock.kind {
      case .posix: outcome = try lockRemotely(lock, remote, by: &engine)
      case .lease: outcome = try lease(lock, remote, by: &engine)
      case .flock, .openFileDescription: outcome = lockHere(lock, process)
      }
      if case .failure(let errno) = outcome {
        if lock.kind == .lease {
          throw Failure(
            errno == .tryAgain ? .busy : errno,
            "cannot have the lease on descriptor \(lock.descriptor) of process \(remote.id) "
              + "(\(remote.name)) again: "
              + (errno == .tryAgain ? "somebody else has that file open now" : errno.reason))
        }
        let isHeld = errno == .tryAgain || errno == .accessDenied
        throw Failure(
          isHeld ? .busy : errno,
          "cannot lock descriptor \(lock.descriptor) of process \(remote.id) (\(remote.name)) again: "
            + (isHeld ? "another process holds a lock on that file now" : errno.reason))
      }
    }
  }

  /// A lock of the process itself: F_SETLK, `struct flock`.
  private func lockRemotely<E: Engine & ~Copyable>(
    _ lock: FileLock, _ remote: Remote, by engine: inout E
  ) throws(Failure) -> Result<UInt64, Errno> {
    var fields = TargetStructure(for: remote.machine)
    fields.int16(UInt16(lock.isExclusive ? F_WRLCK : F_RDLCK))
    fields.int16(UInt16(SEEK_SET))
    // struct flock64 of 32-bit processors.
    let isNarrow = remote.machine.wordSize == .bits32
    fields.align()
    if isNarrow, remote.machine.alignsLongLong { fields.int32(0) }
    fields.int64(lock.start)
    fields.int64(lock.count)
    fields.int32(0)
    fields.align()
    let address = try remote.put(fields.bytes, by: &engine)
    // F_SETLK64 is 13.
    let setLock: UInt64 = isNarrow ? 13 : UInt64(F_SETLK)
    return try remote.outcome(.fcntl, [UInt64(lock.descriptor), setLock, address], by: &engine)
  }

  /// By the process: the kernel notes its number of the descriptor, for the signal.
  private func lease<E: Engine & ~Copyable>(
    _ lock: FileLock, _ remote: Remote, by engine: inout E
  ) throws(Failure) -> Result<UInt64, Errno> {
    let setLease: UInt64 = 1024  // linux/fcntl.h, F_SETLEASE
    let kind = lock.isExclusive ? F_WRLCK : F_RDLCK
    return try remote.outcome(
      .fcntl, [UInt64(lock.descriptor), setLease, UInt64(kind)], by: &engine)
  }

  /// A lock of the open file description, which is ours as well.
  private func lockHere(_ lock: FileLock, _ process: Process) -> Result<UInt64, Errno> {
    guard let descriptor = process.descriptors.first(where: { $0.number == lock.descriptor }),
      let file = files.openFiles[descriptor.openFile]
    else { return .failure(.badDescriptor) }
    do throws(Errno) {
      if lock.kind == .flock {
        try file.lock(exclusive: lock.isExclusive)
      } else {
        try file.lock(exclusive: lock.isExclusive, start: lock.start, count: lock.count)
      }
      return .success(0)
    } catch { return .failure(error) }
  }

  /// Who is told of input and output: those ids exist only now.
  func setOwners<E: Engine & ~Copyable>(
    by engine: inout E, _ report: inout Report
  ) throws(Failure) {
    for (index, saved) in snapshot.openFiles.enumerated() {
      guard let file = files.openFiles[index] else { continue }
      let isAsynchronous = saved.flags & UInt32(O_ASYNC) != 0
      if saved.owner == 0 && saved.signal == 0 && !isAsynchronous { continue }
      do throws(Errno) {
        try file.setOwner(
          SignalOwner(
            type: saved.ownerType, id: presentOwner(saved), signal: saved.signal))
      } catch {
        report.warn("signal-driven input of a descriptor is not set up again: \(error)")
      }
      if isAsynchronous { try startSignals(index, saved, by: &engine) }
    }
  }

  /// O_ASYNC is set by a process of the job, since the kernel notes the number of the descriptor by
  /// which it was asked for and tells that to the handler.
  private func startSignals<E: Engine & ~Copyable>(
    _ file: Int, _ saved: OpenFile, by engine: inout E
  ) throws(Failure) {
    for index in living {
      for descriptor in snapshot.processes[index].descriptors where descriptor.openFile == file {
        try remote(index).call(
          "ask for signals of input", .fcntl,
          [UInt64(descriptor.number), UInt64(F_SETFL), UInt64(saved.flags)], by: &engine)
        return
      }
    }
  }

  private func presentOwner(_ file: OpenFile) -> Int32 {
    switch file.ownerType {
    case 0: presentThread(ThreadID(file.owner)).rawValue
    case 1: present(ProcessID(file.owner)).rawValue
    default: request.restoreGroups ? file.owner : ((try? homeGroup.rawValue) ?? 0)
    }
  }

  func presentThread(_ saved: ThreadID) -> ThreadID {
    for (index, process) in snapshot.processes.enumerated() {
      for (place, thread) in process.threads.enumerated() where thread.id == saved {
        if place < members[index].threads.count { return members[index].threads[place] }
      }
    }
    return saved
  }
}
