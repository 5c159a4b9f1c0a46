// SPDX-License-Identifier: Apache-2.0
import CLinux

/// CLONE_NEW* of clone(2).
public struct NamespaceKinds: OptionSet, Sendable {
  public var rawValue: Int32
  public init(rawValue: Int32) { self.rawValue = rawValue }
  public static let pid = NamespaceKinds(rawValue: 0x2000_0000)

  /// Those in which a process is and we are not. A kind that cannot be looked at counts as ours.
  public init(ofOther process: ProcessID) {
    self = []
    let all: [(StaticString, Int32)] = [
      ("user", 0x1000_0000), ("mnt", 0x0002_0000), ("pid", 0x2000_0000), ("net", 0x4000_0000),
      ("ipc", 0x0800_0000), ("uts", 0x0400_0000), ("time", 0x80),
    ]
    for (file, kind) in all {
      guard let own = try? readLink("/proc/self/ns/\(file)"),
        let other = try? readLink("/proc/\(process)/ns/\(file)"), own != other
      else { continue }
      insert(NamespaceKinds(rawValue: kind))
    }
  }
}

/// User, pid and mount namespaces of our own, in which an ordinary user may give processes any id.
///
/// Whoever makes them stays outside (a process keeps its pid namespace); a child goes on inside, as
/// pid 1: orphans come to it, and when it ends the kernel ends everybody else in there.
public enum Room {
  /// Which step failed, and why.
  public struct Fault: Error, Sendable {
    public var step: StaticString
    public var errno: Errno
  }

  public enum Event: Sendable {
    /// The child takes signals from now on; before, it would ignore most.
    case ready
    case stopped(signal: Int32)
    case ended(WaitStatus)
    /// One of the signals that are held back waits to be taken.
    case signal
    /// The child has nothing more to say.
    case silence
  }

  /// Makes the namespaces and the child. Returns nil in the child and its pid in the parent.
  ///
  /// Our user and group have these numbers in there, and are the only ones. Not for a process with
  /// threads.
  public static func make(user insideUser: UInt32?, group insideGroup: UInt32?) throws(Fault) -> ProcessID? {
    let user = UInt32(truncatingIfNeeded: cr_syscall(Int(SYS_geteuid), 0, 0, 0, 0, 0, 0))
    let group = UInt32(truncatingIfNeeded: cr_syscall(Int(SYS_getegid), 0, 0, 0, 0, 0, 0))
    try step("make user, pid and mount namespaces") { () throws(Errno) in
      let kinds = CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNS
      try checked(cr_syscall(Int(SYS_unshare), Int(kinds), 0, 0, 0, 0, 0))
    }
    try step("map our user and group") { () throws(Errno) in
      // Who could drop a group could get at what the group must not; hence the kernel's order.
      try write("deny", to: "/proc/self/setgroups")
      try write("\(insideUser ?? user) \(user) 1", to: "/proc/self/uid_map")
      try write("\(insideGroup ?? group) \(group) 1", to: "/proc/self/gid_map")
    }
    let child = cr_room_fork()
    if child < 0 { throw Fault(step: "make a process in them", errno: Errno(rawValue: -child)) }
    if child > 0 { return ProcessID(child) }
    try furnish()
    return nil
  }

  /// What the first process does.
  private static func furnish() throws(Fault) {
    try step("keep mounts to themselves") { () throws(Errno) in
      try mount("none", on: "/", type: "", flags: 0x8_4000)  // MS_REC | MS_SLAVE
    }
    cr_room_keep_outside()
    try step("mount /proc for them") { () throws(Errno) in
      try mount("proc", on: "/proc", type: "proc", flags: 0xe)  // no set-id, devices, programs
    }
    // The restarted programs are executed, which takes capabilities from all but root.
    try step("keep capabilities") { () throws(Errno) in
      try checked(Int(cr_keep_capabilities()))
    }
  }

  /// This process is the first one of a room.
  public static var isInside: Bool { cr_in_room() != 0 }

  /// Inside: the pids that processes of the room have for whoever is outside; their own where that cannot be seen.
  public static func outsideIDs(of processes: [ProcessID]) -> [ProcessID] {
    let outside = DescriptorNumber(cr_room_outside())
    guard isInside, outside.rawValue >= 0, let own = try? readLink("self", at: outside.rawValue).decimalNumber
    else { return processes }
    var ids: [Int32: Int32] = [:]
    var pending = [own]
    while let id = pending.popLast() {
      guard let text = try? read("\(id)/status", in: outside) else { continue }
      ids[ProcessStatus(text).innermostID.rawValue] = id
      for thread in (try? threads(of: id, seenIn: outside)) ?? [] {
        guard let list = try? read("\(id)/task/\(thread)/children", in: outside) else { continue }
        var scanner = TextScanner(list)
        while case let child = scanner.number(), child != 0 {
          pending.append(Int32(truncatingIfNeeded: child))
        }
      }
    }
    return processes.map { ProcessID(ids[$0.rawValue] ?? $0.rawValue) }
  }

  private static func read(_ path: ByteString, in outside: DescriptorNumber) throws(Errno) -> [UInt8] {
    try FileDescriptor(opening: path, at: outside.rawValue, flags: 0).readToEnd()
  }

  private static func threads(of id: Int32, seenIn outside: DescriptorNumber) throws(Errno) -> [Int32] {
    try directoryNumbers(
      FileDescriptor(opening: "\(id)/task", at: outside.rawValue, flags: O_RDONLY | O_DIRECTORY))
  }

  /// Inside: signals are heard, and none is lost.
  public static func tellReady() { cr_room_tell(Int32(CR_ROOM_READY), 0) }

  /// Inside: the restarted program was stopped.
  public static func tellStopped(by signal: Int32) { cr_room_tell(Int32(CR_ROOM_STOPPED), signal) }

  /// Inside: how it ended. Whoever is outside ends likewise as soon as we do, or close our files.
  public static func tellEnded(_ status: WaitStatus) {
    cr_room_tell(Int32(CR_ROOM_ENDED), status.rawValue)
  }

  /// Inside: stays for the processes that are still there, seen by nobody. Ends at once if there are
  /// none.
  public static func linger(_ status: Int32) -> Never { cr_room_linger(status) }

  /// Outside: waits for what comes next.
  public static func hear(_ signals: SignalQueue) -> Event {
    var kind: Int32 = 0
    var value: Int32 = 0
    switch cr_room_hear(signals.signals, &kind, &value) {
    case 2: return .signal
    case 1:
      if kind == Int32(CR_ROOM_READY) { return .ready }
      return kind == Int32(CR_ROOM_STOPPED)
        ? .stopped(signal: value) : .ended(WaitStatus(rawValue: value))
    default: return .silence
    }
  }

  /// Makes a process in the namespaces of `process`, those of `kinds`. Returns nil in it and, in the
  /// caller, what to wait for, which ends as that one does.
  ///
  /// Throws in the caller or in a process that has to tell of it and to end.
  public static func enter(
    _ process: ProcessID, kinds: NamespaceKinds
  ) throws(Errno) -> ProcessID? {
    var child: Int32 = 0
    try checked(Int(cr_room_enter(process.rawValue, kinds.rawValue, &child)))
    return child == 0 ? nil : ProcessID(child)
  }

  /// Outside: waits for the end of the child.
  public static func end(of child: ProcessID) -> WaitStatus {
    let status = cr_room_end(child.rawValue)
    // Cannot be: it is our child. As if it had failed.
    return WaitStatus(rawValue: status < 0 ? 0xff00 : status)
  }

  private static func step(
    _ name: StaticString, _ body: () throws(Errno) -> Void
  ) throws(Fault) {
    do throws(Errno) { try body() } catch { throw Fault(step: name, errno: error) }
  }

  private static func write(_ text: ByteString, to path: ByteString) throws(Errno) {
    let file = try FileDescriptor(opening: path, flags: O_WRONLY)
    let bytes = text.bytes
    let result = bytes.withUnsafeBytes { buffer in
      cr_syscall(
        Int(SYS_write), Int(file.number), Int(bitPattern: buffer.baseAddress), buffer.count, 0, 0, 0)
    }
    try checked(result)
  }

  private static func mount(
    _ source: ByteString, on place: ByteString, type: ByteString, flags: Int
  ) throws(Errno) {
    let result = source.withCString { source in
      place.withCString { place in
        type.withCString { type in
          cr_syscall(
            Int(SYS_mount), Int(bitPattern: source), Int(bitPattern: place), Int(bitPattern: type),
            flags, 0, 0)
        }
      }
    }
    try checked(result)
  }
}
