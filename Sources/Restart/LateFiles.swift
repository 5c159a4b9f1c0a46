// SPDX-License-Identifier: Apache-2.0
import Architecture
import CLinux
import Engine
import Linux
import Request
import Snapshot

/// Open files that can only be made when the processes are there. Until then something else stands
/// at their numbers, so that nothing needs a rule of its own afterwards.
extension Rebuilder {
  /// Makes them, here.
  mutating func makeLateFiles() throws(Failure) {
    for (index, saved) in snapshot.openFiles.enumerated() {
      guard let number = files.openFiles[index] else { continue }
      do throws(Errno) {
        if case .process(let process) = saved.kind, process.rawValue != -1 {
          let isOfThread = saved.flags & UInt32(O_EXCL) != 0
          let handle = try KernelObjects.process(present(process), isOfThread: isOfThread)
          try DescriptorNumber(handle.number).replace(number)
          try number.setStatusFlags(saved.flags & ~UInt32(O_ASYNC))
        } else if snapshot.isFileOfProcess(saved) {
          try openFileOfProcess(saved, number)
        } else {
          continue
        }
      } catch {
        throw Failure(
          error, "cannot reopen \(saved.path ?? "a pidfd"), which the job had open: \(error)")
      }
      files.late.insert(index)
    }
    if !files.late.isEmpty { allowTracing() }
  }

  /// A file or directory of /proc, of a process that may have another pid now.
  private func openFileOfProcess(
    _ saved: OpenFile, _ number: DescriptorNumber
  ) throws(Errno) {
    guard let path = saved.path, let process = saved.processOfPath else { return }
    let rest = path.dropFirst(("/proc/\(process)" as ByteString).count)
    let file = try FileDescriptor(
      opening: "/proc/\(present(process))" + rest,
      flags: Int32(bitPattern: saved.flags & ~openingFlags) | O_NOCTTY)
    try DescriptorNumber(file.number).replace(number)
    if saved.position != 0, saved.flags & UInt32(CR_O_PATH) == 0 {
      files.lateSeeks.append((number, saved.position))
    }
  }

  /// Yama would let nobody below us look at our descriptors.
  private func allowTracing() {
    let prSetPtracer = 0x5961_6d61  // linux/prctl.h
    _ = cr_syscall(Int(SYS_prctl), prSetPtracer, -1, 0, 0, 0, 0)
  }

  /// Brings those that a process needs to the numbers at which it has inherited something else.
  func fetchLateFiles<E: Engine & ~Copyable>(
    _ index: Int, by engine: inout E
  ) throws(Failure) {
    let needed = neededFiles(index).filter { files.late.contains($0) }
    if needed.isEmpty { return }
    let remote = remote(index)
    let us = try remote.call(
      "reach the restarting command", .pidfdOpen, [UInt64(ProcessID.own.rawValue)], by: &engine)
    for file in needed {
      guard let number = files.openFiles[file] else { continue }
      let copy = try remote.call(
        "fetch a descriptor", .pidfdGetfd, [us, UInt64(number.rawValue)], by: &engine)
      try remote.call("number a descriptor", .dup3, [copy, UInt64(number.rawValue), 0], by: &engine)
      try remote.call("close a descriptor", .close, [copy], by: &engine)
    }
    try remote.call("close a descriptor", .close, [us], by: &engine)
  }

  /// The open files that lead from a process's descriptors, and what its epoll instances watch.
  private func neededFiles(_ index: Int) -> [Int] {
    var needed: Set<Int> = []
    for descriptor in snapshot.processes[index].descriptors {
      needed.insert(descriptor.openFile)
      guard case .epoll(let entries) = snapshot.openFiles[descriptor.openFile].kind else { continue }
      for entry in entries { needed.insert(entry.openFile) }
    }
    return needed.sorted()
  }
}

extension Snapshot {
  /// Whether this is a file of /proc that is there only when the job's own processes are.
  func isFileOfProcess(_ file: OpenFile) -> Bool {
    guard let process = file.processOfPath else { return false }
    return processes.contains { $0.id == process }
  }
}
