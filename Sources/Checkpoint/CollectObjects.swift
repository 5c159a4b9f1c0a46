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
    refuse(seen, "is \(seen.kernelObjectName)")
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
}
