// SPDX-License-Identifier: Apache-2.0
import Architecture
import CLinux
import Engine
import Linux
import Snapshot

/// Writing memory to a file: by the target's own pwritev(2) where that is possible and pays, which
/// copies every byte once; else through a buffer of ours.
extension PtraceEngine {
  /// Opening the file in the target costs about as much as copying this much twice.
  private static var worthAsking: UInt64 { 512 << 10 }
  private static var stepSize: UInt64 { 64 << 20 }

  public mutating func save(
    _ pieces: [Extent], of process: ProcessID, to file: borrowing FileDescriptor,
    progress: (UInt64) throws(EngineError) -> Void
  ) throws(EngineError) {
    let held = try held(process)
    let total = pieces.reduce(0) { $0 + $1.count }
    // One under seccomp must not be left with a file that it may not even close.
    if total >= Self.worthAsking, !held.isConfined, Self.mayWriteLargeFiles(process),
      try Self.openRemotely(file.number, in: held)
    {
      for batch in Batch.batches(of: pieces, limit: Self.stepSize) {
        try Self.saveRemotely(batch, of: held, file: file.number)
        try progress(batch.count)
      }
    } else {
      try Self.saveByCopying(pieces, of: held, file: file.number, progress: progress)
    }
  }

  /// Past its RLIMIT_FSIZE a write of the target's own would send it SIGXFSZ.
  private static func mayWriteLargeFiles(_ process: ProcessID) -> Bool {
    guard let text = try? ProcessFiles(process).read("limits") else { return false }
    let limits = resourceLimits(text: text)
    let fileSize = 1  // RLIMIT_FSIZE
    return limits.count > fileSize && limits[fileSize].soft == .max
  }

  // MARK: By the target itself

  private static func saveRemotely(
    _ batch: Batch, of held: HeldProcess, file: Int32
  ) throws(EngineError) {
    guard let scratch = held.scratch?.open, let caller = held.caller else {
      throw EngineError("save memory", held.id, .invalid)
    }
    var rest = batch
    while rest.count > 0 {
      // A refusal to open or a limit of the target's own: what is left goes the other way.
      guard let remote = held.remoteFile else {
        return try copy(rest, of: held, file: file)
      }
      let vectors = Self.vectors(rest.parts, of: caller.calling?.machine ?? .native)
      try attempt("write arguments", held.id) { () throws(Errno) in
        try write(vectors, to: scratch.start, of: held)
      }
      let result = try call(
        .pwritev,
        [remote.number, scratch.start, UInt64(rest.parts.count), rest.fileOffset, 0, 0],
        in: caller, of: held)
      switch result {
      case .success(let count) where count > 0:
        rest.drop(count)
      case .success, .failure(.fault):
        // Memory that even its owner may not read (PROT_NONE).
        let head = rest.head
        try copy(head, of: held, file: file)
        rest.drop(head.count)
      case .failure(.interrupted), .failure(.tryAgain):
        break
      case .failure(.noSpace), .failure(.io):
        guard case .failure(let errno) = result else { break }
        throw EngineError("write memory to the context file", held.id, errno)
      case .failure:
        // EFBIG (the target's RLIMIT_FSIZE), EPERM … : ours to write then.
        try closeRemoteFile(of: held)
      }
    }
  }

  private static func vectors(_ parts: [MemoryRange], of machine: Machine) -> [UInt8] {
    if machine.wordSize == .bits32 {
      // Of our own byte order, since it runs here.
      return parts.flatMap { [UInt32(truncatingIfNeeded: $0.start), UInt32(truncatingIfNeeded: $0.count)] }
        .withUnsafeBytes { Array($0) }
    }
    var words: [UInt64] = []
    words.reserveCapacity(parts.count * 2)
    for part in parts {
      words.append(part.start)
      words.append(part.count)
    }
    return words.withUnsafeBytes { Array($0) }
  }

  static func call(
    _ name: SystemCallName, _ arguments: [UInt64], in thread: HeldThread, of held: HeldProcess
  ) throws(EngineError) -> Result<UInt64, Errno> {
    try prepare(thread, of: held)
    guard let number = thread.calling?.number(of: name) else { return .failure(.notImplemented) }
    return try perform(
      SystemCall(number: number, arguments: arguments), in: thread, of: held)
  }

  /// Opens our file in the target by /proc; false where that does not lead to the same file.
  static func openRemotely(_ file: Int32, in held: HeldProcess) throws(EngineError) -> Bool {
    guard let status = try? FileStatus.of("/proc/self/fd/\(file)"), let caller = held.caller else {
      return false
    }
    if let remote = held.remoteFile {
      if remote.device == status.device, remote.inode == status.inode { return true }
      try closeRemoteFile(of: held)
    }
    try prepare(caller, of: held)
    guard let scratch = held.scratch?.open else { return false }
    let ourselves = cr_syscall(Int(SYS_getpid), 0, 0, 0, 0, 0, 0)
    let path: ByteString = "/proc/\(ourselves)/fd/\(file)"
    try attempt("write arguments", held.id) { () throws(Errno) in
      try write(path.bytes + [0], to: scratch.start, of: held)
    }
    let largeFile = caller.calling?.machine.largeFileFlag ?? 0
    let flags = UInt64(O_WRONLY | O_CLOEXEC) | largeFile
    guard
      case .success(let number) = try call(
        .openat, [UInt64(bitPattern: -100), scratch.start, flags, 0], in: caller, of: held)
    else { return false }
    held.remoteFile = RemoteFile(
      device: status.device, inode: status.inode, isWritable: true, number: number)
    // In another pid namespace that path is somebody else's.
    if let found = try? FileStatus.of("/proc/\(held.reachable)/fd/\(number)"),
      found.device == status.device, found.inode == status.inode
    {
      try closeOnTheWayBack(number, by: caller, of: held)
      return true
    }
    try closeRemoteFile(of: held)
    return false
  }

  static func closeRemoteFile(of held: HeldProcess) throws(EngineError) {
    guard let file = held.remoteFile, let caller = held.caller else { return }
    held.remoteFile = nil
    if let wayBack = caller.wayBack { caller.calling?.stackPointer = wayBack }
    try done("close file", .close, [file.number], in: caller, of: held)
  }

  // MARK: Through a buffer of ours

  private static func saveByCopying(
    _ pieces: [Extent], of held: HeldProcess, file: Int32,
    progress: (UInt64) throws(EngineError) -> Void
  ) throws(EngineError) {
    let copying = try copying(of: held, file: file)
    let batches = Batch.batches(of: pieces, limit: 4 << 20)
    var next = 0
    while next < batches.count {
      let first = next
      var count: UInt64 = 0
      while next < batches.count, count < stepSize {
        count += batches[next].count
        next += 1
      }
      let threads = count < 16 << 20 ? 1 : min(2, Workers.processorCount)
      try attempt("save memory", held.id) { () throws(Errno) in
        try copying.inParallel(batches[first ..< next], threads: threads, saving: true)
      }
      try progress(count)
    }
  }

  private static func copy(
    _ batch: Batch, of held: HeldProcess, file: Int32
  ) throws(EngineError) {
    let copying = try copying(of: held, file: file)
    try attempt("save memory", held.id) { () throws(Errno) in
      try copying.inParallel([batch][...], threads: 1, saving: true)
    }
  }

  static func copying(of held: HeldProcess, file: Int32) throws(EngineError) -> Copying {
    let memory = try attempt("open memory", held.id) { () throws(Errno) in
      try memoryFile(of: held)
    }
    return Copying(process: held.reachable, memoryFile: memory, file: file)
  }
}
