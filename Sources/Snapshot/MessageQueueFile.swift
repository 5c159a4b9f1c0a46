// SPDX-License-Identifier: Apache-2.0
import Linux

/// A POSIX message queue that is open: mq_overview(7).
public struct MessageQueueFile: Sendable {
  /// Without its slash.
  public var name: ByteString
  public var isUnlinked: Bool
  public var inode: UInt64
  public var mode: UInt32
  public var user: UInt32
  public var group: UInt32
  public var state: QueueState
  /// By whom and how a message is to be heard of.
  public var notified: ProcessID
  public var notification: Int32
  public var signal: Int32
  /// In the order in which they will be received; with the first description of a queue only.
  public var messages: [Message]

  public struct Message: Sendable {
    public var priority: UInt32
    public var bytes: [UInt8]

    public init(priority: UInt32, bytes: [UInt8]) {
      self.priority = priority
      self.bytes = bytes
    }
  }

  public init(name: ByteString, inode: UInt64) {
    self.name = name
    isUnlinked = false
    self.inode = inode
    mode = 0o600
    user = 0
    group = 0
    state = QueueState(capacity: 0, messageSize: 0)
    notified = ProcessID(0)
    notification = 0
    signal = 0
    messages = []
  }
}
