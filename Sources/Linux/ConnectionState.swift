// SPDX-License-Identifier: Apache-2.0
import CLinux

/// What makes one end of a TCP connection go on where it was (TCP_REPAIR), besides its names and what
/// waits to be received.
public struct ConnectionState: Hashable, Sendable {
  /// Of the next byte to be sent by the program and to be received; an end counts as a byte.
  public var sendSequence: UInt32 = 0
  public var receiveSequence: UInt32 = 0
  /// What the other end has not acknowledged; the last `unsent` bytes were never on the way.
  public var queue: [UInt8] = []
  public var unsent: UInt32 = 0
  /// struct tcp_repair_window: snd_wl1, snd_wnd, max_window, rcv_wnd, rcv_wup.
  public var window: [UInt32] = []
  /// What was agreed on at the beginning: bytes in a segment, the scales of both windows, and
  /// TCPI_OPT_*: 1 time stamps, 2 selective acknowledgement, 4 scales.
  public var segmentSize: UInt32 = 0
  public var sendScale: UInt8 = 0
  public var receiveScale: UInt8 = 0
  public var options: UInt8 = 0
  /// TCP_TIMESTAMP.
  public var timestamp: UInt32 = 0

  public init() {}
}

private let tcp: Int32 = 6
/// linux/tcp.h.
private enum Repair {
  static let repair: Int32 = 19
  static let queue: Int32 = 20
  static let sequence: Int32 = 21
  static let options: Int32 = 22
  static let timestamp: Int32 = 24
  static let window: Int32 = 29
  static let receiveQueue: Int32 = 1
  static let sendQueue: Int32 = 2
}

extension DescriptorNumber {
  /// What a connection is like, which nothing may change meanwhile: EAGAIN if something does.
  ///
  /// - Parameter hasEnded: the program has said that it sends nothing more.
  public func connectionState(hasEnded: Bool) throws(Errno) -> ConnectionState {
    let end: UInt32 = hasEnded ? 1 : 0
    var state = ConnectionState()
    // What was acknowledged of a segment in part stands before the rest of it.
    let size = Int(try bytesUnderWay()) + (1 << 17)
    var fields = cr_connection()
    let number = rawValue
    let (_, bytes) = try bytesFilled(count: size) { buffer in
      cr_connection_look(number, &fields, UnsafeMutableRawPointer(bitPattern: buffer), size)
    }
    let isEndUnsent = hasEnded && fields.unsent > 0
    // An end that was acknowledged is behind everything that is counted.
    let waiting = fields.unacknowledged > 0 ? fields.unacknowledged - end : 0
    guard fields.queued >= waiting, fields.queued < size else { throw .tryAgain }
    state.queue = Array(bytes[Int(fields.queued - waiting) ..< Int(fields.queued)])
    state.unsent = fields.unsent - (isEndUnsent ? 1 : 0)
    guard state.unsent <= waiting else { throw .tryAgain }
    state.sendSequence = fields.send_sequence &- end
    state.receiveSequence = fields.receive_sequence
    state.window = withUnsafeBytes(of: fields.window) { words in
      (0 ..< 5).map { words.loadUnaligned(fromByteOffset: 4 * $0, as: UInt32.self) }
    }
    state.segmentSize = fields.segment_size
    state.timestamp = fields.timestamp
    // struct tcp_info: state, …, options at 5, both scales at 6 (the lower half is the sender's).
    let information = try option(tcp, 11, count: 104)
    guard information.count > 7 else { throw .invalid }
    state.options = information[5]
    let scales = information.native(UInt8.self, at: 6)
    (state.sendScale, state.receiveScale) = (scales & 15, scales >> 4)
    return state
  }

  /// Nothing is sent any more, not even when it is closed. EPERM without CAP_NET_ADMIN.
  public func beginRepair() throws(Errno) { try setOption(tcp, Repair.repair, 1) }

  /// Works again; asks the other end where it stands.
  public func endRepair(reusingAddress: Bool) throws(Errno) {
    try checked(cr_connection_end_repair(rawValue, 1, reusingAddress ? 1 : 0))
  }

  /// Of a new socket in repair: where both directions go on, before it is connected.
  public func setSequences(_ state: ConnectionState, unread: Int) throws(Errno) {
    try setOption(tcp, Repair.queue, Repair.sendQueue)
    try setWord(Repair.sequence, state.sendSequence &- UInt32(state.queue.count))
    try setOption(tcp, Repair.queue, Repair.receiveQueue)
    try setWord(Repair.sequence, state.receiveSequence &- UInt32(unread))
  }

  /// When it is connected, which nobody hears of.
  public func setAgreements(_ state: ConnectionState) throws(Errno) {
    // struct tcp_repair_opt by TCPOPT_*: 2 size, 3 scales, 4 selective acknowledgement, 8 time stamps.
    var options: [UInt32] = [2, state.segmentSize]
    if state.options & 4 != 0 {
      options += [3, UInt32(state.sendScale) | UInt32(state.receiveScale) << 16]
    }
    if state.options & 2 != 0 { options += [4, 0] }
    if state.options & 1 != 0 { options += [8, 0] }
    try setOption(tcp, Repair.options, options.flatMap { word in withUnsafeBytes(of: word) { Array($0) } })
    if state.options & 1 != 0 { try setWord(Repair.timestamp, state.timestamp) }
  }

  /// Bytes that were received and not read, or sent and not acknowledged.
  public func fillQueue(receiving: Bool, _ bytes: ArraySlice<UInt8>) throws(Errno) {
    try setOption(tcp, Repair.queue, receiving ? Repair.receiveQueue : Repair.sendQueue)
    var rest = bytes
    while !rest.isEmpty { rest = rest.dropFirst(try send(rest.prefix(1 << 16))) }
  }

  public func setWindow(_ state: ConnectionState) throws(Errno) {
    try setOption(
      tcp, Repair.window, state.window.flatMap { word in withUnsafeBytes(of: word) { Array($0) } })
  }

  private func setWord(_ name: Int32, _ value: UInt32) throws(Errno) {
    try setOption(tcp, name, Int32(bitPattern: value))
  }
}
