// SPDX-License-Identifier: Apache-2.0
import CommandLine
import Linux
import Request

/// What cr_checkpoint says in the end, and the status it ends with.
struct Outcome {
  let messages: Messages
  private let options: CheckpointOptions
  private let start = Clock.monotonic.reading

  init(_ options: CheckpointOptions) {
    self.options = options
    messages = Messages(tool: "cr_checkpoint", verbosity: options.verbosity)
  }

  func tell(_ result: CheckpointResult) -> Int32 {
    if options.engineMessages != .none {
      for warning in result.warnings { messages.warning(warning) }
    }
    let elapsed = Clock.monotonic.reading - start
    // A person wants to see where it went; a script has the exit status.
    if Terminal(descriptor: StandardStream.error.rawValue) != nil || options.verbosity > 0 {
      messages.note(summary(of: result, elapsed: elapsed))
    }
    guard options.isJSON else { return ExitStatus.success }
    var object = JSONObject()
    switch options.placement {
    case .file(let path), .directory(let path): object.set("context", absolute(path))
    case .descriptor(let number): object.set("fd", number)
    }
    object.set("processes", result.processes)
    object.set("threads", result.threads)
    object.set("bytes", result.bytes)
    object.set("pause_ns", result.pause)
    object.set("elapsed_ns", elapsed)
    object.set("warnings", result.warnings)
    return Tool.show(object.text + "\n")
  }

  func tell(_ failure: Failure) -> Int32 {
    if let signal = Interrupt.signal, failure.errno == .interrupted {
      messages.error("called off: nothing was saved, the processes run on")
      // Our caller sees how we ended, as if we had not caught it.
      ProcessID.suffer(signal)
    }
    messages.error(failure.message)
    if options.isJSON { _ = Tool.show(failure.json.text + "\n") }
    return ExitStatus.of(failure.errno)
  }

  /// Of `--check`.
  func tell(_ prospect: Prospect) -> Int32 {
    Tool.tell(
      prospect, messages, options.engineMessages, isPossible: "can be saved",
      isJSON: options.isJSON)
  }

  private func summary(of result: CheckpointResult, elapsed: UInt64) -> ByteString {
    let count = result.processes.count
    let noun: StaticString = count == 1 ? "process" : "processes"
    var text: ByteString = "\(count) \(noun)"
    if result.threads > count { text += " with \(result.threads) threads" }
    switch options.placement {
    case .file(let path), .directory(let path): text += " saved to \(path)"
    case .descriptor(let number): text += " saved to descriptor \(number)"
    }
    text += ": \(Size.short(result.bytes)) in \(Duration.short(nanoseconds: elapsed))"
    return text + ", stopped for \(Duration.short(nanoseconds: result.pause))"
  }

  private func absolute(_ path: ByteString) -> ByteString {
    guard !path.hasPrefix("/"), let here = try? readLink("/proc/self/cwd") else { return path }
    return here == "/" ? "/" + path : "\(here)/\(path)"
  }
}
