// SPDX-License-Identifier: Apache-2.0
// cr_restart [options] [FILE]: brings the processes of a context file back and looks after them.
import CommandLine
import Linux
import PtraceEngine
import Request
import Restart

/// Opens what the user named; a descriptor is used under a number of our own, and the user's closed,
/// so that the restarted program does not inherit it.
func openSource(_ source: Placement) throws(Failure) -> FileDescriptor {
  switch source {
  case .file(let path):
    do throws(Errno) { return try FileDescriptor(opening: path, flags: 0) } catch {
      throw Failure(error, "cannot open the context file \(path): \(error)")
    }
  case .descriptor(let number):
    let given = FileDescriptor(owning: number)
    do throws(Errno) { return try given.duplicate() } catch {
      // A number that is not open is not ours to close.
      _ = given.disown()
      throw Failure(error, "cannot read from descriptor \(number): \(error)")
    }
  }
}

func restart(_ options: RestartOptions, _ outcome: Outcome) throws(Failure) -> RestartedJob {
  let file: FileDescriptor
  do throws(Failure) { file = try openSource(options.source) } catch {
    outcome.failureClass = .arguments
    throw error
  }
  var engine = PtraceEngine()
  var report = outcome.watch.makeReport()
  return try restart(options.request, from: file, by: &engine, report: &report)
}

func run() -> Int32 {
  let options = RestartOptions(Invocation.arguments)
  switch options.action {
  case .help: return Tool.printHelp(RestartOptions.manual)
  case .version: return Tool.printVersion(RestartOptions.manual)
  case .restart: break
  }
  let outcome = Outcome(options)
  if let rejection = options.rejection {
    return outcome.hookStatus(of: .arguments)
      ?? Tool.reject(rejection, RestartOptions.manual, verbosity: options.verbosity)
  }

  let job: RestartedJob
  do throws(Failure) {
    ProcessID.keepEndedChildren()
    if !options.detaches { try outcome.mark(options.omission) }
    job = try restart(options, outcome)
  } catch {
    outcome.watch.finish()
    return outcome.tell(error)
  }
  // From here on every signal is taken by the supervisor; one that came before was noted.
  let supervisor = Supervisor(job)
  outcome.watch.finish()
  if let status = outcome.tell(job, signalMask: supervisor.signals.before) { return status }
  if options.detaches { return ExitStatus.success }
  return supervisor.endAs(supervisor.waitForEnd())
}

Invocation.exit(run())
