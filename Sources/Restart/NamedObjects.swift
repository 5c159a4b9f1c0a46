// SPDX-License-Identifier: Apache-2.0
import CLinux
import Linux
import Request
import Snapshot

/// POSIX shared memory and message queues that were made under their names for the job; they go again
/// when it comes to nothing.
final class NamedObjects {
  private var paths: [ByteString] = []
  private var queues: [ByteString] = []

  func note(path: ByteString) { paths.append(path) }
  func note(queue: ByteString) { queues.append(queue) }

  /// From now on they are the job's.
  func keep() {
    paths = []
    queues = []
  }

  deinit {
    for path in paths { try? removeName(path) }
    for queue in queues { try? KernelObjects.unlinkQueue(queue) }
  }
}

extension SharedMemoryMaker {
  /// The file it was if that is still there (which nobody uses: see `FileCheck`), or one of that name.
  func makeNamed(_ memory: SharedMemory) throws(Errno) -> DescriptorNumber {
    let file: FileDescriptor
    if let present = try? FileDescriptor(opening: memory.path, flags: O_RDWR) {
      file = present
      try file.setSize(0)
    } else {
      file = try FileDescriptor(
        opening: memory.path, flags: O_RDWR | O_CREAT | O_EXCL, mode: 0o600)
      files.names.note(path: memory.path)
      try? DescriptorNumber(file.number).setOwnership(user: memory.user, group: memory.group)
    }
    try file.setSize(memory.size)
    if memory.hugePageSize > 0 {
      try contents.copy(memory.contents, toHuge: file, size: memory.size)
    } else {
      try contents.copy(memory.contents, to: file)
    }
    let number = try files.inheritance.adopt(file)
    files.modes.append((number, memory.mode))
    return number
  }
}

extension FileCheck {
  /// POSIX shared memory that travels with the job: its name must be free, or lead to what nobody uses.
  mutating func checkNamedMemories(_ snapshot: Snapshot) {
    var present: Set<ByteString> = []
    for memory in snapshot.sharedMemories where memory.kind == .namedMemory {
      travelling.insert(memory.path)
      if memory.hugePageSize > 0, !FileUsers.hasHugePages(DeletedFiles.directory(of: memory.path)) {
        problems.add(
          .noEntry,
          "\(memory.path), memory of the job in huge pages: no hugetlbfs is mounted there (see mount(8), "
            + "or --relocate)")
        continue
      }
      guard let status = try? FileStatus.of(memory.path, followingLinks: false) else { continue }
      if status.isRegular, status.user == memory.user {
        present.insert(memory.path)
      } else {
        problems.add(
          .exists,
          "\(memory.path), the shared memory of the job, is another's now (user \(status.user)): remove "
            + "it, or see --relocate")
      }
    }
    for (path, process) in FileUsers.mapping(present, besides: [ProcessID.own.rawValue]) {
      problems.add(
        .busy,
        "\(path), the shared memory of the job, is in use by \(TaskLife.name(of: process.leader)): end "
          + "that, or see --relocate")
    }
  }

  /// A queue that is there must be alike, and nobody else may use it.
  mutating func checkQueue(_ queue: MessageQueueFile, _ who: ByteString) {
    guard !queue.isUnlinked, let file = try? KernelObjects.queue(queue.name, flags: O_RDWR),
      let status = try? file.status(), let state = try? DescriptorNumber(file.number).queueState()
    else { return }
    let words: ByteString = "the POSIX message queue /\(queue.name), open as \(who),"
    if status.user != queue.user || state.capacity != queue.state.capacity
      || state.messageSize != queue.state.messageSize
    {
      problems.add(
        .exists, words + " is another one now (of user \(status.user)): remove it (mq_unlink)")
      return
    }
    guard let target = try? readLink("/proc/self/fd/\(file.number)"),
      let process = FileUsers.holding(
        target, device: status.device, inode: status.inode, besides: [ProcessID.own.rawValue])
    else { return }
    problems.add(
      .busy, words + " is in use by \(TaskLife.name(of: process.leader)): end that first")
  }
}
