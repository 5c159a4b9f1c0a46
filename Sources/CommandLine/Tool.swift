// SPDX-License-Identifier: Apache-2.0
import Linux
import Request

/// What all tools do alike with their command line.
public enum Tool {
  public static func printHelp(_ manual: Manual) -> Int32 { show(manual.help) }

  public static func printVersion(_ manual: Manual) -> Int32 {
    show("\(manual.tool) version \(Release.version)\n")
  }

  /// Tells on stderr why the command line was not accepted; the exit status.
  public static func reject(_ error: ArgumentError, _ manual: Manual, verbosity: Int = 0) -> Int32 {
    switch error {
    case .refused(let failure):
      Messages(tool: manual.tool, verbosity: verbosity).error(failure.message)
      return ExitStatus.of(failure.errno)
    case .usage(let words):
      if !words.isEmpty { Messages(tool: manual.tool).error(words) }
      try? StandardStream.error.write(manual.usage)
      return ExitStatus.usage
    }
  }

  /// Writes to stdout; an exit status, since a full disk behind it is a failure like any other.
  public static func show(_ text: ByteString) -> Int32 {
    do throws(Errno) {
      try StandardStream.output.write(text)
      return ExitStatus.success
    } catch {
      return ExitStatus.of(error)
    }
  }
}

extension Failure {
  /// What `--json` gives for it.
  public var json: JSONObject {
    var object = JSONObject()
    object.set("error", reason)
    return object
  }

  /// Its number and its words.
  var reason: JSONObject {
    var reason = JSONObject()
    reason.set("errno", errno.rawValue)
    reason.set("message", message)
    return reason
  }
}
