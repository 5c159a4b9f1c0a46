// SPDX-License-Identifier: Apache-2.0
import CommandLine
import Linux
import Request

/// `--rootless`, seen from outside: the restart happens in a child, the first process of namespaces of
/// its own. This process stands for it towards whoever started cr_restart, as Supervisor does inside
/// for the restarted root.
struct Keeper {
  private let child: ProcessID
  private let signals: SignalQueue
  private let foreground: Foreground

  /// Goes on inside with the same command line: returns nil there. Outside it returns when all is over.
  ///
  /// The job's user and group (nil: those of ours) are the ones that exist in there; they are ours.
  static func enterRoom(user: UInt32?, group: UInt32?) throws(Failure) -> Int32? {
    ProcessID.keepEndedChildren()
    // From the beginning, so that none is lost between us and the child.
    let signals = SignalQueue(holding: SignalQueue.all(but: 4, 5, 7, 8, 9, 11, 19, 31))
    let child: ProcessID?
    do throws(Room.Fault) { child = try Room.make(user: user, group: group) } catch {
      signals.stop()
      throw Failure(
        error.errno,
        "--rootless: cannot \(error.step): \(error.errno) (does this system let ordinary users "
          + "make user namespaces? see /proc/sys/user/max_user_namespaces, and in a container "
          + "whether /proc is all visible); or use --no-restore-pid")
    }
    guard let child else {
      signals.stop()
      return nil
    }
    let ours = (try? ProcessID.own.group()) ?? .own
    // Where the job has a group of its own the terminal has been given to it in there.
    let keeper = Keeper(
      child: child, signals: signals, foreground: Foreground(own: ours, job: ProcessID(0)))
    return keeper.endAs(keeper.waitForEnd())
  }

  private func waitForEnd() -> WaitStatus {
    var end: WaitStatus?
    var isReady = false
    var waiting: [SignalQueue.Arrival] = []
    while true {
      switch Room.hear(signals) {
      case .signal:
        guard let signal = signals.take(milliseconds: 0) else { continue }
        // SIGHUP, SIGINT, SIGQUIT and SIGTERM call the restart off.
        if isReady || [1, 2, 3, 15].contains(signal.number) {
          hand(on: signal)
        } else {
          waiting.append(signal)
        }
      case .ready:
        isReady = true
        for signal in waiting { hand(on: signal) }
        waiting = []
      case .stopped(let signal): stop(after: signal)
      case .ended(let status): end = status
      case .silence: return end ?? Room.end(of: child)
      }
    }
  }

  /// All but what the terminal, or the job itself, sends to everybody: they have that already.
  private func hand(on signal: SignalQueue.Arrival) {
    let relay = SignalRelay(sharesGroup: true)
    let comes = relay.hands(
      on: signal, senderIsInJob: isBelow(signal.sender), rootIsStopped: true)
    if !comes { return }
    if signal.code == -1 {
      try? child.send(signal.number, value: signal.value)
    } else {
      try? child.send(signal.number)
    }
  }

  private func stop(after signal: Int32) {
    guard let own = SignalRelay.ownStop(after: signal, isForeground: foreground.isOurs) else {
      return
    }
    ProcessID.suffer(own)
  }

  private func endAs(_ status: WaitStatus) -> Int32 {
    switch status.event {
    case .exited(let code): return code
    case .killed(let signal):
      ProcessID.forbidOwnCore()
      ProcessID.suffer(signal)
      return 128 + signal
    case .stopped, .continued: return ExitStatus.success
    }
  }

  private func isBelow(_ sender: ProcessID) -> Bool {
    var process = sender
    while process.rawValue > 1 && process != .own {
      guard let files = try? ProcessFiles(process), let text = try? files.read("stat"),
        let stat = ProcessStat(text)
      else { return false }
      process = stat.parent
    }
    return process == .own && sender != .own
  }
}
