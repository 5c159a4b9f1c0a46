// SPDX-License-Identifier: Apache-2.0
import Architecture
import Linux

/// A still process tree as plain values: everything but the contents of memory, which is streamed.
///
/// Collecting makes one, the context file is one written down, restoring is a function of one.
public struct Snapshot: Sendable {
  public var job: Job
  /// The root first, every process after its parent.
  public var processes: [Process]
  /// Open file descriptions (open(2)), each once however many descriptors refer to it.
  public var openFiles: [OpenFile]
  /// Shared memory that is not an ordinary file on disk, and deleted files that are mapped.
  public var sharedMemories: [SharedMemory]
  public var systemV = SystemV()

  public init(job: Job) {
    self.job = job
    processes = []
    openFiles = []
    sharedMemories = []
  }
}

/// When, where and how the snapshot was made.
public struct Job: Sendable {
  /// `CR_SCOPE_*` of libcr.h: 0 process, 1 group, 2 session, 3 tree.
  public var scope: UInt32
  /// The id that was asked for.
  public var target: Int32
  public var requester: ProcessID
  /// Seconds and nanoseconds since 1970 (CLOCK_REALTIME) when the targets stood still.
  public var time: TimeValue
  /// CLOCK_MONOTONIC and CLOCK_BOOTTIME at the same moment.
  public var monotonic: TimeValue
  public var bootTime: TimeValue
  public var host: ByteString
  public var kernelRelease: ByteString
  public var kernelVersion: ByteString
  /// Words of uname(2)'s machine, for people.
  public var machineName: ByteString
  public var toolVersion: ByteString
  /// What was left out or may differ after a restart, in words.
  public var warnings: [ByteString]

  public init(scope: UInt32, target: Int32, requester: ProcessID) {
    self.scope = scope
    self.target = target
    self.requester = requester
    time = TimeValue()
    monotonic = TimeValue()
    bootTime = TimeValue()
    host = ""
    kernelRelease = ""
    kernelVersion = ""
    machineName = ""
    toolVersion = ""
    warnings = []
  }
}

/// Seconds and nanoseconds, as `struct timespec`.
public struct TimeValue: Hashable, Sendable {
  public var seconds: Int64
  public var nanoseconds: Int64

  public init(seconds: Int64 = 0, nanoseconds: Int64 = 0) {
    self.seconds = seconds
    self.nanoseconds = nanoseconds
  }
}
