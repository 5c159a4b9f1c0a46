// SPDX-License-Identifier: Apache-2.0
// cr_info [options] [FILE]: what is in a context file, or what this machine offers.
import CLinux
import CommandLine
import ContextFile
import Linux
import Request
import Snapshot

func run() -> Int32 {
  let options: InfoOptions
  do throws(ArgumentError) {
    options = try InfoOptions(Invocation.arguments)
  } catch {
    return Tool.reject(error, InfoOptions.manual)
  }
  let messages = Messages(tool: "cr_info", verbosity: options.verbosity)
  do throws(Failure) {
    switch options.action {
    case .help: return Tool.printHelp(InfoOptions.manual)
    case .version: return Tool.printVersion(InfoOptions.manual)
    case .here: return try showHere(options)
    case .file(let placement): return try show(placement, options, messages)
    }
  } catch {
    if options.json { _ = Tool.show(error.json.text + "\n") }
    messages.error(error.message)
    return ExitStatus.of(error.errno)
  }
}

func showHere(_ options: InfoOptions) throws(Failure) -> Int32 {
  let here: Here
  do throws(Errno) { here = try Here() } catch {
    throw Failure(error, "cannot ask the kernel for its name: \(error)")
  }
  return Tool.show(options.json ? here.json.text + "\n" : here.text)
}

func show(
  _ placement: Placement, _ options: InfoOptions, _ messages: Messages
) throws(Failure) -> Int32 {
  let reader = try Reader(directory(placement) ?? placement)
  if options.checks { try reader.verify() }
  if let process = options.core { return try extract(process, from: reader, options) }
  if options.showsStacks { return try showStacks(reader) }
  if options.json {
    let report = ContextReport(reader.snapshot).json(reader, isVerified: options.checks)
    return Tool.show(report.text + "\n")
  }
  var text = Overview(reader, options).text
  if options.checks { text += "all checksums are right\n" }
  return Tool.show(text)
}

/// A directory needs no option to be known as one.
func directory(_ placement: Placement) -> Placement? {
  guard case .file(let path) = placement, (try? FileStatus.of(path))?.isDirectory == true else {
    return nil
  }
  return .directory(path)
}

/// Writes one process as a core file, whole or not at all.
func extract(
  _ process: ProcessID, from reader: borrowing Reader, _ options: InfoOptions
) throws(Failure) -> Int32 {
  let name = options.output ?? "core.\(process)"
  let destination = try Destination(.file(name), .atomic, isSynchronous: false)
  try reader.extractCore(of: process, to: destination.part(0).file)
  try destination.commit()
  return ExitStatus.success
}

Invocation.exit(run())
