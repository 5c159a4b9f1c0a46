// SPDX-License-Identifier: Apache-2.0
import Linux

/// Which of the signals that reach cr_restart the restarted program must hear of.
///
/// Decides only. The point is that the program gets each signal once: what a terminal sends goes to
/// a whole process group, and by default the program is in ours.
public struct SignalRelay: Sendable {
  /// The root is in cr_restart's process group.
  public var sharesGroup: Bool

  public init(sharesGroup: Bool) { self.sharesGroup = sharesGroup }

  private static let child: Int32 = 17
  private static let cont: Int32 = 18
  /// Of a fault of our own: SIGILL, SIGTRAP, SIGBUS, SIGFPE, SIGSEGV, SIGSYS with a kernel's code.
  private static let faults: [Int32] = [4, 5, 7, 8, 11, 31]
  private static let fromKernel: Int32 = 128

  /// - Parameters:
  ///   - senderIsInJob: the program itself, or what descends from it, sent it: a signal to its own
  ///     group, or to its parent. It does not want it back.
  ///   - rootIsStopped: the root is in a job-control stop.
  public func hands(
    on signal: SignalQueue.Arrival, senderIsInJob: Bool, rootIsStopped: Bool
  ) -> Bool {
    if signal.number == Self.child || senderIsInJob { return false }
    // A shell's `fg` continues the whole group; the program must not be told twice.
    if signal.number == Self.cont { return rootIsStopped || !sharesGroup }
    if signal.code > 0 && Self.faults.contains(signal.number) { return false }
    return !(sharesGroup && signal.code == Self.fromKernel)
  }

  /// What cr_restart does when the root was stopped by `signal`: the signal that stops cr_restart too,
  /// so that a shell sees its job stop; nil to stay awake.
  ///
  /// After SIGSTOP only in the foreground, where a person waits for the prompt: elsewhere somebody
  /// may send SIGCONT to the program alone, and we would sleep on.
  public static func ownStop(after signal: Int32, isForeground: Bool) -> Int32? {
    switch signal {
    case 20, 21, 22: signal  // SIGTSTP, SIGTTIN, SIGTTOU
    case 19: isForeground ? 20 : nil  // SIGSTOP; as SIGTSTP, which spares an orphaned group
    default: nil
    }
  }
}
