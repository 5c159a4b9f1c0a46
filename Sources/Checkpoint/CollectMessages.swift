// SPDX-License-Identifier: Apache-2.0
import CLinux
import Linux
import Request
import Snapshot

/// Descriptors that are under way in sockets of the job (SCM_RIGHTS). To look at a message is to be
/// given its descriptors; they stay open until everything behind them is saved.
final class DescriptorsUnderWay {
  private var numbers: [Int32] = []

  deinit { for number in numbers { DescriptorNumber(number).close() } }

  func keep(_ number: Int32) { numbers.append(number) }
}

extension Collector {
  /// What waits in UNIX sockets, and what travels with it: that may be a socket, with more in it.
  mutating func collectMessages() throws(Failure) {
    var next = 0
    while next < sockets.count {
      let object = sockets[next]
      next += 1
      guard case .socket(var socket) = snapshot.openFiles[object.index].kind else { continue }
      let messages: [WaitingMessage]
      do throws(Errno) {
        let own = try ProcessHandle(object.seen.reach).descriptor(object.seen.number)
        guard let waiting = try socket.messagesWaiting(in: DescriptorNumber(own.number)) else {
          refuse(
            object.seen, "is a socket with urgent data that was not read yet", dropping: object.index)
          continue
        }
        messages = waiting
      } catch {
        throw Failure("read socket \(object.seen.number)", object.seen.process, error)
      }
      for message in messages { socket.messages.append(try saved(message, in: object)) }
      snapshot.openFiles[object.index].kind = .socket(socket)
    }
  }

  private mutating func saved(
    _ message: WaitingMessage, in socket: SeenObject
  ) throws(Failure) -> SocketMessage {
    var saved = SocketMessage(bytes: message.bytes, sender: message.sender)
    saved.credentials = message.credentials
    for number in message.descriptors { underWay.keep(number) }
    if message.lacksDescriptors {
      refuse(
        socket.seen,
        "is a socket in which more descriptors are under way than cr_checkpoint may have open "
          + "(ulimit -n)", dropping: socket.index, isFinal: true)
    }
    for number in message.descriptors {
      if let index = try openFileUnderWay(number, in: socket.seen) { saved.descriptors.append(index) }
    }
    return saved
  }

  /// Index of the description; nil for one that cannot be saved. It may be one that the job has open
  /// as well, or be nowhere else.
  private mutating func openFileUnderWay(
    _ number: Int32, in socket: SeenDescriptor
  ) throws(Failure) -> Int? {
    let files = try reading("descriptor table", of: .own) { () throws(Errno) in
      try ProcessFiles(.own)
    }
    let handle = try reading("descriptor table", of: .own) { () throws(Errno) in
      try ProcessHandle(.own)
    }
    let text = try files.text("fdinfo/\(number)", of: .own)
    var seen = SeenDescriptor(
      process: .own, reach: .own, processName: socket.processName, number: number,
      target: try files.target("fd/\(number)", of: .own), info: DescriptorInfo(text), text: text,
      status: try reading("descriptor table", of: .own) { () throws(Errno) in
        try files.status(of: "fd/\(number)")
      })
    seen.carrier = socket.name
    guard let index = try openFile(seen, handle) else { return nil }
    if seen.info.locks.contains(where: { $0.kind != .posix }), !lockedFiles.contains(index) {
      refuse(
        seen, "is a file with a lock or lease that no process of the job has open (\(seen.target))",
        dropping: index, isFinal: true)
    }
    return index
  }
}

extension Socket {
  /// nil if a part of it cannot be seen.
  fileprivate func messagesWaiting(in number: DescriptorNumber) throws(Errno) -> [WaitingMessage]? {
    // SO_ACCEPTCONN: a listening one has none.
    if try number.intOption(SOL_SOCKET, SO_ACCEPTCONN) != 0 { return [] }
    if !isStream { return try number.peekEach() }
    let count = Int(try number.bytesWaiting())
    if count == 0 { return [] }
    let messages = try number.peekStream(count)
    return messages.reduce(0) { $0 + $1.bytes.count } == count ? messages : nil
  }
}

extension DescriptorNumber {
  /// The messages one by one: with SO_PEEK_OFF each look goes on behind the one before. The option
  /// is put back; it is touched only where there is something to look at.
  func peekEach() throws(Errno) -> [WaitingMessage] {
    let events = try pollEvents()
    guard events & POLLIN != 0 else { return [] }
    // POLLRDHUP: behind the last packet there is the end, which looks like an empty one.
    let total = events & 0x2000 != 0 ? Int(try bytesWaiting()) : nil
    return try fromPeekOffset { () throws(Errno) in
      var messages: [WaitingMessage] = []
      var seen = 0
      while var message = try peek(4 << 20, packets: true) {
        if message.bytes.isEmpty, let total, seen >= total { break }
        seen += message.bytes.count
        message.bytes = Array(message.bytes[...])
        messages.append(message)
        // Nothing was skipped by an empty message: it could be seen again and again.
        if messages.count > 1 << 16 { throw .overflow }
      }
      return messages
    }
  }

  /// A stream in pieces: what travels with descriptors begins one, since whoever reads a byte of it is
  /// given them; and so does what tells another sender.
  fileprivate func peekStream(_ count: Int) throws(Errno) -> [WaitingMessage] {
    try fromPeekOffset { () throws(Errno) in
      var pieces: [WaitingMessage] = []
      var done = 0
      while done < count {
        try setOption(SOL_SOCKET, SO_PEEK_OFF, Int32(clamping: done))
        guard var piece = try peek(count - done, packets: false), !piece.bytes.isEmpty else { break }
        done += piece.bytes.count
        if !piece.descriptors.isEmpty || piece.lacksDescriptors {
          // A look ends behind what has descriptors, but may have begun before.
          let plain = try bytesBeforeDescriptors(in: piece.bytes.count, at: done - piece.bytes.count)
          if plain > 0 {
            var before = piece
            before.bytes = Array(piece.bytes[..<plain])
            before.descriptors = []
            before.lacksDescriptors = false
            pieces.append(before)
          }
          piece.bytes = Array(piece.bytes[plain...])
        }
        pieces.append(piece)
      }
      return pieces
    }
  }

  /// How much of what a look from `start` on has given stands before the message with descriptors,
  /// which is its end.
  private func bytesBeforeDescriptors(in count: Int, at start: Int) throws(Errno) -> Int {
    try setOption(SOL_SOCKET, SO_PEEK_OFF, Int32(clamping: start))
    // A look for fewer bytes is given those descriptors too, though it does not get as far.
    return try bytesOfWholeMessages(below: count)
  }

  private func fromPeekOffset(
    _ body: () throws(Errno) -> [WaitingMessage]
  ) throws(Errno) -> [WaitingMessage] {
    let offset = try intOption(SOL_SOCKET, SO_PEEK_OFF)
    try setOption(SOL_SOCKET, SO_PEEK_OFF, 0)
    defer { try? setOption(SOL_SOCKET, SO_PEEK_OFF, offset) }
    return try body()
  }
}
