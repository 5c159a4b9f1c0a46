// SPDX-License-Identifier: Apache-2.0
import CLinux
import Linux
import Request
import Snapshot

/// Everything of the job that is a file, opened once, to be inherited by the restored processes.
final class OpenedFiles {
  /// A file opened for mapping: by path, once per kind of access.
  struct MappedKey: Hashable {
    var path: ByteString
    var isWritable: Bool
  }

  let inheritance: Inheritance
  /// By index in `Snapshot.openFiles`; nil before it is opened.
  var openFiles: [DescriptorNumber?]
  /// Standard streams of ours that stand in for a terminal, by its index and their number.
  var streams: [Int: [Int32: DescriptorNumber]] = [:]
  /// By index in `Snapshot.sharedMemories`, open for reading and writing; nil for a System V segment.
  var sharedMemories: [DescriptorNumber?]
  let lostDirectories = LostDirectories()
  let systemV = SystemVObjects()
  let names = NamedObjects()
  /// POSIX message queues by their old inode number.
  var queues: [UInt64: DescriptorNumber] = [:]
  /// The same for reading only, where a mapping must not be writable.
  var readOnlyMemories: [Int: DescriptorNumber] = [:]
  var mapped: [MappedKey: DescriptorNumber] = [:]
  /// Recreated deleted files, open for reading and writing, by index of the first `OpenFile`.
  var recreated: [Int: DescriptorNumber] = [:]
  /// Files that have grown since, to be cut back when nothing can fail any more.
  var grown: [(file: DescriptorNumber, identity: FileIdentity)] = []
  /// Permissions that recreated files get when everything that opens them has done so.
  var modes: [(file: DescriptorNumber, mode: UInt32)] = []

  /// Masters of terminals, by the numbers that they had.
  var terminals: [UInt32: DescriptorNumber] = [:]
  var sealed: [FileSeals] = []
  /// Those that were made after the processes, which therefore have not inherited them.
  var late: Set<Int> = []
  /// Files of /proc and where the program had read up to: what they say is made up by seeking, and is
  /// to be about the process as it will be.
  var lateSeeks: [(file: DescriptorNumber, position: UInt64)] = []
  /// TCP connections to the outside, in repair.
  var established: [EstablishedConnection] = []
  /// inotify instances.
  var watchers: [DescriptorNumber] = []
  /// Timers, to be started when everything else is ready.
  var timers: [(file: DescriptorNumber, state: TimerFile)] = []

  init(_ snapshot: Snapshot) {
    var wanted: Set<Int32> = [0, 1, 2]
    var regions = 0
    for process in snapshot.processes {
      for descriptor in process.descriptors { wanted.insert(descriptor.number) }
      regions += process.memory.regions.count
    }
    for file in snapshot.openFiles {
      guard case .epoll(let entries) = file.kind else { continue }
      for entry in entries { wanted.insert(entry.number) }
    }
    inheritance = Inheritance(
      outside: wanted,
      count: 4 * snapshot.openFiles.count + 2 * snapshot.sharedMemories.count + min(regions, 4096))
    openFiles = [DescriptorNumber?](repeating: nil, count: snapshot.openFiles.count)
    sharedMemories = []
  }

  /// What a descriptor of a process becomes a copy of.
  func source(of descriptor: Descriptor) -> DescriptorNumber? {
    streams[descriptor.openFile]?[descriptor.number] ?? openFiles[descriptor.openFile]
  }

  /// Throws EBADF for a System V segment.
  func sharedMemory(_ index: Int) throws(Errno) -> DescriptorNumber {
    guard let number = sharedMemories[index] else { throw .badDescriptor }
    return number
  }

  /// The descriptor by which a region is mapped; nil for anonymous memory.
  func source(of region: Region) -> DescriptorNumber? {
    switch region.backing {
    case .anonymous, .special: return nil
    case .sharedMemory(let index):
      if region.isShared, !region.mayBecomeWritable, let file = readOnlyMemories[index] {
        return file
      }
      return sharedMemories[index]
    case .file(let identity):
      return mapped[MappedKey(path: identity.path, isWritable: region.needsWritableFile)]
    }
  }

  /// Opens every file that is mapped.
  func openMappedFiles(_ snapshot: Snapshot) throws(Failure) {
    for process in snapshot.processes {
      for region in process.memory.regions {
        guard case .file(let identity) = region.backing else { continue }
        let key = MappedKey(path: identity.path, isWritable: region.needsWritableFile)
        if mapped[key] != nil { continue }
        do throws(Errno) {
          let flags = key.isWritable ? O_RDWR : O_RDONLY
          mapped[key] = try inheritance.adopt(
            FileDescriptor(opening: identity.path, flags: flags | O_NOCTTY))
        } catch {
          throw Failure(
            error,
            "cannot open \(identity.path), which process \(process.id) (\(process.name)) has "
              + "mapped: \(error)")
        }
      }
    }
  }

  /// Another open file description of the file behind one of ours.
  static func reopen(
    _ file: DescriptorNumber, flags: UInt32
  ) throws(Errno) -> FileDescriptor {
    try FileDescriptor(
      opening: "/proc/self/fd/\(file.rawValue)", flags: Int32(bitPattern: flags) & ~O_NOFOLLOW | O_NOCTTY)
  }

  /// Ours are closed, so that pipes know their ends by the job alone.
  func close() { inheritance.close() }

  /// What changes files that others see; after it nothing may fail.
  ///
  /// - Parameter clocksGoOn: for the program, where they stood (`--restore-clock`).
  func settle(_ report: inout Report, clocksGoOn: Bool) {
    systemV.keep()
    names.keep()
    lostDirectories.forget()
    for (file, mode) in modes { try? file.setMode(mode) }
    for (file, identity) in grown {
      do throws(Errno) {
        try file.setSize(identity.size)
        report.warn("\(identity.path) has grown since and was cut back to \(identity.size) bytes")
      } catch {
        report.warn("\(identity.path) has grown since and cannot be cut back: \(error)")
      }
    }
    for (file, position) in lateSeeks {
      do throws(Errno) { try file.seek(to: position) } catch {
        report.warn("a file of /proc cannot be read on where the program was: \(error)")
      }
    }
    for connection in established {
      do throws(Errno) { try connection.resume() } catch {
        report.warn("a TCP connection to the outside cannot go on: \(error)")
      }
    }
    // What was watched saw our own work, too.
    for watcher in watchers { try? watcher.discardEvents() }
    for (file, timer) in timers {
      do throws(Errno) { try timer.start(file, goesOn: clocksGoOn) } catch {
        report.warn("a timer (timerfd) cannot be started again: \(error)")
      }
    }
  }
}

extension Region {
  /// Whether VmFlags has this two-letter word.
  func hasFlag(_ flag: StaticString) -> Bool {
    let wanted = flag.withUTF8Buffer { ($0[0], $0[1]) }
    let bytes = flags.bytes
    var index = 0
    while index + 1 < bytes.count {
      if bytes[index] == wanted.0, bytes[index + 1] == wanted.1 { return true }
      index += 3
    }
    return false
  }

  /// mprotect(2) could make it writable: it was mapped from a file open for writing.
  var mayBecomeWritable: Bool { protection & 2 != 0 || flags.isEmpty || hasFlag("mw") }

  /// Private mappings never write to their file.
  var needsWritableFile: Bool { isShared && mayBecomeWritable }
}
