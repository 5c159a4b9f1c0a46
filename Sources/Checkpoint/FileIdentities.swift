// SPDX-License-Identifier: Apache-2.0
import CLinux
import ContextFile
import Linux
import Snapshot

/// What makes a file recognisable, looked up once per file.
///
/// Filled before the processes are stopped; while they stand still a file is only asked whether it
/// is still the same.
struct FileIdentities {
  private var known: [ByteString: FileIdentity] = [:]
  /// Mapped files that were looked at again since everything stands still.
  private var confirmed: [ByteString: FileIdentity] = [:]

  /// The identity of the file at `path`; nil if what is there now is not the file with this status.
  ///
  /// - Parameter mayOpen: to read the build-id.
  mutating func identity(
    of path: ByteString, matching status: FileStatus, mayOpen: Bool = true
  ) -> FileIdentity? {
    guard let now = try? FileStatus.of(path), now.inode == status.inode,
      now.device == status.device
    else { return nil }
    return identity(of: path, now, mayOpen: mayOpen)
  }

  /// The file at `path` if it has this inode number; the device is not compared, for a file system
  /// with several (btrfs, overlayfs) shows another one in maps than in stat(2).
  mutating func identity(of path: ByteString, inode: UInt64) -> FileIdentity? {
    // A program maps each of its libraries in five pieces.
    if let identity = confirmed[path], identity.inode == inode { return identity }
    guard let now = try? FileStatus.of(path), now.inode == inode else { return nil }
    let identity = identity(of: path, now)
    confirmed[path] = identity
    return identity
  }

  /// POSIX shared memory that somebody outside of the job has mapped too, and one that has.
  private(set) var otherUsers: [ByteString: ProcessID] = [:]

  mutating func findOtherUsers(besides job: [ProcessID]) {
    var paths: Set<ByteString> = []
    for path in known.keys where FileUsers.isNamedMemory(path) { paths.insert(path) }
    otherUsers = FileUsers.mapping(paths, besides: Set(job.map { $0.rawValue }))
  }

  /// The processes stand still now: every file is looked at once more.
  mutating func beginConfirming() { confirmed = [:] }

  private mutating func identity(
    of path: ByteString, _ status: FileStatus, mayOpen: Bool = true
  ) -> FileIdentity {
    let modified = TimeValue(
      seconds: status.modifiedSeconds, nanoseconds: status.modifiedNanoseconds)
    if let identity = known[path], identity.inode == status.inode,
      identity.device == status.device, identity.size == status.size,
      identity.modified == modified, identity.mode == status.mode
    {
      return identity
    }
    var identity = FileIdentity(path: path)
    identity.device = status.device
    identity.inode = status.inode
    identity.size = status.size
    identity.mode = status.mode
    identity.modified = modified
    if mayOpen, status.kind == .regular, let file = try? FileDescriptor(opening: path, flags: O_RDONLY) {
      identity.buildID = buildID(of: file)
    }
    known[path] = identity
    return identity
  }

  /// Learns the files that a process has mapped, while it still runs.
  mutating func learn(from process: ProcessID) {
    guard let text = process.memoryMap, let files = try? ProcessFiles(process) else { return }
    for region in MappedRegion.parse(text) where region.inode != 0 && known[region.name] == nil {
      _ = identity(of: region.name, inode: region.inode)
    }
    if let program = try? files.link("exe"), let status = try? files.status(of: "exe") {
      _ = identity(of: program, matching: status)
    }
  }
}
