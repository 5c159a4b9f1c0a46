// SPDX-License-Identifier: Apache-2.0
// cr_restart [options] [FILE]: brings the processes of a context file back and looks after them.
import CommandLine
import ContextFile
import KernelEngine
import Linux
import PtraceEngine
import Request
import Restart
import Snapshot

func openContext(
  _ options: RestartOptions, _ outcome: Outcome, _ report: Report
) throws(Failure) -> Reader {
  report.step("reading the context file")
  let reader: Reader
  do throws(Failure) { reader = try Reader(options.source) } catch {
    outcome.noteUnreadable(error)
    throw error
  }
  report.step("verifying it")
  // What waits is verified when it is read; --check wants to know all of it.
  var waiting: [[Extent]] = []
  let isCopy = reader.isCopy
  if options.request.isLazy, !options.checksOnly, !isCopy { waiting = reader.snapshot.waitingContents }
  try reader.verify(besides: waiting)
  return reader
}

func restartJob(_ options: RestartOptions, _ outcome: Outcome) throws(Failure) -> RestartedJob {
  var report = outcome.watch.makeReport()
  let reader = try openContext(options, outcome, report)
  // The reader has a number of its own for it; the user's must not reach the restarted program.
  var kernel: KernelEngine?
  if options.engine == .kernel { kernel = try KernelEngine.find() }
  var request = options.request
  switch options.source {
  case .file(let path), .directory(let path): request.source = absolutePath(path)
  case .descriptor(let number):
    // Callbacks want to know where they come from; a pipe has no path.
    if let path = try? readLink("/proc/self/fd/\(number)"), path.hasPrefix("/") {
      request.source = path
    }
    if number > 2 { _ = FileDescriptor(owning: number) }
  }
  let isCopy = reader.isCopy
  if request.isLazy, isCopy {
    report.warn(ByteString(LazyLoading.uselessForCopies))
    request.isLazy = false
  }
  if var engine = kernel.take() {
    report.step("by the kernel engine")
    return try restart(
      request, reader.snapshot, from: reader.parts, by: &engine, report: &report)
  }
  var engine = PtraceEngine()
  return try restart(
    request, reader.snapshot, from: reader.parts, by: &engine, report: &report)
}

/// `--check`: nothing is started.
func check(_ options: RestartOptions, _ outcome: Outcome) -> Int32 {
  do throws(Failure) {
    let reader = try openContext(options, outcome, outcome.watch.makeReport())
    outcome.watch.finish()
    var engine = PtraceEngine()
    return outcome.tell(try examine(options.request, reader.snapshot, by: &engine))
  } catch {
    outcome.watch.finish()
    if error.errno == .interrupted { return outcome.tell(error) }
    var prospect = Prospect()
    prospect.problems = [error]
    return outcome.tell(prospect)
  }
}

/// Whom the first process ran as, where that can be known without reading a stream.
func jobOwner(_ options: RestartOptions) -> (user: UInt32, group: UInt32)? {
  switch options.source {
  case .file(let path): guard (try? FileStatus.of(path))?.isRegular == true else { return nil }
  case .directory: break
  case .descriptor: return nil
  }
  guard let reader = try? Reader(options.source),
    let thread = reader.snapshot.processes.first?.threads.first
  else { return nil }
  return (thread.credentials.userIDs[1], thread.credentials.groupIDs[1])
}

func run() -> Int32 {
  var options = RestartOptions(Invocation.arguments)
  switch options.action {
  case .help: return Tool.printHelp(RestartOptions.manual)
  case .version: return Tool.printVersion(RestartOptions.manual)
  case .restart: break
  }
  let outcome = Outcome(options)
  if let rejection = options.rejection {
    RequestChannel.tellRejection(rejection, Invocation.arguments)
    return outcome.hookStatus(of: .arguments)
      ?? Tool.reject(rejection, RestartOptions.manual, verbosity: options.verbosity)
  }

  if options.rootless {
    let owner = jobOwner(options)
    options.request.groups = try? ownStatus().groups
    do throws(Failure) {
      if let status = try Keeper.enterRoom(user: owner?.user, group: owner?.group) { return status }
    } catch {
      return outcome.tell(error)
    }
  }
  if options.checksOnly { return check(options, outcome) }

  let job: RestartedJob
  do throws(Failure) {
    ProcessID.keepEndedChildren()
    if !options.detaches { try outcome.mark(options.omission) }
    job = try restartJob(options, outcome)
  } catch {
    outcome.watch.finish()
    options.channel?.done(error)
    return outcome.tell(error)
  }
  if let channel = options.channel {
    channel.root(job.root)
    channel.done()
    // The program's group must not seem to lose, with us, the last one that cares for it: the kernel
    // would end it (SIGHUP) if one of the restarted processes is stopped.
    if let group = try? options.request.requester?.group() { try? ProcessID.joinGroup(group) }
    return ExitStatus.success
  }
  // From here on every signal is taken by the supervisor; one that came before was noted.
  let supervisor = Supervisor(job)
  if Room.isInside { Room.tellReady() }
  outcome.watch.finish()
  if let status = outcome.tell(job, signalMask: supervisor.signals.before) { return status }
  // A hook has the machine to itself as far as it goes.
  job.leash?.close()
  if options.detaches {
    if Room.isInside {
      Room.tellEnded(WaitStatus(rawValue: 0))
      Room.linger(ExitStatus.success)
    }
    return ExitStatus.success
  }
  return supervisor.endAs(supervisor.waitForEnd())
}

Invocation.exit(run())
