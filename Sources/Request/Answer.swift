// SPDX-License-Identifier: Apache-2.0
import Linux

/// What a checkpoint did.
public struct CheckpointResult: Sendable {
  /// The saved processes, the root first.
  public var processes: [ProcessID]
  /// Threads of all of them.
  public var threads: Int
  /// Size of the context file in bytes.
  public var bytes: UInt64
  /// How long the processes stood still, in nanoseconds.
  public var pause: UInt64
  /// What was left out or may differ after a restart.
  public var warnings: [ByteString]

  public init(processes: [ProcessID]) {
    self.processes = processes
    threads = 0
    bytes = 0
    pause = 0
    warnings = []
  }
}

/// What a restart made.
public struct RestartedJob: Sendable {
  /// A process of the context file and what it is now.
  public struct Member: Sendable {
    /// Its pid when it was saved.
    public var saved: ProcessID
    /// Its pid now; the same where ids are restored.
    public var id: ProcessID

    public init(saved: ProcessID, id: ProcessID) {
      self.saved = saved
      self.id = id
    }
  }

  /// The root's pid now; a child of the process that restarted it.
  public var root: ProcessID
  /// All of them, the root first. Those whose parent is not in the job are our children too.
  public var members: [Member]
  /// What may differ from before.
  public var warnings: [ByteString]
  /// Of a lazy restart: until it is closed, only memory that is touched is loaded.
  public var leash: DescriptorNumber?

  public init(root: ProcessID, members: [Member]) {
    self.root = root
    self.members = members
    warnings = []
  }
}
