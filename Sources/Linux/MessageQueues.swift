// SPDX-License-Identifier: Apache-2.0
import CLinux

/// A POSIX message queue as it is at the moment (mq_getattr(3)).
public struct QueueState: Sendable {
  /// mq_maxmsg, mq_msgsize, mq_curmsgs.
  public var capacity: UInt64
  public var messageSize: UInt64
  public var count: UInt64

  public init(capacity: UInt64, messageSize: UInt64, count: UInt64 = 0) {
    self.capacity = capacity
    self.messageSize = messageSize
    self.count = count
  }

  fileprivate var fields: cr_queue {
    cr_queue(capacity: capacity, message_size: messageSize, count: count)
  }
}

/// Who is to hear of a message in an empty queue (mq_notify(3)), as the queue itself tells it.
public struct QueueNotification: Sendable {
  /// Nobody: 0.
  public var process = ProcessID(0)
  /// SIGEV_SIGNAL 0, SIGEV_NONE 1, SIGEV_THREAD 2.
  public var kind: Int32 = 0
  public var signal: Int32 = 0

  /// `QSIZE:129 NOTIFY:2 SIGNO:0 NOTIFY_PID:8260`
  public init(_ text: [UInt8]) {
    var scanner = TextScanner(text)
    while !scanner.isAtEnd {
      scanner.skipBlanks()
      if scanner.skip("NOTIFY:") {
        kind = Int32(truncatingIfNeeded: scanner.signedNumber())
      } else if scanner.skip("SIGNO:") {
        signal = Int32(truncatingIfNeeded: scanner.signedNumber())
      } else if scanner.skip("NOTIFY_PID:") {
        process = ProcessID(Int32(truncatingIfNeeded: scanner.signedNumber()))
      } else {
        _ = scanner.word()
        if scanner.next == UInt8(ascii: "\n") { scanner.skipLine() }
      }
    }
  }
}

extension KernelObjects {
  /// mq_open(2) of a name without a slash, never waiting.
  public static func queue(
    _ name: ByteString, flags: Int32, mode: UInt32 = 0, like state: QueueState? = nil
  ) throws(Errno) -> FileDescriptor {
    var fields = (state ?? QueueState(capacity: 0, messageSize: 0)).fields
    return try made(name.withCString { cr_queue_open($0, flags, mode, &fields) })
  }

  /// mq_unlink(2).
  public static func unlinkQueue(_ name: ByteString) throws(Errno) {
    try checked(name.withCString { cr_queue_unlink($0) })
  }
}

extension DescriptorNumber {
  public func queueState() throws(Errno) -> QueueState {
    var fields = cr_queue()
    try checked(cr_queue_state(rawValue, &fields))
    return QueueState(
      capacity: fields.capacity, messageSize: fields.message_size, count: fields.count)
  }

  /// The messages of a queue, in the order in which they are received. The kernel lets nobody look:
  /// they are taken out and put in again. This description must not wait.
  public func queuedMessages(_ state: QueueState) throws(Errno) -> [(priority: UInt32, bytes: [UInt8])] {
    if state.count == 0 { return [] }
    let step = 8 + Int(state.messageSize)
    let number = rawValue
    let (count, records) = try bytesFilled(count: step * Int(state.count)) { buffer in
      cr_queue_look(
        number, state.messageSize, state.count, UnsafeMutableRawPointer(bitPattern: buffer),
        step * Int(state.count))
    }
    return (0 ..< count).map { place in
      let start = place * step
      let size = Int(records.native(UInt32.self, at: start + 4))
      return (
        records.native(UInt32.self, at: start),
        Array(records[(start + 8) ..< (start + 8 + min(size, Int(state.messageSize)))])
      )
    }
  }

  public func sendToQueue(_ bytes: [UInt8], priority: UInt32) throws(Errno) {
    let number = rawValue
    try checked(bytes.withUnsafeBytes { cr_queue_send(number, priority, $0.baseAddress, $0.count) })
  }

  /// Takes everything out.
  public func emptyQueue() throws(Errno) {
    let state = try queueState()
    while true {
      let result = cr_queue_drop(rawValue, state.messageSize)
      if result == -Int(EAGAIN) { return }
      try checked(result)
    }
  }
}
