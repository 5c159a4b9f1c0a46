// SPDX-License-Identifier: Apache-2.0
import CLinux
import Linux
import Request
import Snapshot

/// An object of which not all can be said before the whole job is known.
struct SeenObject {
  var seen: SeenDescriptor
  /// In `Snapshot.openFiles`.
  var index: Int
}

extension Collector {
  /// The files that inotify instances watch, by the paths that they have now.
  mutating func finishWatches() {
    if watchers.isEmpty { return }
    let mounts = Mount.all()
    for watcher in watchers {
      var watches: [FileWatch] = []
      for info in FileWatchInfo.all(in: watcher.seen.text) {
        guard let path = path(of: info, mounts) else {
          refuse(
            watcher.seen,
            "is an inotify instance whose watch \(info.number) is for a file that cannot be found "
              + "by a name (it was deleted, or only root can find it)", dropping: watcher.index,
            isFinal: true)
          continue
        }
        watches.append(FileWatch(number: info.number, mask: info.mask, path: path))
      }
      watches.sort { $0.number < $1.number }
      snapshot.openFiles[watcher.index].kind = .watches(watches)
      warnOfEvents(watcher.seen)
    }
  }

  private mutating func warnOfEvents(_ seen: SeenDescriptor) {
    guard let own = try? ProcessHandle(seen.reach).descriptor(seen.number),
      let waiting = try? DescriptorNumber(own.number).bytesWaiting(), waiting > 0
    else { return }
    warnings.append(
      "\(seen.name) is an inotify instance with events that were not read yet (\(waiting) bytes): "
        + "after a restart they are gone")
  }

  private func path(of info: FileWatchInfo, _ mounts: [Mount]) -> ByteString? {
    if !info.handle.isEmpty {
      for mount in mounts where mount.device == info.device {
        if let path = try? mount.path(of: info.handle), isFile(info, at: path) { return path }
      }
    }
    // Without the right to look files up by their handles: a program mostly watches what it has
    // to do with otherwise.
    let folders = knownFolders()
    if let folder = folders.first(where: { isFile(info, at: $0) }) { return folder }
    // Last, since reading a directory is an event for whoever watches that.
    for folder in folders {
      guard let name = try? nameInDirectory(folder, of: info.inode) else { continue }
      let path = folder == "/" ? folder + name : folder + "/" + name
      if isFile(info, at: path) { return path }
    }
    return nil
  }

  private func isFile(_ info: FileWatchInfo, at path: ByteString) -> Bool {
    guard let status = try? FileStatus.of(path, followingLinks: false) else { return false }
    let device = UInt32(deviceMajor(status.device)) << 20 | UInt32(deviceMinor(status.device))
    return status.inode == info.inode && device == info.device
  }

  /// Every directory that the job works in or has something open in, and those above.
  private func knownFolders() -> [ByteString] {
    var paths: [ByteString] = []
    var folders: [ByteString] = []
    for process in snapshot.processes {
      folders.append(process.workingDirectory)
      paths.append(process.executable.path)
    }
    for file in snapshot.openFiles {
      if let path = file.path { paths.append(path) }
      if case .directory(let path) = file.kind { folders.append(path) }
    }
    for path in paths + folders {
      var rest = path.bytes[...]
      while let slash = rest.lastIndex(of: UInt8(ascii: "/")) {
        rest = rest[..<slash]
        folders.append(rest.isEmpty ? "/" : ByteString(rest))
      }
    }
    var known: Set<ByteString> = []
    return folders.filter { known.insert($0).inserted }
  }

  /// A pidfd must be of a process that is saved too.
  mutating func finishProcessHandles() {
    for handle in processHandles {
      let process = TextScanner.process(in: handle.seen.text)
      snapshot.openFiles[handle.index].kind = .process(process)
      // One that has ended is as good as another.
      if process.rawValue == -1 || snapshot.processes.contains(where: { $0.id == process }) { continue }
      let what: ByteString =
        switch process.rawValue {
        case 0: "of a process that cannot be seen from here"
        case let id where snapshot.processes.contains(where: { $0.threads.contains { $0.id.rawValue == id } }):
          "of a single thread, \(process), which is not there yet when descriptors are made"
        default: "of process \(process), which is not saved with this job"
        }
      refuse(handle.seen, "is a pidfd " + what, dropping: handle.index, isFinal: true)
    }
  }
}
