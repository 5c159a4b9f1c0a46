// SPDX-License-Identifier: Apache-2.0
import Linux
import Request

/// What the kernel tells of a process that stands still without the process being asked: /proc and
/// calls of our own. With many threads it is looked at while the engine asks them.
struct OutsideView {
  /// Of one thread.
  struct ThreadView {
    var status: ProcessStatus
    var scheduling: SchedulingAttributes
    var ioPriority: UInt32
    var robustList: (head: UInt64, length: UInt64)
    /// nil: this asks for CAP_SYS_NICE.
    var timerSlack: UInt64?
    /// It has left its process's descriptor table; its working directory and umask.
    var hasOwnFiles: Bool
    var hasOwnDirectories: Bool
  }

  /// In the order that was asked for.
  var threads: [ThreadView] = []
  /// smaps; empty where the memory is another process's as well.
  var regions: [MappedRegion] = []

  /// - Parameter reach: a thread of it, if its main thread has ended.
  init(
    of process: ProcessID, by reach: ProcessID, _ threads: [ThreadID], withMemory: Bool
  ) throws(Failure) {
    if withMemory {
      let text = try reading("memory map", of: process) { () throws(Errno) in
        try ProcessFiles(reach).read("smaps", expecting: 1 << 16)
      }
      regions = MappedRegion.parse(text)
    }
    self.threads.reserveCapacity(threads.count)
    for thread in threads {
      let view = try reading("thread state", of: process) { () throws(Errno) in
        try ThreadView(of: thread, process, by: reach.leader)
      }
      self.threads.append(view)
    }
  }

  /// From this many threads on, another thread of ours is worth its start.
  static let manyThreads = 8
}

extension OutsideView.ThreadView {
  init(of thread: ThreadID, _ process: ProcessID, by speaker: ThreadID) throws(Errno) {
    status = ProcessStatus(
      try FileDescriptor(
        opening: "/proc/\(process)/task/\(thread)/status", flags: 0
      ).readToEnd())
    scheduling = try SchedulingAttributes(of: thread)
    ioPriority = try Linux.ioPriority(of: thread)
    let list = try Linux.robustList(of: thread)
    robustList = (list.head, list.length)
    // No task directory has this file, but /proc/TID leads to the thread as well.
    let slack = try? FileDescriptor(
      opening: "/proc/\(thread)/timerslack_ns", flags: 0
    ).readToEnd()
    timerSlack = slack.map {
      var scanner = TextScanner($0)
      return scanner.number()
    }
    hasOwnFiles = Self.differs(.files, thread, speaker)
    hasOwnDirectories = Self.differs(.directories, thread, speaker)
  }

  /// A thread may leave its process's descriptor table or directories (unshare(2)).
  private static func differs(_ thing: Kcmp.Thing, _ thread: ThreadID, _ speaker: ThreadID) -> Bool {
    if thread == speaker { return false }
    guard let order = try? Kcmp.order(thing, speaker, thread) else { return false }
    return order != .equal
  }
}
