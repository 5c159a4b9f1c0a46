// SPDX-License-Identifier: Apache-2.0
// cr_checkpoint [options] ID: saves running processes to a context file.
import Checkpoint
import CommandLine
import ContextFile
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
  if options.checksOnly { return check(options, outcome) }
  let watch = Watch(outcome.messages, progress: options.progress)
  do throws(Failure) {
    // Before anything is stopped: what can be known to fail fails here.
    let destination = try Destination(
      options.placement, options.replacement, isSynchronous: options.synchronizes,
      compression: options.compression)
    ProcessID.reservesMemory(1 << 20)
    var engine = PtraceEngine()
    var report = watch.makeReport()
    if let channel = options.channel { report.onAccepted = { channel.accepted() } }
    let result = try checkpoint(
      options.request, by: &engine, into: destination, report: &report)
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
