// SPDX-License-Identifier: Apache-2.0
import Linux

/// Whose turn it is at the terminal, when the restarted job has a process group of its own.
///
/// A shell gives the terminal to cr_restart's group. A job in that group simply shares it; a job with
/// its old group restored, in our session, gets it from us, as from a shell.
struct Foreground {
  private let own: ProcessID
  private let job: ProcessID
  private let terminal: Terminal?

  init(own: ProcessID, job: ProcessID) {
    self.own = own
    self.job = job
    var found: Terminal?
    for descriptor: Int32 in [0, 1, 2] where found == nil {
      guard let terminal = Terminal(descriptor: descriptor),
        (try? terminal.foregroundGroup()) != nil
      else { continue }
      found = terminal
    }
    terminal = found
  }

  /// The terminal is at our group, or at the job's.
  var isOurs: Bool {
    guard let group = try? terminal?.foregroundGroup() else { return false }
    return group == own || group == job
  }

  /// True if the terminal was ours and is the job's now.
  @discardableResult
  func giveToJob() -> Bool { move(from: own, to: job) }

  func takeBack() { _ = move(from: job, to: own) }

  private func move(from: ProcessID, to: ProcessID) -> Bool {
    guard own != job, let terminal, (try? terminal.foregroundGroup()) == from else { return false }
    // Fails for a group of another session, which then has no business with this terminal.
    do throws(Errno) { try terminal.setForegroundGroup(to) } catch { return false }
    return true
  }
}
