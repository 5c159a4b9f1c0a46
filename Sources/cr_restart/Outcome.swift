// SPDX-License-Identifier: Apache-2.0
import CommandLine
import Linux
import Request

/// What cr_restart says, and the hooks it runs, when it is known how the restart went.
final class Outcome {
  let watch: Watch
  /// What a failure counts as; nil: as its error number says.
  private var failureClass: FailureClass?
  private let options: RestartOptions
  private var messages: Messages { watch.messages }

  init(_ options: RestartOptions) {
    self.options = options
    watch = Watch(
      Messages(tool: "cr_restart", verbosity: options.verbosity), progress: options.progress)
  }

  func mark(_ omission: Omission) throws(Failure) {
    do throws(Errno) { try omission.mark() } catch {
      throw Failure(error, "cannot make the mark by which checkpoints know cr_restart: \(error)")
    }
  }

  /// A context file that is not there, or may not be read, is a wrong argument; one that is damaged
  /// is not.
  func noteUnreadable(_ failure: Failure) {
    if FailureClass(of: failure.errno) == .environment || failure.errno == .badDescriptor {
      failureClass = .arguments
    }
  }

  /// Tells of a success; a status if cr_restart has to end with it now, without waiting.
  func tell(_ job: RestartedJob, signalMask: UInt64) -> Int32? {
    if options.engineMessages != .none {
      for warning in job.warnings { messages.warning(warning) }
    }
    messages.step("running")
    // For whoever asked, who may be outside of the namespaces that --rootless has made.
    let ids = options.isJSON || options.detaches ? Room.outsideIDs(of: job.members.map { $0.id }) : []
    let root = zip(job.members, ids).first { $0.0.id == job.root }?.1 ?? job.root
    if options.isJSON {
      var object = JSONObject()
      object.set("pid", root.rawValue)
      object.set("processes", ids)
      object.set("saved_processes", job.members.map { $0.saved })
      object.set("warnings", job.warnings)
      _ = Tool.show(object.text + "\n")
    } else if options.detaches {
      _ = Tool.show("\(root)\n")
    }
    guard let command = options.hooks.onSuccess else { return nil }
    return run(command, signalMask: signalMask)
  }

  /// Tells of a failure, unless its hook failed as well: then that speaks for itself.
  func tell(_ failure: Failure) -> Int32 {
    if let signal = Interrupt.signal, failure.errno == .interrupted {
      messages.error("called off: nothing was restarted")
      if Room.isInside {
        Room.tellEnded(WaitStatus(rawValue: signal))
        Room.linger(ExitStatus.success)
      }
      ProcessID.suffer(signal)
    }
    if let status = hookStatus(of: failureClass ?? FailureClass(of: failure.errno)) {
      return status
    }
    messages.error(failure.message)
    if options.isJSON { _ = Tool.show(failure.json.text + "\n") }
    return ExitStatus.of(failure.errno)
  }

  /// Runs the hook for a failure; its status if that becomes ours.
  func hookStatus(of failure: FailureClass) -> Int32? {
    // A hook is for what happened, and with --check nothing did.
    guard !options.checksOnly, let command = options.hooks.command(for: failure) else { return nil }
    return run(command, signalMask: SignalQueue.mask)
  }

  /// Of `--check`.
  func tell(_ prospect: Prospect) -> Int32 {
    Tool.tell(
      prospect, messages, options.engineMessages, isPossible: "can be restarted here",
      isJSON: options.isJSON)
  }

  private func run(_ command: ByteString, signalMask: UInt64) -> Int32? {
    do throws(Errno) {
      return Hooks.exitStatus(
        after: try Invocation.run(command: command, signalMask: signalMask))
    } catch {
      messages.error("cannot run '\(command)' through /bin/sh: \(error)")
      return ExitStatus.of(error)
    }
  }
}
