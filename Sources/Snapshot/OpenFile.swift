// SPDX-License-Identifier: Apache-2.0
import Linux

/// One entry of a descriptor table.
public struct Descriptor: Sendable {
  public var number: Int32
  public var closeOnExec: Bool
  /// Index into `Snapshot.openFiles`.
  public var openFile: Int

  public init(number: Int32, closeOnExec: Bool, openFile: Int) {
    self.number = number
    self.closeOnExec = closeOnExec
    self.openFile = openFile
  }
}

/// One open file description: what dup(2) and fork(2) share.
public struct OpenFile: Sendable {
  public enum Kind: Sendable {
    /// A regular file by its path; cut back to `size` if opened for writing and grown since.
    case regular(FileIdentity)
    /// Deleted while open: its contents travel in the context file, unless a shared memory of
    /// this index already has them.
    case deleted(DeletedFile)
    case directory(path: ByteString)
    case pipe(PipeEnd)
    /// A named pipe: the path, and the same state as a pipe.
    case fifo(path: ByteString, PipeEnd)
    /// /dev/null and the like, reopened by path.
    case characterDevice(path: ByteString, device: UInt64)
    /// Open for reading only; reopened by path.
    case blockDevice(path: ByteString, device: UInt64)
    /// A terminal: reopened by path, or cr_restart's own when it cannot be.
    case terminal(path: ByteString, device: UInt64)
    case eventCounter(EventCounter)
    case timer(TimerFile)
    /// signalfd(2): bit n−1 for signal n.
    case signals(mask: UInt64)
    /// Its entries in the order of the kernel.
    case epoll([EpollEntry])
    /// inotify(7), by rising watch descriptors.
    case watches([FileWatch])
    /// pidfd_open(2); O_EXCL among the flags is PIDFD_THREAD.
    case process(ProcessID)
    case socket(Socket)
    case master(PseudoTerminal)
    case slave(TerminalSlave)
    case messageQueue(MessageQueueFile)
  }

  public var kind: Kind
  /// open(2) access mode and status flags (O_*), from /proc/PID/fdinfo, in the host's values.
  public var flags: UInt32
  /// Bytes for files, the file system's own cookie for directories.
  public var position: UInt64
  /// F_SETOWN_EX type and id, and F_SETSIG; 0 when unset.
  public var ownerType: Int32
  public var owner: Int32
  public var signal: Int32
  /// st_mode of a directory that was deleted; 0 for everything else.
  public var lostDirectoryMode: UInt32 = 0

  public init(kind: Kind, flags: UInt32, position: UInt64) {
    self.kind = kind
    self.flags = flags
    self.position = position
    ownerType = 0
    owner = 0
    signal = 0
  }
}

extension OpenFile {
  /// Where it is, or was, in the file system; nil for what has no name there.
  public var path: ByteString? {
    switch kind {
    case .regular(let identity): identity.path
    case .deleted(let file): file.path
    case .directory(let path), .fifo(let path, _), .characterDevice(let path, _),
      .blockDevice(let path, _), .terminal(let path, _):
      path
    case .master(let terminal): terminal.path
    case .slave(let slave): slave.path
    default: nil
    }
  }

  /// The process whose file or directory of /proc it is; nil for what is not there.
  public var processOfPath: ProcessID? {
    guard let path, path.hasPrefix("/proc/") else { return nil }
    return ByteString(path.dropFirst(6).bytes.prefix { $0 != UInt8(ascii: "/") }).decimalNumber.map {
      ProcessID($0)
    }
  }

  /// What kind of thing it is, for people and programs: `file`, `pipe` ….
  public var kindName: StaticString {
    switch kind {
    case .regular: "file"
    case .deleted: "deleted file"
    case .directory: "directory"
    case .pipe: "pipe"
    case .fifo: "fifo"
    case .characterDevice: "device"
    case .blockDevice: "block device"
    case .terminal: "terminal"
    case .eventCounter: "eventfd"
    case .timer: "timerfd"
    case .signals: "signalfd"
    case .epoll: "epoll"
    case .watches: "inotify"
    case .process: "pidfd"
    case .socket: "socket"
    case .master: "pty master"
    case .slave: "pty slave"
    case .messageQueue: "message queue"
    }
  }
}

/// A deleted file that is open.
public struct DeletedFile: Sendable {
  public var path: ByteString
  public var mode: UInt32
  public var size: UInt64
  public var device: UInt64
  public var inode: UInt64
  /// Two descriptions of one inode: contents are in the first; this is its index.
  public var sameFileAs: Int?
  /// Index into `Snapshot.sharedMemories` when the same file is also mapped.
  public var sharedMemory: Int?
  public var contents: [Extent]
  /// F_SEAL_* of a memfd; no others can be added to one with F_SEAL_SEAL (1), which is also what a
  /// memfd has that was made without MFD_ALLOW_SEALING.
  public var seals: UInt32 = 1
  /// Bytes of a page of hugetlbfs; 0 for ordinary pages.
  public var hugePageSize: UInt64 = 0

  public init(path: ByteString, mode: UInt32, size: UInt64, device: UInt64, inode: UInt64) {
    self.path = path
    self.mode = mode
    self.size = size
    self.device = device
    self.inode = inode
    contents = []
  }
}

/// One end of a pipe; both ends carry the same `pipe` number. The bytes and the size are recorded
/// with every end and are equal.
public struct PipeEnd: Sendable {
  /// The pipe's inode number: which ends belong together.
  public var pipe: UInt64
  /// F_GETPIPE_SZ in bytes.
  public var capacity: UInt64
  public var unread: [UInt8]
  /// Bytes that each read gets at most, if packets were written (O_DIRECT); else empty.
  public var packets: [UInt32] = []
  /// The job has ends of one kind only, and a process outside of it had the other kind.
  public var hasStrangers = false
  /// A FIFO whose name was deleted.
  public var isDeleted = false

  public init(pipe: UInt64, capacity: UInt64, unread: [UInt8]) {
    self.pipe = pipe
    self.capacity = capacity
    self.unread = unread
  }
}

/// A lock on part of a file: fcntl(2) F_SETLK, F_OFD_SETLK, or flock(2); or a lease on all of it.
///
/// A restored process asks for it again through `descriptor`, once the file is open and its pid is
/// final; an open file description's lock is listed once, with the first process that has it.
public struct FileLock: Hashable, Sendable {
  public enum Kind: UInt32, Sendable {
    /// Belongs to the process (F_SETLK).
    case posix = 0
    /// Belongs to the open file description: flock(2), F_OFD_SETLK.
    case flock = 1
    case openFileDescription = 2
    /// fcntl(2) F_SETLEASE, of the open file description; the whole file.
    case lease = 3
  }

  public var kind: Kind
  /// A descriptor of the process through which the lock was made.
  public var descriptor: Int32
  /// F_WRLCK or LOCK_EX; otherwise F_RDLCK or LOCK_SH.
  public var isExclusive: Bool
  /// l_start from the beginning of the file, and l_len; 0 is to the end, however far it grows.
  public var start: UInt64
  public var count: UInt64

  public init(
    kind: Kind, descriptor: Int32, isExclusive: Bool, start: UInt64 = 0, count: UInt64 = 0
  ) {
    self.kind = kind
    self.descriptor = descriptor
    self.isExclusive = isExclusive
    self.start = start
    self.count = count
  }
}

/// How a file is recognised again: the path, and what must be the same about it.
public struct FileIdentity: Sendable {
  public var path: ByteString
  /// st_dev and st_ino at the time, for people.
  public var device: UInt64
  public var inode: UInt64
  public var size: UInt64
  public var mode: UInt32
  public var modified: TimeValue
  /// NT_GNU_BUILD_ID of an ELF file; empty if it has none.
  public var buildID: [UInt8]
  /// An open file that is this context file: a program asked for its own checkpoint. It may be
  /// somewhere else by the time of the restart, and must not be cut back to what it was.
  public var isContext = false

  public init(path: ByteString) {
    self.path = path
    device = 0
    inode = 0
    size = 0
    mode = 0
    modified = TimeValue()
    buildID = []
  }
}
