// SPDX-License-Identifier: Apache-2.0
import CLinux

/// How a child ended, stopped or went on, as wait4(2) tells it.
public struct WaitStatus: Sendable {
  public enum Event: Sendable {
    case exited(Int32)
    case killed(signal: Int32)
    case stopped(signal: Int32)
    case continued
  }

  public var rawValue: Int32
  public init(rawValue: Int32) { self.rawValue = rawValue }

  public var event: Event {
    if cr_status_exited(rawValue) != 0 { return .exited(cr_status_exit_code(rawValue)) }
    if cr_status_continued(rawValue) != 0 { return .continued }
    let stop = cr_status_stop_signal(rawValue)
    return stop != 0 ? .stopped(signal: stop) : .killed(signal: cr_status_signal(rawValue))
  }

  /// The next event of a child (of any, for nil) that has not been told yet; nil if there is none now.
  ///
  /// An ended child is gone afterwards. ECHILD when there is no such child.
  public static func poll(
    _ process: ProcessID?
  ) throws(Errno) -> (process: ProcessID, status: WaitStatus)? {
    var status: Int32 = 0
    let found = try checked(Int(cr_poll_child(process?.rawValue ?? -1, &status)))
    return found == 0 ? nil : (ProcessID(Int32(found)), WaitStatus(rawValue: status))
  }
}
