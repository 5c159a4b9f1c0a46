// SPDX-License-Identifier: Apache-2.0
import Linux

/// A socket; addresses are `struct sockaddr` of the machine it was on.
public struct Socket: Sendable {
  public enum State: UInt32, Sendable {
    /// Neither connected nor listening.
    case idle = 0
    case connected = 1
    case listening = 2
  }

  /// AF_*, SOCK_*, IPPROTO_*.
  public var family: Int32
  public var type: Int32
  public var protocolNumber: Int32
  /// For people.
  public var inode: UInt64
  public var state: State
  /// getsockname(2); empty if it has no name.
  public var address: [UInt8]
  /// getpeername(2) of a connected one of another family than AF_UNIX.
  public var peerAddress: [UInt8]
  /// Where the file is that an AF_UNIX socket is bound to; its owner and mode.
  public var path: ByteString
  public var mode: UInt32
  public var user: UInt32
  public var group: UInt32
  /// That file was deleted.
  public var isNameGone: Bool
  /// listen(2).
  public var backlog: UInt32
  /// Bits: 1 nothing more is received, 2 nothing more is sent; of TCP, where 1 is what the other end
  /// has said, 4 for what the program itself does not want to receive any more.
  public var shutdown: UInt32
  /// Of AF_UNIX, indexes into `Snapshot.openFiles`: the other end, and sockets whose connections
  /// wait to be accepted by this one.
  public var peer: Int?
  public var waiting: [Int]
  /// The other end was closed; `hasError`: the program is still to hear that it was broken off.
  public var isPeerGone: Bool
  public var hasError: Bool
  /// What was not received yet; of a stream all in one, but that what travels with descriptors or
  /// tells another sender begins a new one.
  public var messages: [SocketMessage]
  public var options: [SocketOption]
  /// A TCP connection that was broken off, or is given up now.
  public var isReset = false
  /// Of a TCP socket that is being connected and has no answer yet: to whom (`struct sockaddr`).
  public var target: [UInt8] = []
  /// Of a TCP connection to the outside that goes on (`--tcp-established`).
  public var connection: ConnectionState?

  public init(family: Int32, type: Int32, protocolNumber: Int32, inode: UInt64) {
    self.family = family
    self.type = type
    self.protocolNumber = protocolNumber
    self.inode = inode
    state = .idle
    address = []
    peerAddress = []
    path = ""
    mode = 0
    user = 0
    group = 0
    isNameGone = false
    backlog = 0
    shutdown = 0
    waiting = []
    isPeerGone = false
    hasError = false
    messages = []
    options = []
  }

  /// SOCK_STREAM: no boundaries between messages.
  public var isStream: Bool { type == 1 }
  /// SOCK_DGRAM.
  public var isDatagram: Bool { type == 2 }
  /// Bytes that were not received yet.
  public var unread: Int { messages.reduce(0) { $0 + $1.bytes.count } }
}

/// One message in a socket, and who sent it (`struct sockaddr`, or empty).
public struct SocketMessage: Sendable {
  public var bytes: [UInt8]
  public var sender: [UInt8]
  /// What travels with its first byte (SCM_RIGHTS): indexes into `Snapshot.openFiles`.
  public var descriptors: [Int] = []
  /// Who has sent it, where the socket tells that (SO_PASSCRED).
  public var credentials: MessageCredentials?

  public init(bytes: [UInt8], sender: [UInt8]) {
    self.bytes = bytes
    self.sender = sender
  }
}

/// getsockopt(2), as the machine had it.
public struct SocketOption: Sendable {
  public var level: Int32
  public var name: Int32
  public var value: [UInt8]

  public init(level: Int32, name: Int32, value: [UInt8]) {
    self.level = level
    self.name = name
    self.value = value
  }
}
