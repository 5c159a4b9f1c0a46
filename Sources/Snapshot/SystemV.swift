// SPDX-License-Identifier: Apache-2.0
import Linux

/// System V IPC objects of the job (sysvipc(7)).
public struct SystemV: Sendable {
  public var segments: [Segment] = []
  public var semaphoreSets: [SemaphoreSet] = []
  public var messageQueues: [MessageQueue] = []

  public init() {}

  public var isEmpty: Bool {
    segments.isEmpty && semaphoreSets.isEmpty && messageQueues.isEmpty
  }

  /// What the three kinds have in common.
  public struct Identity: Sendable {
    public var id: Int32
    /// 0 is IPC_PRIVATE.
    public var key: Int32
    public var user: UInt32
    public var group: UInt32
    public var creatingUser: UInt32
    /// Permissions.
    public var mode: UInt32

    public init(id: Int32, key: Int32) {
      self.id = id
      self.key = key
      user = 0
      group = 0
      creatingUser = 0
      mode = 0
    }

    public init(_ entry: SystemVEntry) {
      self.init(id: entry.id, key: entry.key)
      user = entry.user
      group = entry.group
      creatingUser = entry.creatingUser
      mode = entry.mode & 0o777
    }
  }

  public struct Segment: Sendable {
    public var identity: Identity
    /// Index into `Snapshot.sharedMemories`, where its size and contents are.
    public var memory: Int
    public var creator: ProcessID
    /// IPC_RMID was asked for: it goes with its last attachment.
    public var isRemoved = false
    /// SHM_LOCK.
    public var isLocked = false

    public init(_ identity: Identity, memory: Int, creator: ProcessID) {
      self.identity = identity
      self.memory = memory
      self.creator = creator
    }
  }

  public struct SemaphoreSet: Sendable {
    public var identity: Identity
    public var semaphores: [Semaphore]
    /// What is to be undone at the end of processes (SEM_UNDO); none that is 0.
    public var adjustments: [Adjustment]

    public init(_ identity: Identity) {
      self.identity = identity
      semaphores = []
      adjustments = []
    }
  }

  public struct Semaphore: Sendable {
    public var value: UInt16
    /// Who operated on it last; 0 for nobody.
    public var lastProcess: ProcessID

    public init(value: UInt16, lastProcess: ProcessID) {
      self.value = value
      self.lastProcess = lastProcess
    }
  }

  /// Added to a semaphore when the process ends.
  public struct Adjustment: Sendable {
    public var process: ProcessID
    public var semaphore: UInt32
    public var value: Int32

    public init(process: ProcessID, semaphore: UInt32, value: Int32) {
      self.process = process
      self.semaphore = semaphore
      self.value = value
    }
  }

  public struct MessageQueue: Sendable {
    public var identity: Identity
    /// Bytes that it may hold (msg_qbytes).
    public var capacity: UInt64
    public var lastSender: ProcessID
    public var lastReceiver: ProcessID
    /// The oldest first.
    public var messages: [Message]

    public init(_ identity: Identity) {
      self.identity = identity
      capacity = 0
      lastSender = ProcessID(0)
      lastReceiver = ProcessID(0)
      messages = []
    }
  }

  public struct Message: Sendable {
    public var type: Int64
    public var bytes: [UInt8]

    public init(type: Int64, bytes: [UInt8]) {
      self.type = type
      self.bytes = bytes
    }
  }
}
