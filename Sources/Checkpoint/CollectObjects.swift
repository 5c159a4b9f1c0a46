// SPDX-License-Identifier: Apache-2.0
import CLinux
import Linux
import Request
import Snapshot

extension Collector {
  /// An object of the kernel that no path leads to; nil for one that cannot be saved.
  mutating func kernelObject(
    _ seen: SeenDescriptor, _ handle: borrowing ProcessHandle, _ index: Int
  ) throws(Failure) -> OpenFile.Kind? {
    if seen.target == "anon_inode:[eventfd]" { return eventCounter(seen) }
    if seen.target == "anon_inode:[timerfd]" { return try timer(seen, handle) }
    if seen.target == "anon_inode:[signalfd]" {
      return .signals(mask: TextScanner.signalMask(in: seen.text))
    }
    if seen.target == "anon_inode:[eventpoll]" {
      epolls.append(SeenObject(seen: seen, index: index))
      return .epoll([])
    }
    if seen.target == "anon_inode:inotify" {
      watchers.append(SeenObject(seen: seen, index: index))
      return .watches([])
    }
    if seen.target == "anon_inode:[pidfd]" {
      processHandles.append(SeenObject(seen: seen, index: index))
      return .process(ProcessID(0))
    }
    let refusal = seen.refusal
    refuse(seen, refusal.words, isFinal: refusal.isFinal)
    return nil
  }

  private mutating func eventCounter(_ seen: SeenDescriptor) -> OpenFile.Kind {
    let info = EventCounterInfo(seen.text)
    if info.isSemaphore == nil {
      warnings.append(
        "\(seen.name) is an eventfd, of which this kernel (before 6.5) does not tell whether it is a "
          + "semaphore: after a restart it is none")
    }
    return .eventCounter(EventCounter(count: info.count, isSemaphore: info.isSemaphore ?? false))
  }

  private func timer(
    _ seen: SeenDescriptor, _ handle: borrowing ProcessHandle
  ) throws(Failure) -> OpenFile.Kind {
    let own = try reading("timer", of: seen.process) { () throws(Errno) in
      try handle.descriptor(seen.number)
    }
    var info = TimerInfo(seen.text)
    // Twice: one that runs out at this very moment shows neither time nor expiration.
    for _ in 0 ..< 2 {
      try reading("timer", of: seen.process) { () throws(Errno) in try own.updateTimer() }
      let files = try reading("timer", of: seen.process) { () throws(Errno) in
        try ProcessFiles(seen.reach)
      }
      info = TimerInfo(try files.text("fdinfo/\(seen.number)", of: seen.process))
      if info.remaining != 0 || info.expirations != 0 { break }
    }
    var timer = TimerFile(clock: info.clock)
    timer.settings = info.settings
    timer.remaining = info.remaining
    timer.interval = info.interval
    timer.expirations = info.expirations
    timer.now = Clock(ofTimers: info.clock)?.reading ?? 0
    return .timer(timer)
  }
}
