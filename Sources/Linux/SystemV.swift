// SPDX-License-Identifier: Apache-2.0
import CLinux

/// System V IPC (sysvipc(7)): the tables of /proc/sysvipc, which list every object of this IPC
/// namespace whoever it belongs to, and calls of our own.
public enum SystemVKind: Sendable, CaseIterable {
  case segments, semaphores, messages

  /// As the files of /proc/sysvipc and of /proc/sys/kernel call them.
  var word: StaticString {
    switch self {
    case .segments: "shm"
    case .semaphores: "sem"
    case .messages: "msg"
    }
  }

  /// Every object of this kind; empty for a kernel without System V IPC.
  public var table: [SystemVEntry] {
    let path: ByteString = "/proc/sysvipc/\(word)"
    guard let file = try? FileDescriptor(opening: path, flags: O_RDONLY),
      let text = try? file.readToEnd()
    else { return [] }
    return SystemVEntry.parse(text, self)
  }

  /// Makes the next object get this id (Linux 3.9, CONFIG_CHECKPOINT_RESTORE); EACCES without
  /// CAP_CHECKPOINT_RESTORE or CAP_SYS_ADMIN.
  public func setNextID(_ id: Int32) throws(Errno) {
    let file = try FileDescriptor(opening: nextIDPath, flags: O_WRONLY)
    _ = try DescriptorNumber(file.number).write(("\(id)" as ByteString).bytes[...])
  }

  /// Whether `setNextID` would be allowed.
  public var canSetNextID: Bool {
    (try? FileDescriptor(opening: nextIDPath, flags: O_WRONLY)) != nil
  }

  private var nextIDPath: ByteString { "/proc/sys/kernel/\(word)_next_id" }

  /// IPC_SET; `capacity` is for messages only (EPERM beyond msgmnb without CAP_SYS_RESOURCE).
  public func setOwner(
    of id: Int32, user: UInt32, group: UInt32, mode: UInt32, capacity: UInt64 = 0
  ) throws(Errno) {
    switch self {
    case .segments: try checked(cr_shm_set(id, user, group, mode))
    case .semaphores: try checked(cr_sem_set(id, user, group, mode))
    case .messages: try checked(cr_msg_set(id, user, group, mode, capacity))
    }
  }

  /// IPC_RMID.
  public func remove(_ id: Int32) throws(Errno) {
    switch self {
    case .segments: try checked(cr_shm_remove(id))
    case .semaphores: try checked(cr_sem_remove(id))
    case .messages: try checked(cr_msg_remove(id))
    }
  }
}

/// One line of /proc/sysvipc.
public struct SystemVEntry: Sendable {
  public var id: Int32 = 0
  /// 0 is IPC_PRIVATE; also of one that was marked for removal.
  public var key: Int32 = 0
  /// Permissions, and SHM_DEST 01000, SHM_LOCKED 02000 of a segment.
  public var mode: UInt32 = 0
  public var user: UInt32 = 0
  public var group: UInt32 = 0
  public var creatingUser: UInt32 = 0
  /// Bytes of a segment, semaphores of a set, messages of a queue.
  public var size: UInt64 = 0
  /// Who made a segment, or sent the last message; who attached, detached or received last.
  public var first = ProcessID(0)
  public var last = ProcessID(0)
  /// Mappings of a segment.
  public var attachments: UInt64 = 0

  /// SHM_DEST.
  public var isRemoved: Bool { mode & 0o1000 != 0 }
  /// SHM_LOCKED.
  public var isLocked: Bool { mode & 0o2000 != 0 }

  /// The text of one of these files; its first line names the columns.
  public static func parse(_ text: [UInt8], _ kind: SystemVKind) -> [SystemVEntry] {
    var scanner = TextScanner(text)
    scanner.skipLine()
    var entries: [SystemVEntry] = []
    while !scanner.isAtEnd {
      entries.append(SystemVEntry(&scanner, kind))
      scanner.skipLine()
    }
    return entries
  }

  private init(_ scanner: inout TextScanner, _ kind: SystemVKind) {
    func number() -> Int64 {
      scanner.skipBlanks()
      return scanner.signedNumber()
    }
    func user() -> UInt32 { UInt32(truncatingIfNeeded: number()) }
    key = Int32(truncatingIfNeeded: number())
    id = Int32(truncatingIfNeeded: number())
    scanner.skipBlanks()
    mode = UInt32(truncatingIfNeeded: scanner.number(radix: 8))
    switch kind {
    case .segments:
      size = UInt64(bitPattern: number())
      first = ProcessID(Int32(truncatingIfNeeded: number()))
      last = ProcessID(Int32(truncatingIfNeeded: number()))
      attachments = UInt64(bitPattern: number())
    case .semaphores:
      size = UInt64(bitPattern: number())
    case .messages:
      _ = number()
      size = UInt64(bitPattern: number())
      first = ProcessID(Int32(truncatingIfNeeded: number()))
      last = ProcessID(Int32(truncatingIfNeeded: number()))
    }
    self.user = user()
    group = user()
    creatingUser = user()
  }
}

/// A segment that we have attached ourselves; detached when this ends.
@frozen public struct AttachedSegment: ~Copyable {
  public let address: UInt64

  /// shmat(2); EACCES.
  public init(_ id: Int32, readOnly: Bool) throws(Errno) {
    let result = try checked(cr_shm_attach(id, readOnly ? Int32(SHM_RDONLY) : 0))
    address = UInt64(UInt(bitPattern: result))
  }

  /// What the kernel tells of the mapping and not of the segment: whether it is in huge pages.
  public func region() throws(Errno) -> MappedRegion {
    let regions = MappedRegion.parse(try ProcessFiles(.own).read("smaps"))
    guard let own = regions.first(where: { $0.range.start == address }) else { throw .noEntry }
    return own
  }

  deinit { _ = cr_shm_detach(UnsafeMutableRawPointer(bitPattern: UInt(address))) }

  /// Leaves it attached for as long as this process lives.
  public consuming func keep() -> UInt64 {
    let address = self.address
    discard self
    return address
  }
}

/// Calls on segments, sets of semaphores and queues by their ids.
public enum SystemVCalls {
  /// SHM_LOCK.
  public static func lockSegment(_ id: Int32) throws(Errno) { try checked(cr_shm_lock(id)) }

  public static func detach(_ address: UInt64) {
    _ = cr_shm_detach(UnsafeMutableRawPointer(bitPattern: UInt(address)))
  }

  /// GETALL of a set of `count`.
  public static func values(of id: Int32, count: Int) throws(Errno) -> [UInt16] {
    // One more, so that there is always something to point at.
    var values = [UInt16](repeating: 0, count: count + 1)
    let result = values.withUnsafeMutableBufferPointer { cr_sem_values(id, $0.baseAddress) }
    try checked(result)
    return Array(values.prefix(count))
  }

  /// SETALL.
  public static func setValues(of id: Int32, to values: [UInt16]) throws(Errno) {
    try checked(values.withUnsafeBufferPointer { cr_sem_set_values(id, $0.baseAddress) })
  }

  /// GETPID: who operated on one semaphore last.
  public static func lastProcess(of id: Int32, _ number: Int) throws(Errno) -> ProcessID {
    ProcessID(Int32(truncatingIfNeeded: try checked(cr_sem_ask(id, Int32(number), GETPID))))
  }

  /// Tasks that wait for one semaphore: GETNCNT and GETZCNT.
  public static func waiting(for id: Int32, _ number: Int) throws(Errno) -> Int {
    try checked(cr_sem_ask(id, Int32(number), GETNCNT))
      + checked(cr_sem_ask(id, Int32(number), GETZCNT))
  }

  /// msg_qbytes.
  public static func capacity(of queue: Int32) throws(Errno) -> UInt64 {
    var capacity: UInt64 = 0
    try checked(cr_msg_capacity(queue, &capacity))
    return capacity
  }

  /// The message at this place of a queue, which stays there (MSG_COPY, Linux 3.8); nil behind the
  /// last. ENOSYS without CONFIG_CHECKPOINT_RESTORE.
  public static func message(
    _ place: Int, of queue: Int32
  ) throws(Errno) -> (type: Int64, bytes: [UInt8])? {
    // MSGMAX may be set to anything.
    var size = 1 << 16
    while true {
      var type: Int64 = 0
      var result = 0
      let bytes = [UInt8](unsafeUninitializedCapacity: size) { buffer, initialized in
        result = cr_msg_copy(queue, place, &type, buffer.baseAddress, size)
        initialized = max(0, result)
      }
      if result == -Int(ENOMSG) { return nil }
      if try checked(result) < size { return (type, bytes) }
      size *= 4
    }
  }

  public static func send(_ bytes: [UInt8], type: Int64, to queue: Int32) throws(Errno) {
    try checked(
      bytes.withUnsafeBytes { cr_msg_send(queue, type, $0.baseAddress, $0.count) })
  }

  /// Takes everything out of a queue.
  public static func empty(_ queue: Int32) throws(Errno) {
    while true {
      let result = cr_msg_drop(queue)
      if result == -Int(ENOMSG) { return }
      try checked(result)
    }
  }
}
