// SPDX-License-Identifier: Apache-2.0
import CLinux
import Linux
import Request

/// A directory that gets a context file for each process of a job, and its name when all of them are
/// whole.
///
/// It is filled under the name `.NAME.tmp`, but for `clobber`, which fills it where it is. Whoever
/// fills it has a flock(2) on it.
final class ContextDirectory {
  /// Where its name is; nil if that is another process's business.
  private let place: Place?
  let handle: DirectoryHandle
  /// What messages call it.
  private let path: ByteString
  private let replacement: Replacement
  /// There was none of that name.
  private var isNew = true
  private var hasBegun = false
  private var isCommitted = false

  private struct Place: ~Copyable {
    let parent: DirectoryHandle
    let name: ByteString
    /// The name while it is filled.
    let temporaryName: ByteString
  }

  // MARK: Names

  static func name(of process: Int32) -> ByteString { "context.\(process)" }

  /// Pids of the files in a directory, in rising order.
  static func processes(in path: ByteString) throws(Errno) -> [Int32] {
    try DirectoryHandle(opening: path).names().compactMap { process(of: $0) }.sorted()
  }

  /// The pid in a name; nil for one that is not a part's.
  private static func process(of name: ByteString) -> Int32? {
    guard name.hasPrefix("context."), let number = name.dropFirst(8).decimalNumber,
      Self.name(of: number) == name
    else { return nil }
    return number
  }

  func path(of process: ProcessID) -> ByteString { "\(path)/\(Self.name(of: process.rawValue))" }

  var wholePath: ByteString { absolutePath(path) }

  // MARK: Making it

  init(_ given: ByteString, _ replacement: Replacement) throws(Failure) {
    let path = try Self.resolved(given)
    let (folder, name) = NamedFile.split(path)
    if name.isEmpty || name == "." || name == ".." {
      throw Failure(.invalid, "--dir: '\(given)' does not end with the name of a directory")
    }
    let parent: DirectoryHandle
    do throws(Errno) { parent = try DirectoryHandle(opening: folder) } catch {
      throw Failure(error, "cannot make the directory \(path): \(folder): \(error)")
    }
    let isThere = try Self.isThere(name, in: parent, path, replacement)
    var temporaryName: ByteString = ".\(name).tmp"
    if case .clobber = replacement { temporaryName = name }
    handle = try Self.make(temporaryName, in: parent, path, isThere: isThere && temporaryName == name)
    place = Place(parent: parent, name: name, temporaryName: temporaryName)
    self.path = path
    self.replacement = replacement
    isNew = !isThere
  }

  /// A directory that another process has made, and will give its name.
  init(within number: Int32) throws(Failure) {
    place = nil
    path = (try? readLink("/proc/self/fd/\(number)")) ?? "the directory"
    replacement = .clobber
    do throws(Errno) { handle = try DirectoryHandle(duplicating: number) } catch {
      throw Failure(error, "cannot use the directory of the context: \(error)")
    }
  }

  /// Without slashes at its end; where a symbolic link leads to a directory, that one.
  private static func resolved(_ path: ByteString) throws(Failure) -> ByteString {
    var bytes = path.bytes
    while bytes.count > 1, bytes.last == UInt8(ascii: "/") { bytes.removeLast() }
    let plain = ByteString(bytes)
    guard let link = try? readLink(plain), let status = try? FileStatus.of(plain), status.isDirectory
    else { return plain }
    do throws(Errno) {
      let target = try DirectoryHandle(opening: plain)
      return try readLink("/proc/self/fd/\(target.number)")
    } catch {
      throw Failure(error, "cannot open \(plain), a link to \(link): \(error)")
    }
  }

  /// Whether there is one already, which may be replaced: a whole context and nothing else.
  private static func isThere(
    _ name: ByteString, in parent: borrowing DirectoryHandle, _ path: ByteString,
    _ replacement: Replacement
  ) throws(Failure) -> Bool {
    guard let status = try? parent.status(of: name) else { return false }
    if case .noclobber = replacement {
      throw Failure(.exists, "\(path) exists already, and is not to be replaced (--noclobber)")
    }
    guard status.isDirectory else {
      throw Failure(
        Errno(rawValue: ENOTDIR),
        "\(path) is there, and is no directory: use another name, or --file")
    }
    // Set aside as it is.
    if case .backup = replacement { return true }
    let names: [ByteString]
    do throws(Errno) { names = try parent.open(directory: name).names() } catch {
      throw Failure(error, "cannot read the directory \(path): \(error)")
    }
    if names.isEmpty { return true }
    var reason: ByteString?
    if let other = names.first(where: { process(of: $0) == nil }) { reason = "it holds \(other)" }
    if reason == nil {
      var old = DirectoryParser(path)
      do throws(Failure) {
        try old.readAll()
        if old.parts.count < names.count { reason = "it holds files of several contexts" }
      } catch { reason = error.message }
    }
    guard let reason else { return true }
    throw Failure(
      Errno(rawValue: ENOTEMPTY),
      "\(path) is there, and only an empty directory or a whole context is replaced: \(reason). "
        + "Use another name, --backup, or remove it")
  }

  private static func make(
    _ name: ByteString, in parent: borrowing DirectoryHandle, _ path: ByteString, isThere: Bool
  ) throws(Failure) -> DirectoryHandle {
    do throws(Errno) {
      if !isThere {
        try removeLeftover(name, in: parent)
        try parent.makeDirectory(name, mode: 0o700)
      }
      let made = try parent.open(directory: name)
      guard try made.tryLock() else { throw .busy }
      return made
    } catch {
      if error == .busy {
        throw Failure(error, "another checkpoint is being written to \(path) just now")
      }
      throw Failure(error, "cannot make the directory \(path): \(error)")
    }
  }

  /// Removes what a run that was killed has left; EBUSY if its writer lives, ENOTEMPTY if there are
  /// files in it that are none of ours.
  private static func removeLeftover(
    _ name: ByteString, in parent: borrowing DirectoryHandle
  ) throws(Errno) {
    guard let status = try? parent.status(of: name) else { return }
    guard status.isDirectory else { return try parent.remove(name) }
    let old = try parent.open(directory: name)
    guard try old.tryLock() else { throw .busy }
    try removeFiles(of: old)
    try parent.remove(directory: name)
  }

  private static func removeFiles(of directory: borrowing DirectoryHandle) throws(Errno) {
    for name in try directory.names() where process(of: name) != nil { try directory.remove(name) }
  }

  // MARK: Filling it

  /// Throws ENOSPC if there is no room for as many bytes; removes what is overwritten in place.
  func reserve(_ size: UInt64) throws(Failure) {
    hasBegun = true
    if !isNew, case .clobber = replacement {
      do throws(Errno) { try Self.removeFiles(of: handle) } catch {
        throw Failure(error, "cannot overwrite the old context in \(path): \(error)")
      }
    }
    let free = handle.freeSpace()
    guard free < size else { return }
    throw Failure(
      .noSpace,
      "no room for the context in \(path): it takes \(size) bytes, and \(free) are free; free some, "
        + "or name a directory on another file system")
  }

  func makeFile(of process: ProcessID) throws(Failure) -> NamedFile {
    let directory: DirectoryHandle
    do throws(Errno) { directory = try handle.duplicate() } catch {
      throw Failure(error, "cannot make \(path(of: process)): \(error)")
    }
    return try NamedFile(
      Self.name(of: process.rawValue), in: directory, path(of: process), .clobber, isPart: true)
  }

  // MARK: Ending

  /// Gives it its name; all files in it are whole.
  func commit(isSynchronous: Bool) throws(Failure) {
    do throws(Errno) {
      if isSynchronous { try handle.synchronize() }
      switch place {
      case .some(let place):
        try move(place)
        isCommitted = true
        if isSynchronous { try place.parent.synchronize() }
      case .none: isCommitted = true
      }
    } catch {
      let advice: ByteString =
        error == .invalid ? "; where a file system cannot exchange directories use --backup" : ""
      throw Failure(error, "cannot give the directory its name \(path): \(error)\(advice)")
    }
  }

  private func move(_ place: borrowing Place) throws(Errno) {
    let (name, temporaryName) = (place.name, place.temporaryName)
    switch replacement {
    case .clobber: return
    case .atomic:
      guard !isNew else { return try place.parent.rename(temporaryName, to: name, replacing: false) }
      try place.parent.exchange(temporaryName, name)
      // The new one is in its place: a rest of the old one is no failure.
      try? Self.removeLeftover(temporaryName, in: place.parent)
    case .noclobber: try place.parent.rename(temporaryName, to: name, replacing: false)
    case .backup(let backup):
      if !isNew { try place.parent.setAside(name, path, as: backup) }
      try place.parent.rename(temporaryName, to: name, replacing: false)
    }
  }

  /// Removes what was begun.
  func abandon() {
    if isCommitted { return }
    switch place {
    case .some(let place):
      guard let named = try? place.parent.status(of: place.temporaryName),
        let ours = try? handle.status(), ours.inode == named.inode, ours.device == named.device
      else { return }
      let isInPlace = !isNew && place.temporaryName == place.name
      // An old context is still there.
      if isInPlace, !hasBegun { return }
      try? Self.removeFiles(of: handle)
      if isInPlace { return }
      try? place.parent.remove(directory: place.temporaryName)
    case .none: try? Self.removeFiles(of: handle)
    }
  }
}

extension DirectoryHandle {
  /// Renames what has this name to `backup`, or to the first free `NAME.~1~`, `NAME.~2~` ….
  ///
  /// - Parameter path: of the same thing.
  fileprivate func setAside(
    _ name: ByteString, _ path: ByteString, as backup: ByteString?
  ) throws(Errno) {
    if let backup { return try renamePath(path, to: backup) }
    var number = 1
    while true {
      do throws(Errno) {
        return try rename(name, to: "\(name).~\(number)~", replacing: false)
      } catch {
        guard error == .exists else { throw error }
      }
      number += 1
    }
  }
}
