// SPDX-License-Identifier: Apache-2.0
import CLinux
import Linux
import Request

/// A regular file that is getting a name, by the rules of a replacement policy.
struct NamedFile: ~Copyable {
  private let directory: DirectoryHandle
  private let path: ByteString
  /// The last component, and the name under which it is written.
  private let name: ByteString
  private let temporaryName: ByteString
  private let replacement: Replacement
  private let file: FileDescriptor
  /// In place: there was a file, and this was its mode.
  private let oldMode: UInt32?
  private let isPart: Bool

  init(_ path: ByteString, _ replacement: Replacement) throws(Failure) {
    let (folder, name) = Self.split(path)
    if name.isEmpty || name == "." || name == ".." {
      throw Failure(Errno(rawValue: EISDIR), "cannot write to '\(path)': it names no file")
    }
    try self.init(name, in: try Self.open(folder, for: path), path, replacement)
  }

  /// - Parameters:
  ///   - path: what messages call it.
  ///   - isPart: its directory is made safe from a power failure by somebody else.
  init(
    _ name: ByteString, in directory: consuming DirectoryHandle, _ path: ByteString,
    _ replacement: Replacement, isPart: Bool = false
  ) throws(Failure) {
    if case .noclobber = replacement, (try? directory.status(of: name)) != nil {
      throw Failure(.exists, "\(path) exists already, and is not to be replaced (--noclobber)")
    }
    var temporaryName: ByteString = ".\(name).tmp"
    var oldMode: UInt32?
    if case .clobber = replacement {
      temporaryName = name
      // A part is always a new file.
      oldMode = isPart ? nil : (try? FileStatus.of(path))?.mode
    }
    file =
      temporaryName == name
      ? try Self.openInPlace(directory, name, path)
      : try Self.openAside(directory, temporaryName, path)
    self.directory = directory
    self.path = path
    self.name = name
    self.temporaryName = temporaryName
    self.replacement = replacement
    self.oldMode = oldMode
    self.isPart = isPart
  }

  private static func open(
    _ folder: ByteString, for path: ByteString
  ) throws(Failure) -> DirectoryHandle {
    do throws(Errno) { return try DirectoryHandle(opening: folder) } catch {
      throw Failure(error, "cannot write to \(path): \(folder): \(error)")
    }
  }

  /// The path from the root on.
  var wholePath: ByteString { absolutePath(path) }

  func duplicate() throws(Failure) -> FileDescriptor {
    do throws(Errno) { return try file.duplicate() } catch {
      throw Failure(error, "cannot write to \(path): \(error)")
    }
  }

  /// Directory and last component.
  static func split(_ path: ByteString) -> (ByteString, ByteString) {
    guard let slash = path.bytes.lastIndex(of: UInt8(ascii: "/")) else { return (".", path) }
    let folder = slash == 0 ? "/" : ByteString(path.bytes[..<slash])
    return (folder, ByteString(path.bytes[(slash + 1)...]))
  }

  // MARK: Opening

  /// Whoever writes a file has a flock(2) on it, so that what a killed run left can be told from
  /// what another one is writing just now.
  private static func openAside(
    _ directory: borrowing DirectoryHandle, _ name: ByteString, _ path: ByteString
  ) throws(Failure) -> FileDescriptor {
    do throws(Errno) {
      for _ in 0 ..< 10 {
        do throws(Errno) {
          let made = try directory.open(name, flags: O_RDWR | O_CREAT | O_EXCL, mode: 0o600)
          if try made.tryLock(), try isStill(made, name, in: directory) { return made }
          // Another run took it for a leftover in the moment before the lock.
        } catch {
          guard error == .exists else { throw error }
          try removeLeftover(directory, name)
        }
      }
      throw .busy
    } catch {
      if error == .busy { throw inUse(path) }
      throw Failure(error, "cannot make a file beside \(path): \(error)")
    }
  }

  /// Removes the file of a run that was killed; EBUSY if its writer lives.
  private static func removeLeftover(
    _ directory: borrowing DirectoryHandle, _ name: ByteString
  ) throws(Errno) {
    let status: FileStatus
    do throws(Errno) { status = try directory.status(of: name) } catch { return }
    if status.isRegular {
      let old: FileDescriptor
      do throws(Errno) {
        old = try directory.open(name, flags: O_RDONLY | O_NOFOLLOW | O_NONBLOCK)
      } catch {
        if error == .noEntry { return }
        throw error
      }
      guard try old.tryLock() else { throw .busy }
      guard try isStill(old, name, in: directory) else { return }
      return try directory.remove(name)
    }
    // A link or the like: not ours, but in our way; only the name is removed.
    try directory.remove(name)
  }

  private static func inUse(_ path: ByteString) -> Failure {
    Failure(
      .busy,
      "another checkpoint is being written to \(path) just now, or cr_restart --lazy still reads it")
  }

  private static func isStill(
    _ file: borrowing FileDescriptor, _ name: ByteString, in directory: borrowing DirectoryHandle
  ) throws(Errno) -> Bool {
    let ours = try file.status()
    guard let named = try? directory.status(of: name) else { return false }
    return ours.inode == named.inode && ours.device == named.device
  }

  private static func openInPlace(
    _ directory: borrowing DirectoryHandle, _ name: ByteString, _ path: ByteString
  ) throws(Failure) -> FileDescriptor {
    do throws(Errno) {
      let file: FileDescriptor
      do throws(Errno) {
        file = try directory.open(name, flags: O_RDWR | O_CREAT, mode: 0o600)
      } catch {
        // Context files are read-only for their owner too.
        guard error == .accessDenied else { throw error }
        try FileDescriptor(opening: path, flags: O_RDONLY).setMode(0o600)
        file = try directory.open(name, flags: O_RDWR)
      }
      guard try file.tryLock() else { throw .busy }
      try file.setMode(0o600)
      return file
    } catch {
      if error == .busy { throw inUse(path) }
      throw Failure(error, "cannot write to \(path): \(error)")
    }
  }

  // MARK: Ending

  /// Makes it read-only, safe if wanted, and gives it its name.
  func commit(isSynchronous: Bool) throws(Failure) {
    do throws(Errno) {
      try file.setMode(0o400)
      if isSynchronous { try file.synchronize() }
    } catch {
      throw Failure(error, "cannot finish \(path): \(error)")
    }
    do throws(Errno) {
      switch replacement {
      case .clobber: break
      case .atomic: try directory.rename(temporaryName, to: name, replacing: true)
      case .noclobber: try directory.rename(temporaryName, to: name, replacing: false)
      case .backup(let backup):
        try keepOld(as: backup)
        try directory.rename(temporaryName, to: name, replacing: true)
      }
      if isSynchronous, !isPart { try directory.synchronize() }
    } catch {
      throw Failure(error, "cannot give the context file its name \(path): \(error)")
    }
  }

  /// Gives the old file a further name before its own is taken: at no moment is there none.
  private func keepOld(as backup: ByteString?) throws(Errno) {
    guard (try? directory.status(of: name)) != nil else { return }
    if let backup { return try renamePath(path, to: backup) }
    var number = 1
    while true {
      do throws(Errno) { return try keepOld(numbered: "\(name).~\(number)~") } catch {
        guard error == .exists else { throw error }
      }
      number += 1
    }
  }

  private func keepOld(numbered backup: ByteString) throws(Errno) {
    do throws(Errno) { try directory.link(name, as: backup) } catch {
      if error == .exists { throw error }
      // No hard links on this file system, or not to somebody else's file.
      try directory.rename(name, to: backup, replacing: false)
    }
  }

  /// Removes what was begun.
  func abandon(hasBegun: Bool) {
    if let oldMode, !hasBegun {
      // Nothing was written yet: the old file is as it was.
      return (try? file.setMode(oldMode & 0o7777)) ?? ()
    }
    if (try? Self.isStill(file, temporaryName, in: directory)) == true {
      try? directory.remove(temporaryName)
    }
  }
}
