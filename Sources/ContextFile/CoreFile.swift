// SPDX-License-Identifier: Apache-2.0
import Linux
import Request
import Snapshot

extension Reader {
  /// Writes one process as an ELF core file of its own, for tools that want one file per process.
  ///
  /// Throws ESRCH if there is no such process in the context.
  public func extractCore(
    of process: ProcessID, to destination: borrowing FileDescriptor
  ) throws(Failure) {
    guard let index = snapshot.processes.firstIndex(where: { $0.id == process }) else {
      throw Failure(.noProcess, "there is no process \(process) in \(name)")
    }
    let source = alone(index)
    let memory = parts.file(ofProcess: snapshot.processes[index].sharesMemoryWith ?? index)
    var planned = source
    let layout = Layout(planning: &planned, isContext: false)
    do throws(Errno) {
      try layout.writeHeads(to: destination)
      for (old, new) in zip(Self.memory(of: source), Self.memory(of: planned)) {
        try memory.file.copy(
          from: old.fileOffset, count: old.count, to: destination, at: new.fileOffset)
      }
      for (old, new) in zip(Self.sharedMemory(of: source), Self.sharedMemory(of: planned)) {
        try parts.common.file.copy(
          from: old.fileOffset, count: old.count, to: destination, at: new.fileOffset)
      }
      try destination.setSize(layout.totalSize)
    } catch {
      throw Failure(error, "cannot write the core file of process \(process): \(error)")
    }
  }

  /// The core file of one process in an unnamed file.
  public func unnamedCore(of process: ProcessID) throws(Failure) -> FileDescriptor {
    let file: FileDescriptor
    do throws(Errno) { file = try Spool.open() } catch {
      throw Failure(error, "cannot make a temporary file for process \(process): \(error)")
    }
    try extractCore(of: process, to: file)
    return file
  }

  /// A snapshot of this process only, with all memory that it can see.
  private func alone(_ index: Int) -> Snapshot {
    var alone = snapshot
    var process = snapshot.processes[index]
    if let owner = process.sharesMemoryWith { process.memory = snapshot.processes[owner].memory }
    alone.processes = [process]
    alone.openFiles = []
    var seen: Set<Int> = []
    for region in process.memory.regions {
      if case .sharedMemory(let object) = region.backing { seen.insert(object) }
    }
    for object in alone.sharedMemories.indices where !seen.contains(object) {
      alone.sharedMemories[object].contents = []
    }
    return alone
  }

  /// In the order in which `Layout` gives them their places.
  private static func memory(of snapshot: Snapshot) -> [Extent] {
    snapshot.processes.flatMap { $0.memory.regions.flatMap { $0.contents } }
  }

  private static func sharedMemory(of snapshot: Snapshot) -> [Extent] {
    snapshot.sharedMemories.flatMap { $0.contents }
  }
}
