// SPDX-License-Identifier: Apache-2.0
import CLinux
import Linux
import Request
import Snapshot

/// One descriptor as /proc shows it.
struct SeenDescriptor {
  var process: ProcessID
  /// By whom the kernel shows it: the process, or a thread where its main thread has ended.
  var reach: ProcessID
  var processName: ByteString
  var number: Int32
  /// Where it leads: a path, `pipe:[12]`, `socket:[12]`, `anon_inode:[eventfd]` ….
  var target: ByteString
  var info: DescriptorInfo
  /// The whole of fdinfo, where objects of the kernel tell more.
  var text: [UInt8]
  var status: FileStatus
  /// The socket in which it is under way, for messages; `process` is ours then.
  var carrier: ByteString?

  /// O_PATH.
  var isPathAlone: Bool { info.flags & UInt32(CR_O_PATH) != 0 }
  var isDeleted: Bool { target.hasSuffix(" (deleted)") }
  var path: ByteString { isDeleted ? target.dropLast(10) : target }
  /// O_RDONLY 0, O_WRONLY 1, O_RDWR 2.
  var accessMode: UInt32 { info.flags & 3 }

  /// `process 12 (cat): descriptor 3`
  var name: ByteString {
    if let carrier { return carrier + ": a descriptor under way in this socket (SCM_RIGHTS)" }
    return "process \(process) (\(processName)): descriptor \(number)"
  }
}

extension Collector {
  /// The descriptor table, and the open files behind it that were not met yet.
  mutating func collectDescriptors(
    _ process: inout Process, _ files: borrowing ProcessFiles
  ) throws(Failure) {
    let id = process.id
    let numbers = try reading("descriptor table", of: id) { () throws(Errno) in
      try files.numbers(in: "fd")
    }
    if numbers.isEmpty { return }
    let handle = try reading("descriptor table", of: id) { () throws(Errno) in
      try ProcessHandle(reach(id))
    }
    for number in numbers {
      let text = try files.text("fdinfo/\(number)", of: id)
      let info = DescriptorInfo(text)
      let seen = SeenDescriptor(
        process: id, reach: reach(id), processName: process.name, number: number,
        target: try files.target("fd/\(number)", of: id), info: info, text: text,
        status: try reading("descriptor table", of: id) { () throws(Errno) in
          try files.status(of: "fd/\(number)")
        })
      guard let index = try openFile(seen, handle) else { continue }
      process.descriptors.append(
        Descriptor(
          number: number, closeOnExec: info.flags & UInt32(O_CLOEXEC) != 0, openFile: index))
      collectLocks(seen, index, &process)
    }
  }

  /// Index of the description in the snapshot; nil for one that cannot be saved.
  mutating func openFile(
    _ seen: SeenDescriptor, _ handle: borrowing ProcessHandle
  ) throws(Failure) -> Int? {
    var entry = OpenFileTable.Entry(
      process: seen.reach, descriptor: seen.number,
      key: FileKey(device: seen.status.device, inode: seen.status.inode),
      flags: seen.info.flags & ~UInt32(O_CLOEXEC), position: seen.info.position, index: nil)
    if let known = openFiles.find(entry) { return known.index }
    let index = snapshot.openFiles.count
    if let kind = try openFileKind(seen, handle, index) {
      var file = OpenFile(kind: kind, flags: entry.flags, position: entry.position)
      if case .directory = kind, isLostDirectory(seen) { file.lostDirectoryMode = seen.status.mode }
      if let own = try? handle.descriptor(seen.number), let owner = try? SignalOwner(of: own) {
        file.ownerType = owner.type
        file.owner = owner.id
        file.signal = owner.signal
      }
      snapshot.openFiles.append(file)
      entry.index = index
    }
    openFiles.add(entry)
    return entry.index
  }

  private mutating func openFileKind(
    _ seen: SeenDescriptor, _ handle: borrowing ProcessHandle, _ index: Int
  ) throws(Failure) -> OpenFile.Kind? {
    if seen.isPathAlone, let kind = foundByPath(seen) { return kind }
    switch seen.status.kind {
    case .regular where seen.target.hasPrefix("anon_inode:"):
      return try kernelObject(seen, handle, index)
    case .regular: return regularFile(seen, index)
    case .directory:
      if !isLostDirectory(seen) { return .directory(path: seen.target) }
      if !seen.path.hasPrefix("/proc/") { return .directory(path: seen.path) }
      refuse(seen, "is a directory of a process that is gone (\(seen.path))", isFinal: true)
    case .fifo: return try pipe(seen, handle, index)
    case .characterDevice:
      if let kind = characterDevice(seen, index) { return kind }
      refuse(seen, "is the device \(seen.target)")
    case .blockDevice:
      if let kind = blockDevice(seen) { return kind }
    case .symbolicLink:
      refuse(seen, "is a symbolic link (\(seen.target))")
    case .socket:
      return try socket(seen, handle, index)
    case .none:
      return try kernelObject(seen, handle, index)
    }
    return nil
  }

  private func isLostDirectory(_ seen: SeenDescriptor) -> Bool {
    if seen.status.links == 0 { return true }
    // The name may end like that.
    return seen.isDeleted && (try? FileStatus.of(seen.target))?.inode != seen.status.inode
  }

  private mutating func regularFile(_ seen: SeenDescriptor, _ index: Int) -> OpenFile.Kind? {
    // To open it would break a lease of the program on all access of others.
    let isLeased = seen.info.locks.contains { $0.kind == .lease && $0.isWrite }
    if var identity = identities.identity(
      of: seen.target, matching: seen.status, mayOpen: !isLeased)
    {
      identity.isContext =
        contextFile == FileKey(device: seen.status.device, inode: seen.status.inode)
      return .regular(identity)
    }
    if seen.target == "/secretmem (deleted)" {
      refuse(seen, "is memory hidden by memfd_secret")
      return nil
    }
    if isMessageQueue(seen) { return messageQueue(seen, index) }
    guard seen.isDeleted || seen.status.links == 0 else {
      problems.add(
        "\(seen.name): the file \(seen.target) cannot be reached by its path from here any more")
      return nil
    }
    if isLeased {
      refuse(seen, "has a lease on a file that was deleted (\(seen.path))", isFinal: true)
      return nil
    }
    // A hard link beside the name that it was opened by.
    if seen.status.links > 0, let name = siblingName(seen),
      let identity = identities.identity(of: name, matching: seen.status)
    {
      return .regular(identity)
    }
    return deletedFile(seen, index)
  }

  func siblingName(_ seen: SeenDescriptor) -> ByteString? {
    guard let slash = seen.path.bytes.lastIndex(of: UInt8(ascii: "/")) else { return nil }
    let folder = ByteString(seen.path.bytes[...slash])
    return (try? nameInDirectory(folder, of: seen.status.inode)).flatMap { $0 }.map { folder + $0 }
  }

  /// A regular file by its mode, on a file system that nobody need have mounted.
  private func isMessageQueue(_ seen: SeenDescriptor) -> Bool {
    let mqueueMagic: UInt = 0x1980_0202  // linux/magic.h lacks it; ipc/mqueue.c, MQUEUE_MAGIC
    return (try? FileStatus.fileSystemType(of: seen.procPath)) == mqueueMagic
  }

  private mutating func deletedFile(_ seen: SeenDescriptor, _ index: Int) -> OpenFile.Kind? {
    var file = DeletedFile(
      path: seen.path, mode: seen.status.mode & 0o7777, size: seen.status.size,
      device: seen.status.device, inode: seen.status.inode)
    if FileUsers.hasHugePages(seen.procPath) { file.hugePageSize = seen.status.blockSize }
    if seen.status.links > 0 {
      warnings.append(
        "\(seen.name): the file \(seen.path) was deleted but has another name, which the restored "
          + "file will not have")
    }
    let key = FileKey(device: file.device, inode: file.inode)
    if let first = deletedFiles[key] {
      file.sameFileAs = first
      return .deleted(file)
    }
    deletedFiles[key] = index
    do throws(Errno) {
      // Opened anew: looking for data moves the position, which is the program's.
      let own = try FileDescriptor(opening: seen.procPath, flags: O_RDONLY)
      if let seals = try? own.seals() { file.seals = seals }
      file.contents = try own.dataRanges(size: file.size).map {
        Extent(position: $0.start, count: $0.count)
      }
    } catch {
      problems.add("\(seen.name): cannot read the deleted file \(seen.path): \(error)")
      return nil
    }
    return .deleted(file)
  }

  /// O_PATH: what was found and not opened is found again, whatever it is. nil for what has the same
  /// kind of record as one that was opened, or none.
  private func foundByPath(_ seen: SeenDescriptor) -> OpenFile.Kind? {
    let status = seen.status
    guard [.fifo, .socket, .symbolicLink, .blockDevice].contains(status.kind),
      let now = try? FileStatus.of(seen.target, followingLinks: false),
      now.inode == status.inode, now.device == status.device
    else { return nil }
    var identity = FileIdentity(path: seen.target)
    (identity.device, identity.inode, identity.mode) = (status.device, status.inode, status.mode)
    return .regular(identity)
  }

  /// One that is read like a file. What is written to it would meet whatever is on it by then.
  private mutating func blockDevice(_ seen: SeenDescriptor) -> OpenFile.Kind? {
    if seen.accessMode == UInt32(O_RDONLY), !seen.isDeleted {
      return .blockDevice(path: seen.target, device: seen.status.specialDevice)
    }
    refuse(seen, "is the block device \(seen.target), open for writing", isFinal: true)
    return nil
  }

  /// Those of drivers/char/mem.c that only the kernel stands behind, and terminals.
  private mutating func characterDevice(_ seen: SeenDescriptor, _ index: Int) -> OpenFile.Kind? {
    let device = seen.status.specialDevice
    switch (deviceMajor(device), deviceMinor(device)) {
    case (1, 3), (1, 5), (1, 7), (1, 8), (1, 9):
      return .characterDevice(path: seen.target, device: device)
    // /dev/tty, /dev/ptmx, the slaves of pseudo-terminals.
    case (5, 0), (5, 2), (136 ... 143, _): return terminal(seen, index)
    // Consoles, /dev/console, serial lines.
    case (4, _), (5, 1), (188, _), (204, _), (229, _):
      return .terminal(path: seen.target, device: device)
    default: return nil
    }
  }
}

extension SeenDescriptor {
  /// The magic link, which opens even what was deleted.
  var procPath: ByteString { "/proc/\(reach)/fd/\(number)" }

  /// `an eventfd` out of `anon_inode:[eventfd]`.
  var kernelObjectName: ByteString {
    let prefix: ByteString = "anon_inode:"
    guard target.hasPrefix(prefix) else { return target }
    var word = target.dropFirst(prefix.count)
    if word.hasPrefix("["), word.hasSuffix("]") { word = word.dropFirst(1).dropLast(1) }
    return "an object of the kernel (\(word))"
  }
}
