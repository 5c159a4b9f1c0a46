// SPDX-License-Identifier: Apache-2.0
import CLinux
import Linux
import Request
import Snapshot

/// All ends of one pipe or FIFO in the job.
private struct SavedPipe {
  var state: PipeEnd
  /// Of a FIFO; empty for a pipe.
  var path: ByteString
  /// Indexes in `Snapshot.openFiles`.
  var ends: [Int]
}

extension FileOpener {
  mutating func openPipes() throws(Failure) {
    for pipe in savedPipes() {
      do throws(Errno) {
        if !pipe.path.isEmpty {
          try openNamed(pipe)
        } else if !(try lendStandardStreams(pipe)) {
          try openUnnamed(pipe)
        }
      } catch {
        throw Failure(
          error, "cannot make \(title(of: pipe.ends[0])) again, \(name(pipe.ends[0])): \(error)")
      }
    }
  }

  private func savedPipes() -> [SavedPipe] {
    var pipes: [SavedPipe] = []
    var known: [UInt64: Int] = [:]
    for (index, file) in snapshot.openFiles.enumerated() {
      let found: SavedPipe
      switch file.kind {
      case .pipe(let end): found = SavedPipe(state: end, path: "", ends: [index])
      case .fifo(let path, let end): found = SavedPipe(state: end, path: path, ends: [index])
      default: continue
      }
      if let place = known[found.state.pipe] {
        pipes[place].ends.append(index)
      } else {
        known[found.state.pipe] = pipes.count
        pipes.append(found)
      }
    }
    return pipes
  }

  /// nil for what was only looked up (O_PATH).
  private func accessMode(_ index: Int) -> Int32? {
    let flags = snapshot.openFiles[index].flags
    return flags & pathFlag == 0 ? Int32(flags & 3) : nil
  }

  /// Another description of the pipe behind one of ours.
  private func reopen(_ end: Int32, as index: Int) throws(Errno) {
    let flags = snapshot.openFiles[index].flags & (3 | UInt32(O_NONBLOCK | O_DIRECT) | pathFlag)
    try keep(index, OpenedFiles.reopen(DescriptorNumber(end), flags: flags))
  }

  /// A pipe that led out of the job becomes one of our own standard streams, as BLCR has it. What
  /// still waits in it is not given up for that: then it stays a pipe, with nobody at its other end.
  private mutating func lendStandardStreams(_ pipe: SavedPipe) throws(Errno) -> Bool {
    guard pipe.state.hasStrangers, pipe.state.unread.isEmpty else { return false }
    let lowest = pipe.ends.reduce(Int32.max) { min($0, owners[$1].lowest) }
    guard let first = pipe.ends.first(where: { accessMode($0) != nil }) else { return false }
    let isRead = accessMode(first) == O_RDONLY
    let stream = DescriptorNumber(isRead ? 0 : lowest == 2 ? 2 : 1)
    guard lowest <= 2, let flags = try? stream.statusFlags() else { return false }
    let mode = Int32(flags & 3)
    guard mode == O_RDWR || mode == (isRead ? O_RDONLY : O_WRONLY) else { return false }
    for index in pipe.ends {
      if accessMode(index) == nil {
        try reopen(stream.rawValue, as: index)
      } else {
        files.openFiles[index] = try files.inheritance.duplicate(stream)
      }
    }
    return true
  }

  private mutating func openUnnamed(_ pipe: SavedPipe) throws(Errno) {
    let (readNumber, writeNumber) = try makePipe(flags: 0)
    let readEnd = FileDescriptor(owning: readNumber)
    let writeEnd = FileDescriptor(owning: writeNumber)
    try fill(pipe, DescriptorNumber(writeNumber))
    // The first description of each end is the pipe's own; others were opened through /proc.
    let reader = pipe.ends.first { accessMode($0) == O_RDONLY }
    let writer = pipe.ends.first { accessMode($0) == O_WRONLY }
    for index in pipe.ends where index != reader && index != writer {
      try reopen(readNumber, as: index)
    }
    if let reader {
      try keep(reader, readEnd).setStatusFlags(snapshot.openFiles[reader].flags & ~UInt32(O_ASYNC))
    }
    if let writer {
      try keep(writer, writeEnd).setStatusFlags(snapshot.openFiles[writer].flags & ~UInt32(O_ASYNC))
    }
  }

  private mutating func openNamed(_ pipe: SavedPipe) throws(Errno) {
    // A pipe that was deleted is there while its ends are opened.
    let path = pipe.state.isDeleted ? try DeletedFiles.makePipe(pipe.path) : pipe.path
    defer { if pipe.state.isDeleted { try? removeName(path) } }
    // While both ends are open here no open(2) of one of them has to wait for the other.
    let both = try FileDescriptor(opening: path, flags: O_RDWR | O_NONBLOCK | O_NOCTTY)
    for index in pipe.ends {
      let flags = snapshot.openFiles[index].flags & (3 | UInt32(O_DIRECT) | pathFlag)
      let number = try keep(
        index,
        FileDescriptor(
          opening: path, flags: Int32(bitPattern: flags) | O_NONBLOCK | O_NOCTTY))
      if accessMode(index) != nil {
        try number.setStatusFlags(snapshot.openFiles[index].flags & ~UInt32(O_ASYNC))
      }
    }
    let number = DescriptorNumber(both.number)
    if !pipe.state.unread.isEmpty, try number.bytesWaiting() > 0 {
      warnings.append(
        "\(pipe.path) has bytes of somebody else in it: the \(pipe.state.unread.count) bytes that "
          + "waited there when it was saved are left out")
    } else {
      try fill(pipe, number)
    }
    // Ours must outlive the filling only: without readers and writers a FIFO forgets its bytes, and
    // the job has its ends now.
    _ = consume both
  }

  private mutating func fill(_ pipe: SavedPipe, _ end: DescriptorNumber) throws(Errno) {
    if pipe.state.capacity > 0 {
      do throws(Errno) {
        try end.setPipeCapacity(pipe.state.capacity)
      } catch {
        warnings.append(
          "\(name(pipe.ends[0])): the pipe's size of \(pipe.state.capacity) bytes is refused here: "
            + "\(error)")
      }
    }
    guard !pipe.state.unread.isEmpty else { return }
    let flags = try end.statusFlags()
    try end.setStatusFlags(flags | UInt32(O_NONBLOCK))
    var rest = pipe.state.unread[...]
    for packet in pipe.state.packets {
      // One that fits into a page was a packet, or at least is read like one.
      let isPacket = packet <= UInt32(hostPageSize)
      try end.setStatusFlags(flags | UInt32(O_NONBLOCK) | (isPacket ? UInt32(O_DIRECT) : 0))
      var piece = rest.prefix(Int(packet))
      rest = rest.dropFirst(piece.count)
      while !piece.isEmpty { piece = piece.dropFirst(try end.write(piece)) }
    }
    while !rest.isEmpty { rest = rest.dropFirst(try end.write(rest)) }
    try end.setStatusFlags(flags)
  }
}
