// SPDX-License-Identifier: Apache-2.0
// cr_checkpoint [options] ID: saves running processes to a context file.
import Checkpoint
import CommandLine
import ContextFile
import KernelEngine
import Linux
import PtraceEngine
import Request

/// `--check`: nobody is stopped, and nothing is written.
func check(_ options: CheckpointOptions, _ outcome: Outcome) -> Int32 {
  var prospect = Prospect()
  do throws(Failure) {
    prospect = try examine(options.request)
  } catch {
    prospect.problems = [error]
  }
  do throws(Failure) {
    try Destination.check(options.placement, options.replacement)
  } catch {
    prospect.problems.append(error)
  }
  return outcome.tell(prospect)
}

func checkElsewhere(_ options: CheckpointOptions, _ outcome: Outcome) -> Int32? {
  guard let elsewhere = Elsewhere(options.request) else { return nil }
  do throws(Failure) {
    try Destination.check(options.placement, options.replacement)
    let end = try elsewhere.run(options.request, outcome.messages) { request in
      do throws(Failure) { return outcome.tell(try examine(request)) } catch {
        return outcome.tell(error)
      }
    }
    return ended(end)
  } catch {
    return outcome.tell(error)
  }
}

/// As whoever worked in our place.
func ended(_ status: WaitStatus) -> Int32 {
  switch status.event {
  case .exited(let code): return code
  case .killed(let signal):
    ProcessID.forbidOwnCore()
    ProcessID.suffer(signal)
    return 128 + signal
  case .stopped, .continued: return ExitStatus.success
  }
}

/// What was opened outside, for the process inside to write to.
func destinationInside(
  _ number: Int32, _ options: CheckpointOptions
) throws(Failure) -> Destination {
  if case .directory = options.placement {
    return try Destination(
      within: number, isSynchronous: options.synchronizes, compression: options.compression)
  }
  return try Destination(.descriptor(number), .clobber, isSynchronous: false)
}

/// By the engine that was asked for.
func save(
  _ request: CheckpointRequest, by choice: EngineChoice, into destination: consuming Destination,
  _ report: inout Report
) throws(Failure) -> CheckpointResult {
  if choice == .kernel {
    var engine = try KernelEngine.find()
    report.step("by the kernel engine")
    return try checkpoint(request, by: &engine, into: destination, report: &report)
  }
  var engine = PtraceEngine()
  return try checkpoint(request, by: &engine, into: destination, report: &report)
}

/// The processes are in another pid namespace.
func save(
  _ elsewhere: Elsewhere, _ options: CheckpointOptions, _ outcome: Outcome
) -> Int32 {
  do throws(Failure) {
    Interrupt.watch()
    var destination = try Destination(
      options.placement, options.replacement, isSynchronous: options.synchronizes,
      compression: options.compression)
    let number = destination.handOver()
    let end = try elsewhere.run(options.request, outcome.messages) { request in
      let watch = Watch(outcome.messages, progress: options.progress)
      do throws(Failure) {
        let inside = try destinationInside(number, options)
        ProcessID.reservesMemory(1 << 20)
        var report = watch.makeReport()
        let result = try save(request, by: options.engine, into: inside, &report)
        watch.finish()
        return outcome.tell(result)
      } catch {
        watch.finish()
        return outcome.tell(error)
      }
    }
    let status = ended(end)
    if status == ExitStatus.success { try destination.commit() }
    return status
  } catch {
    return outcome.tell(error)
  }
}

func run() -> Int32 {
  let options: CheckpointOptions
  do throws(ArgumentError) {
    options = try CheckpointOptions(Invocation.arguments)
  } catch {
    RequestChannel.tellRejection(error, Invocation.arguments)
    return Tool.reject(error, CheckpointOptions.manual)
  }
  switch options.action {
  case .help: return Tool.printHelp(CheckpointOptions.manual)
  case .version: return Tool.printVersion(CheckpointOptions.manual)
  case .checkpoint: break
  }

  ProcessID.survivesFailingWrites()
  let outcome = Outcome(options)
  Elsewhere.begin()
  if options.checksOnly {
    if let status = checkElsewhere(options, outcome) { return status }
    return check(options, outcome)
  }
  if let elsewhere = Elsewhere(options.request) { return save(elsewhere, options, outcome) }
  let watch = Watch(outcome.messages, progress: options.progress)
  do throws(Failure) {
    // Before anything is stopped: what can be known to fail fails here.
    let destination = try Destination(
      options.placement, options.replacement, isSynchronous: options.synchronizes,
      compression: options.compression)
    ProcessID.reservesMemory(1 << 20)
    var report = watch.makeReport()
    if let channel = options.channel { report.onAccepted = { channel.accepted() } }
    let result = try save(options.request, by: options.engine, into: destination, &report)
    watch.finish()
    options.channel?.done()
    return outcome.tell(result)
  } catch {
    watch.finish()
    options.channel?.done(error)
    return outcome.tell(error)
  }
}

Invocation.exit(run())
