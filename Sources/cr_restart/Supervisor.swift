// SPDX-License-Identifier: Apache-2.0
import CommandLine
import Linux
import Request

/// Stands in for the restarted root towards whoever started cr_restart: hands signals on, stops when
/// it stops, and ends as it ends.
///
/// Deliberately not a child subreaper: a process whose parent in the job ends must find itself below
/// init (or whatever takes orphans here), as it would have without us.
struct Supervisor {
  let signals: SignalQueue
  private let root: ProcessID
  private let rootGroup: ProcessID
  private let relay: SignalRelay
  private let foreground: Foreground

  /// Takes over all signals that can be taken.
  init(_ job: RestartedJob) {
    // SIGKILL and SIGSTOP cannot be; the thread's own faults must not be.
    signals = SignalQueue(holding: SignalQueue.all(but: 4, 5, 7, 8, 9, 11, 19, 31))
    root = job.root
    let ours = (try? ProcessID.own.group()) ?? .own
    rootGroup = (try? job.root.group()) ?? ours
    relay = SignalRelay(sharesGroup: rootGroup == ours)
    foreground = Foreground(own: ours, job: rootGroup)
  }

  /// Returns when the root has ended. Other children of ours, the job's orphans, are waited for too.
  func waitForEnd() -> WaitStatus {
    foreground.giveToJob()
    if let early = Interrupt.signal {
      hand(on: SignalQueue.Arrival(number: early, code: 0, sender: ProcessID(0)))
    }
    while true {
      if let end = handleChildren() { return end }
      guard let signal = signals.take() else { continue }
      if relay.hands(
        on: signal, senderIsInJob: isInJob(signal.sender), rootIsStopped: rootState == UInt8(ascii: "T"))
      {
        hand(on: signal)
      }
    }
  }

  /// Ends this process as the root ended: returns an exit status, or does not return.
  func endAs(_ status: WaitStatus) -> Int32 {
    foreground.takeBack()
    if Room.isInside {
      Room.tellEnded(status)
      Room.linger(ExitStatus.success)
    }
    switch status.event {
    case .exited(let code): return code
    case .killed(let signal):
      ProcessID.forbidOwnCore()
      ProcessID.suffer(signal)
      return 128 + signal
    case .stopped, .continued: return ExitStatus.success
    }
  }

  private func handleChildren() -> WaitStatus? {
    while let (process, status) = (try? WaitStatus.poll(nil)) ?? nil {
      guard process == root else { continue }
      switch status.event {
      case .exited, .killed: return status
      case .stopped(let signal): stop(after: signal)
      case .continued: break
      }
    }
    return nil
  }

  /// The root was stopped: the shell must see that we are.
  private func stop(after signal: Int32) {
    // A job of its own group that read from the terminal before it had it.
    if signal == 21 || signal == 22, foreground.giveToJob() {
      try? ProcessID(-rootGroup.rawValue).send(18)
      return
    }
    if Room.isInside {
      // The first process of a pid namespace cannot be stopped; whoever stands outside can.
      Room.tellStopped(by: signal)
      return
    }
    guard let own = SignalRelay.ownStop(after: signal, isForeground: foreground.isOurs) else {
      return
    }
    foreground.takeBack()
    ProcessID.suffer(own)
    // Continued. The SIGCONT itself waits in the queue and is handed on from there.
    foreground.giveToJob()
  }

  private func hand(on signal: SignalQueue.Arrival) {
    // The root may just have ended: then there is nobody to be told.
    if signal.code == -1 {
      try? root.send(signal.number, value: signal.value)
    } else if signal.number == 18 && !relay.sharesGroup {
      try? ProcessID(-rootGroup.rawValue).send(signal.number)
    } else {
      try? root.send(signal.number)
    }
  }

  private var rootState: UInt8 { stat(of: root)?.state ?? 0 }

  private func isInJob(_ sender: ProcessID) -> Bool {
    var process = sender
    // The chain of parents ends at init, or at 0 for the kernel and other pid namespaces.
    while process.rawValue > 1 && process != .own {
      guard let parent = stat(of: process)?.parent else { return false }
      process = parent
    }
    return process == .own && sender != .own
  }

  private func stat(of process: ProcessID) -> ProcessStat? {
    guard let files = try? ProcessFiles(process), let text = try? files.read("stat") else {
      return nil
    }
    return ProcessStat(text)
  }
}
