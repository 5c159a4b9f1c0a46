// SPDX-License-Identifier: Apache-2.0
import CLinux
import Linux
import Request
import Snapshot

/// The pipes and FIFOs that were met, with all their ends in the job.
struct PipeTable {
  struct End {
    var seen: SeenDescriptor
    /// In `Snapshot.openFiles`.
    var index: Int

    /// Neither for one that was only looked up (O_PATH).
    var canRead: Bool { !seen.isPathAlone && seen.accessMode != UInt32(O_WRONLY) }
    var canWrite: Bool { !seen.isPathAlone && seen.accessMode != UInt32(O_RDONLY) }
  }

  /// In the order in which they were met.
  private(set) var all: [[End]] = []
  private var indexes: [FileKey: Int] = [:]

  mutating func add(_ end: End) {
    let key = FileKey(device: end.seen.status.device, inode: end.seen.status.inode)
    if let index = indexes[key] {
      all[index].append(end)
    } else {
      indexes[key] = all.count
      all.append([end])
    }
  }
}

extension Collector {
  /// One end; what is in the pipe is read when all ends are known.
  mutating func pipe(
    _ seen: SeenDescriptor, _ handle: borrowing ProcessHandle, _ index: Int
  ) throws(Failure) -> OpenFile.Kind? {
    pipes.add(PipeTable.End(seen: seen, index: index))
    var end = PipeEnd(pipe: seen.status.inode, capacity: 0, unread: [])
    if seen.target.hasPrefix("pipe:[") { return .pipe(end) }
    guard seen.isDeleted || seen.status.links == 0 else { return .fifo(path: seen.target, end) }
    if seen.status.links > 0, let name = siblingName(seen) { return .fifo(path: name, end) }
    if seen.status.links > 0 {
      warnings.append(
        "\(seen.name): the FIFO \(seen.path) was deleted but has another name, which the restored FIFO "
          + "will not have")
    }
    end.isDeleted = true
    return .fifo(path: seen.path, end)
  }

  mutating func finishPipes() throws(Failure) {
    for ends in pipes.all {
      guard let first = ends.first else { continue }
      do throws(Errno) {
        try finishPipe(ends)
      } catch {
        problems.add("\(first.seen.name): cannot read what waits in the pipe: \(error)")
      }
    }
  }

  private mutating func finishPipe(_ ends: [PipeTable.End]) throws(Errno) {
    let reader = ends.first { $0.canRead }
    guard let end = reader ?? ends.first(where: { $0.canWrite }) else {
      return finishWithoutEnds(ends)
    }
    let own = try ProcessHandle(end.seen.reach).descriptor(end.seen.number)
    let contents: PipeContents
    if reader != nil {
      contents = try PipeContents(readEnd: own)
    } else {
      // What waits there is the business of a reader that is not in this job.
      contents = try PipeContents(capacity: PipeContents.capacity(of: own), unread: [])
    }
    let isWhole = reader != nil && ends.contains { $0.canWrite }
    let isWidowed = isWhole ? true : try PipeContents.isWidowed(own)
    let hasStrangers = !isWidowed
    let hasPackets = ends.contains { $0.seen.info.flags & UInt32(O_DIRECT) != 0 }
    if hasStrangers { warnOfStrangers(ends) }
    for end in ends {
      var state = PipeEnd(
        pipe: end.seen.status.inode, capacity: contents.capacity, unread: contents.unread)
      state.hasStrangers = hasStrangers
      if contents.packets.count > 1 || hasPackets { state.packets = contents.packets }
      switch snapshot.openFiles[end.index].kind {
      case .fifo(let path, let empty):
        state.isDeleted = empty.isDeleted
        snapshot.openFiles[end.index].kind = .fifo(path: path, state)
      default: snapshot.openFiles[end.index].kind = .pipe(state)
      }
    }
  }

  /// The job has only looked it up (O_PATH), and cannot read from it or write to it.
  private mutating func finishWithoutEnds(_ ends: [PipeTable.End]) {
    let (name, status) = (ends[0].seen.target, ends[0].seen.status)
    let stranger = FileUsers.holding(name, device: status.device, inode: status.inode, besides: job)
    if stranger != nil { warnOfStrangers(ends) }
  }

  private mutating func warnOfStrangers(_ ends: [PipeTable.End]) {
    for end in ends {
      if case .fifo = snapshot.openFiles[end.index].kind { continue }
      if end.seen.number <= 2 {
        warnings.append(
          "\(end.seen.name) is a pipe to a process that is not saved: after a restart it is the "
            + "restarting command's own standard stream")
      } else {
        warnings.append(
          "\(end.seen.name) is a pipe to a process that is not saved: after a restart nobody is "
            + "at its other end")
      }
    }
  }
}
