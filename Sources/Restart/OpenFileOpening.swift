// SPDX-License-Identifier: Apache-2.0
import CLinux
import Linux
import Request
import Snapshot

/// open(2) flags that say how to find or make a file and not what the description is.
let openingFlags = UInt32(O_CREAT | O_EXCL | O_TRUNC | O_NOCTTY | O_CLOEXEC | O_ASYNC)
/// The bit of O_TMPFILE that is not O_DIRECTORY.
private let unnamedFlag: UInt32 = 0o20_000_000
let pathFlag = UInt32(CR_O_PATH)

/// Opens the open file descriptions of a snapshot.
struct FileOpener {
  let snapshot: Snapshot
  let files: OpenedFiles
  let contents: ContentCopier
  var warnings: [ByteString] = []
  /// For each description the processes and numbers that lead to it, the lowest number first.
  let owners: [Owner]

  struct Owner {
    var process = 0
    /// The lowest number that leads to it anywhere in the job; Int32.max if none does.
    var lowest = Int32.max
  }

  /// Has the sockets of the job, which are not filled yet.
  var socketMaker: SocketMaker?

  private let terminals = Terminals()

  init(_ snapshot: Snapshot, _ files: OpenedFiles, _ contents: ContentCopier) {
    self.snapshot = snapshot
    self.files = files
    self.contents = contents
    var owners = [Owner](repeating: Owner(), count: snapshot.openFiles.count)
    for (index, process) in snapshot.processes.enumerated() {
      for descriptor in process.descriptors
      where descriptor.number < owners[descriptor.openFile].lowest {
        owners[descriptor.openFile] = Owner(process: index, lowest: descriptor.number)
      }
    }
    self.owners = owners
  }

  /// `descriptor 3 of process 12 (cat)`
  func name(_ index: Int) -> ByteString {
    if owners[index].lowest == .max { return "a descriptor under way in a socket of the job" }
    let process = snapshot.processes[owners[index].process]
    return "descriptor \(owners[index].lowest) of process \(process.id) (\(process.name))"
  }

  mutating func openAll() throws(Failure) {
    try openPipes()
    try openSockets()
    try openPseudoTerminals()
    for index in snapshot.openFiles.indices where files.openFiles[index] == nil {
      do throws(Errno) {
        try open(index)
      } catch {
        throw Failure(
          error, "cannot reopen \(title(of: index)), \(name(index)): \(error)")
      }
    }
  }

  /// Its path, or what it is: `the eventfd`.
  func title(of index: Int) -> ByteString {
    let file = snapshot.openFiles[index]
    return file.path ?? "the \(file.kindName)"
  }

  private mutating func open(_ index: Int) throws(Errno) {
    let saved = snapshot.openFiles[index]
    let flags = saved.flags & ~openingFlags
    if snapshot.isFileOfProcess(saved) {
      // That process is not there yet: see `makeLateFiles`.
      try keep(index, FileDescriptor(opening: "/dev/null", flags: O_RDONLY))
      return
    }
    switch saved.kind {
    case .regular(let identity):
      try openRegular(index, identity, flags & ~(unnamedFlag | UInt32(O_DIRECTORY)))
    case .deleted(let file):
      try openDeleted(index, file, flags & ~(unnamedFlag | UInt32(O_DIRECTORY)))
    case .directory(let path) where saved.lostDirectoryMode != 0:
      let place = try files.lostDirectories.make(path, mode: saved.lostDirectoryMode)
      try keep(index, FileDescriptor(opening: place, flags: Int32(bitPattern: flags) | O_DIRECTORY))
    case .directory(let path):
      try keep(index, FileDescriptor(opening: path, flags: Int32(bitPattern: flags) | O_DIRECTORY))
      try seek(index, to: saved.position)
    case .characterDevice(let path, _):
      try keep(index, FileDescriptor(opening: path, flags: Int32(bitPattern: flags) | O_NOCTTY))
    case .blockDevice(let path, _):
      try keep(index, FileDescriptor(opening: path, flags: Int32(bitPattern: flags)))
      try seek(index, to: saved.position)
    case .terminal(let path, let device):
      try openTerminal(index, path, device, flags)
    case .pipe, .fifo, .socket, .master, .slave:
      // These kinds were opened together with their other ends.
      throw .badDescriptor
    case .eventCounter(let counter):
      try keepObject(
        index, KernelObjects.eventCounter(counter.count, isSemaphore: counter.isSemaphore))
    case .timer(let timer):
      try keepObject(index, KernelObjects.timer(clock: timer.clock))
      if let number = files.openFiles[index] { files.timers.append((number, timer)) }
    case .epoll:
      // Its entries are added by a process of the job: see `fillEpolls`.
      try keepObject(index, KernelObjects.epoll())
    case .watches(let watches):
      try keepObject(index, KernelObjects.watcher())
      guard let number = files.openFiles[index] else { return }
      files.watchers.append(number)
      for watch in watches { try number.watch(watch.path, mask: watch.mask, as: watch.number) }
    case .process(let process) where process.rawValue == -1:
      try keepObject(index, KernelObjects.endedProcess())
    case .process:
      // Likewise.
      try keep(index, FileDescriptor(opening: "/dev/null", flags: O_RDONLY))
    case .messageQueue(let queue): try openQueue(index, queue, flags)
    case .signals(let mask):
      try keepObject(index, KernelObjects.signals(mask: mask))
    }
  }

  private mutating func openRegular(
    _ index: Int, _ identity: FileIdentity, _ flags: UInt32
  ) throws(Errno) {
    // Programs rename it when it is whole; then there is a new file for the next one.
    let creating = identity.isContext ? O_CREAT : 0
    if flags & pathFlag != 0 {
      // F_GETFL tells of O_NOFOLLOW here, so only a link gets it that had it not (open_tree).
      let isLink = identity.mode & 0o170_000 == 0o120_000  // S_IFLNK
      let found = Int32(bitPattern: flags) | (isLink ? O_NOFOLLOW : 0)
      try keep(index, FileDescriptor(opening: identity.path, flags: found))
      return
    }
    let file = try FileDescriptor(
      opening: identity.path, flags: Int32(bitPattern: flags) | O_NOCTTY | creating, mode: 0o600)
    let size = try file.status().size
    let number = try keep(index, file)
    try number.seek(to: snapshot.openFiles[index].position)
    if flags & 3 != UInt32(O_RDONLY), size > identity.size, !identity.isContext,
      !files.grown.contains(where: { $0.identity.path == identity.path })
    {
      files.grown.append((number, identity))
    }
  }

  private mutating func openDeleted(
    _ index: Int, _ file: DeletedFile, _ flags: UInt32
  ) throws(Errno) {
    let source: DescriptorNumber
    if let memory = file.sharedMemory {
      source = try files.sharedMemory(memory)
    } else {
      source = try recreate(file.sameFileAs ?? index)
    }
    try keep(index, OpenedFiles.reopen(source, flags: flags))
    if flags & pathFlag == 0 { try seek(index, to: snapshot.openFiles[index].position) }
  }

  /// The deleted file whose contents are with description `index`.
  private func recreate(_ index: Int) throws(Errno) -> DescriptorNumber {
    if let known = files.recreated[index] { return known }
    guard case .deleted(let file) = snapshot.openFiles[index].kind else { throw .badDescriptor }
    if let memory = file.sharedMemory { return try files.sharedMemory(memory) }
    let made = try DeletedFiles.make(
      file.path, seals: file.seals, hugePageSize: file.hugePageSize)
    try made.setSize(file.size)
    if file.hugePageSize > 0 {
      try contents.copy(file.contents, toHuge: made, size: file.size)
    } else {
      try contents.copy(file.contents, to: made)
    }
    let number = try files.inheritance.adopt(made)
    files.recreated[index] = number
    files.modes.append((number, file.mode))
    files.noteSeals(file.seals, of: number, file.path)
    return number
  }

  /// Without a description of its own nobody would tell the job's position from ours.
  @discardableResult
  func keep(_ index: Int, _ file: consuming FileDescriptor) throws(Errno) -> DescriptorNumber {
    let number = try files.inheritance.adopt(file)
    files.openFiles[index] = number
    return number
  }

  private func seek(_ index: Int, to position: UInt64) throws(Errno) {
    guard position != 0, let number = files.openFiles[index] else { return }
    try number.seek(to: position)
  }
}

// MARK: Terminals

extension FileOpener {
  /// The terminal it was, if that is still the user's; else one of ours.
  private mutating func openTerminal(
    _ index: Int, _ path: ByteString, _ device: UInt64, _ flags: UInt32
  ) throws(Errno) {
    if terminals.isStill(path, device, of: snapshot.processes[owners[index].process]) {
      // O_NONBLOCK: a serial line would wait for its carrier.
      let opened = try? FileDescriptor(
        opening: path, flags: Int32(bitPattern: flags) | O_NOCTTY | O_NONBLOCK)
      if let file = opened {
        let number = try keep(index, file)
        try number.setStatusFlags(flags)
        return
      }
    }
    let lowest = owners[index].lowest
    if lowest <= 2, (try? DescriptorNumber(lowest).status()) != nil {
      files.openFiles[index] = try files.inheritance.duplicate(DescriptorNumber(lowest))
      // A shell opens a terminal once for all three, but ours may be three different things.
      for stream: Int32 in 0 ... 2 where (try? DescriptorNumber(stream).status()) != nil {
        files.streams[index, default: [:]][stream] =
          try files.inheritance.duplicate(DescriptorNumber(stream))
      }
      warnings.append(
        "\(name(index)) was the terminal \(path), and is now the standard stream of the restart")
      return
    }
    do throws(Errno) {
      try keep(
        index, FileDescriptor(opening: "/dev/tty", flags: Int32(bitPattern: flags) | O_NOCTTY))
    } catch {
      // No terminal anywhere: whoever reads finds the end, and what is written goes nowhere.
      try keep(index, FileDescriptor(opening: "/dev/null", flags: Int32(bitPattern: flags)))
    }
    warnings.append("\(name(index)) was the terminal \(path), which is another one now")
  }
}
