// SPDX-License-Identifier: Apache-2.0
import CLinux
import ContextFile
import Linux
import Snapshot

/// Whether the files that a job depends on are there, and still the same.
struct FileCheck {
  var problems = Problems()
  private(set) var warnings: [ByteString] = []
  /// Files that come with the job.
  var travelling: Set<ByteString> = []
  /// Programs and libraries that were looked at already.
  private var checked: Set<ByteString> = []

  mutating func check(_ snapshot: Snapshot) {
    checkNamedMemories(snapshot)
    for process in snapshot.processes {
      if case .zombie = process.state { continue }
      let who: ByteString = "process \(process.id) (\(process.name))"
      checkUnchanged(process.executable, "the program of \(who)")
      for region in process.memory.regions {
        guard case .file(let identity) = region.backing else { continue }
        if region.isShared {
          checkLongEnough(identity, "\(who) has mapped")
        } else {
          checkUnchanged(identity, "which \(who) has mapped")
        }
      }
    }
    for (index, file) in snapshot.openFiles.enumerated() {
      if snapshot.isFileOfProcess(file) { continue }
      checkOpen(file, Self.name(index, snapshot))
    }
  }

  /// `descriptor 3 of process 12 (cat)`
  static func name(_ index: Int, _ snapshot: Snapshot) -> ByteString {
    for process in snapshot.processes {
      for descriptor in process.descriptors where descriptor.openFile == index {
        return "descriptor \(descriptor.number) of process \(process.id) (\(process.name))"
      }
    }
    return "an open file"
  }

  /// A program or library: its code stands in memory only as far as it was changed.
  private mutating func checkUnchanged(_ identity: FileIdentity, _ use: ByteString) {
    guard checked.insert(identity.path).inserted, !travelling.contains(identity.path) else { return }
    let status: FileStatus
    do throws(Errno) { status = try FileStatus.of(identity.path) } catch {
      problems.add(
        error, "\(identity.path), \(use): \(error) (see --relocate, and cr_checkpoint --save-private)")
      return
    }
    if !status.isRegular { return }
    // Also a library that was installed anew, or copied to another machine.
    if identity.isUnchanged { return }
    if !identity.buildID.isEmpty, status.size == identity.size {
      problems.add(
        .invalid,
        "\(identity.path), \(use), is not the same any more (its build-id differs): put the old file "
          + "back, or see --relocate, and cr_checkpoint --save-private")
      return
    }
    let what: ByteString =
      status.size == identity.size
      ? "it was written to since" : "it has \(status.size) bytes and had \(identity.size)"
    problems.add(
      .invalid,
      "\(identity.path), \(use), is not the same any more (\(what)): put the old file back, or see "
        + "--relocate, and cr_checkpoint --save-private")
  }

  /// A file that the job shares with others may say anything, but must be there.
  private mutating func checkLongEnough(_ identity: FileIdentity, _ use: ByteString) {
    do throws(Errno) {
      let status = try FileStatus.of(identity.path)
      if status.isRegular, status.size < identity.size {
        problems.add(
          .invalid,
          "\(identity.path), which \(use), has only \(status.size) bytes and had \(identity.size)")
      }
    } catch {
      problems.add(
        error,
        "\(identity.path), which \(use): \(error) (see --relocate, and cr_checkpoint --save-shared)")
    }
  }

  private mutating func checkOpen(_ file: OpenFile, _ who: ByteString) {
    if file.lostDirectoryMode != 0 { return }
    if case .watches(let watches) = file.kind {
      for watch in watches { checkWatched(watch.path, who) }
    }
    let path: ByteString
    switch file.kind {
    case .regular(let identity) where file.flags & UInt32(CR_O_PATH) != 0:
      return checkFound(identity, who)
    case .fifo(_, let end) where end.isDeleted: return
    case .regular(let identity):
      if travelling.contains(identity.path) { return }
      path = identity.path
    case .messageQueue(let queue): return checkQueue(queue, who)
    case .directory(let name), .fifo(let name, _), .characterDevice(let name, _),
      .blockDevice(let name, _):
      path = name
    default: return
    }
    let status: FileStatus
    do throws(Errno) { status = try FileStatus.of(path) } catch {
      if case .regular(let identity) = file.kind, identity.isContext, error == .noEntry { return }
      problems.add(error, "\(path), open as \(who): \(error) (see --relocate)")
      return
    }
    switch file.kind {
    case .regular(let identity):
      if !status.isRegular {
        problems.add(.invalid, "\(path), open as \(who), is no regular file any more")
      } else if status.size < identity.size {
        warnings.append(
          "\(path), open as \(who), has only \(status.size) bytes and had \(identity.size)")
      }
    case .directory:
      if !status.isDirectory {
        problems.add(.invalid, "\(path), open as \(who), is no directory any more")
      }
    case .fifo:
      if !status.isPipe { problems.add(.invalid, "\(path), open as \(who), is no FIFO any more") }
    case .characterDevice(_, let device):
      if !status.isCharacterDevice || status.specialDevice != device {
        problems.add(.invalid, "\(path), open as \(who), is not the same device any more")
      }
    case .blockDevice(_, let device):
      if status.kind != .blockDevice || status.specialDevice != device {
        problems.add(.invalid, "\(path), open as \(who), is not the same device any more")
      }
    default: break
    }
  }

  /// What was only looked up (O_PATH).
  private mutating func checkFound(_ identity: FileIdentity, _ who: ByteString) {
    if travelling.contains(identity.path) { return }
    do throws(Errno) {
      let status = try FileStatus.of(identity.path, followingLinks: false)
      if identity.mode & 0o170000 != 0, (status.mode ^ identity.mode) & 0o170000 != 0 {
        problems.add(.invalid, "\(identity.path), open as \(who), is something else now")
      }
    } catch {
      problems.add(error, "\(identity.path), open as \(who): \(error) (see --relocate)")
    }
  }

  private mutating func checkWatched(_ path: ByteString, _ who: ByteString) {
    do throws(Errno) { _ = try FileStatus.of(path, followingLinks: false) } catch {
      problems.add(error, "\(path), watched by \(who) (inotify): \(error) (see --relocate)")
    }
  }
}
