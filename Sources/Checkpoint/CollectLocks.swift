// SPDX-License-Identifier: Apache-2.0
import Linux
import Snapshot

extension Collector {
  /// The locks and leases that a descriptor shows.
  mutating func collectLocks(_ seen: SeenDescriptor, _ index: Int, _ process: inout Process) {
    for lock in seen.info.locks {
      let kind: FileLock.Kind
      switch lock.kind {
      case .posix: kind = .posix
      case .flock: kind = .flock
      case .openFileDescription: kind = .openFileDescription
      case .lease:
        if lock.isBreaking {
          warnings.append(
            "\(seen.name): somebody waits for the end of the lease on \(seen.target), which will be gone "
              + "after a restart")
          continue
        }
        kind = .lease
      }
      // Every descriptor of the description shows its locks.
      if kind != .posix, lockedFiles.contains(index) { continue }
      if kind == .posix, process.fileLocks.contains(where: { $0.matches(lock, seen.number, process) }) {
        continue
      }
      process.fileLocks.append(
        FileLock(
          kind: kind, descriptor: seen.number, isExclusive: lock.isWrite, start: lock.start,
          count: lock.last == .max ? 0 : lock.last - lock.start + 1))
    }
    if !seen.info.locks.isEmpty { lockedFiles.insert(index) }
  }
}

extension FileLock {
  /// The same lock, seen through another descriptor of the same open file (dup(2)).
  fileprivate func matches(_ lock: LockInfo, _ number: Int32, _ process: Process) -> Bool {
    let openFile = process.descriptors.first { $0.number == number }?.openFile
    return kind == .posix && start == lock.start && isExclusive == lock.isWrite
      && process.descriptors.contains { $0.number == descriptor && $0.openFile == openFile }
  }
}
