// SPDX-License-Identifier: Apache-2.0
import CLinux
import Linux
import Request
import Snapshot

/// Makes the shared memory of a job anew: once, however many processes see it.
struct SharedMemoryMaker {
  let snapshot: Snapshot
  let files: OpenedFiles
  let contents: ContentCopier

  func makeAll() throws(Failure) {
    let segments = Set(snapshot.systemV.segments.map { $0.memory })
    for (index, memory) in snapshot.sharedMemories.enumerated() {
      // See `makeSystemV`.
      if segments.contains(index) {
        files.sharedMemories.append(nil)
        continue
      }
      do throws(Errno) {
        let made = try make(memory)
        files.sharedMemories.append(made)
        if hasReadOnlyMapping(index) {
          files.readOnlyMemories[index] = try files.inheritance.adopt(
            OpenedFiles.reopen(made, flags: UInt32(O_RDONLY)))
        }
      } catch {
        var what: ByteString = memory.path.isEmpty ? "" : " that was \(memory.path)"
        if memory.hugePageSize > 0 { what = what + ", in huge pages (see vm.nr_hugepages)" }
        throw Failure(error, "cannot make \(memory.size) bytes of shared memory" + what + ": \(error)")
      }
    }
  }

  private func make(_ memory: SharedMemory) throws(Errno) -> DescriptorNumber {
    if memory.kind == .anonymous, memory.size > 0, let made = try makeAnonymous(memory) {
      return made
    }
    if memory.kind == .namedMemory { return try makeNamed(memory) }
    if memory.hugePageSize > 0 { return try makeHuge(memory) }
    let file =
      switch memory.kind {
      case .anonymous: try FileDescriptor(inMemoryNamed: "shared")
      case .deletedFile: try DeletedFiles.make(memory.path, seals: memory.seals)
      // Never by its name: it may be another's now, and where it was may not be ours to write.
      case .savedFile, .namedMemory: try FileDescriptor(inMemoryNamed: memory.path.fileName)
      }
    try file.setSize(memory.size)
    try contents.copy(memory.contents, to: file)
    let number = try files.inheritance.adopt(file)
    if memory.kind == .deletedFile {
      files.modes.append((number, memory.mode))
      files.noteSeals(memory.seals, of: number, memory.path)
    }
    return number
  }

  /// The kernel's own kind (`/dev/zero (deleted)` in maps), reached through a mapping of ours; nil
  /// where we may not open it (/proc/PID/map_files asks for CAP_CHECKPOINT_RESTORE).
  private func makeAnonymous(_ memory: SharedMemory) throws(Errno) -> DescriptorNumber? {
    let count = Int(memory.size)
    let address = try checked(
      // No bit at all is none: 64 & 63.
      cr_map_shared(count, Int32(memory.hugePageSize.trailingZeroBitCount & 63), -1))
    defer { _ = cr_syscall(Int(SYS_munmap), address, count, 0, 0, 0, 0) }
    let start = UInt64(UInt(bitPattern: address))
    let end = start + (memory.size + hostPageSize - 1) / hostPageSize * hostPageSize
    guard
      let file = try? FileDescriptor(
        opening: "/proc/self/map_files/\(hex: start)-\(hex: end)", flags: O_RDWR)
    else { return nil }
    try contents.copy(
      memory.contents,
      to: UnsafeMutableRawBufferPointer(
        start: UnsafeMutableRawPointer(bitPattern: UInt(start)), count: Int(end - start)))
    return try files.inheritance.adopt(file)
  }

  /// memfd_create(2) with MFD_HUGETLB, or a deleted file of a hugetlbfs.
  private func makeHuge(_ memory: SharedMemory) throws(Errno) -> DescriptorNumber {
    let path = memory.kind == .anonymous ? "/memfd:shared" : memory.path
    let file = try DeletedFiles.make(path, seals: memory.seals, hugePageSize: memory.hugePageSize)
    try file.setSize(memory.size)
    try contents.copy(memory.contents, toHuge: file, size: memory.size)
    let number = try files.inheritance.adopt(file)
    if memory.kind == .deletedFile {
      files.modes.append((number, memory.mode))
      files.noteSeals(memory.seals, of: number, memory.path)
    }
    return number
  }

  private func hasReadOnlyMapping(_ index: Int) -> Bool {
    for process in snapshot.processes {
      for region in process.memory.regions {
        if case .sharedMemory(index) = region.backing, region.isShared, !region.mayBecomeWritable {
          return true
        }
      }
    }
    return false
  }
}
