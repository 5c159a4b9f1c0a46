// SPDX-License-Identifier: Apache-2.0
// cr_run [--run|--omit] [--] COMMAND ARG…: starts a program with one of libcr's stubs before it.
import CommandLine
import Linux
import Request

/// The end of a shell's `exec` that did not work out: 127 not found, 126 not executable.
func exitStatus(ofExec reason: Errno) -> Int32 { reason == .noEntry ? 127 : 126 }

func run() -> Int32 {
  let options: RunOptions
  do throws(ArgumentError) {
    options = try RunOptions(Invocation.arguments)
  } catch {
    return Tool.reject(error, RunOptions.manual)
  }
  switch options.action {
  case .help: return Tool.printHelp(RunOptions.manual)
  case .version: return Tool.printVersion(RunOptions.manual)
  case .run: break
  }

  let messages = Messages(tool: "cr_run")
  let stub = StubLibrary(role: options.role)
  guard let path = stub.find() else {
    messages.error(stub.complaint)
    return ExitStatus.of(.noEntry)
  }
  var preload = PreloadList(Invocation.variable("LD_PRELOAD") ?? "")
  preload.putFirst(path)
  do throws(Errno) {
    try Invocation.setVariable("LD_PRELOAD", to: preload.value)
  } catch {
    messages.error("cannot set LD_PRELOAD: \(error)")
    return ExitStatus.of(error)
  }
  let reason = Invocation.become(options.command)
  messages.error("cannot execute \(options.command[0]): \(reason)")
  return exitStatus(ofExec: reason)
}

Invocation.exit(run())
