// SPDX-License-Identifier: Apache-2.0
import Linux
import Request

extension Tool {
  /// Tells what `--check` found: every reason on a line of its own, or that there is none. The exit
  /// status is what the real thing would end with.
  public static func tell(
    _ prospect: Prospect, _ messages: Messages, _ engineMessages: EngineMessages,
    isPossible words: StaticString, isJSON: Bool
  ) -> Int32 {
    if engineMessages != .none {
      for warning in prospect.warnings { messages.warning(warning) }
    }
    for problem in prospect.problems { messages.error(problem.message) }
    if prospect.problems.isEmpty {
      let count = prospect.processes.count
      let noun: ByteString = count == 1 ? "process" : "processes"
      messages.note("\(count) \(noun) \(words)")
    }
    if isJSON {
      let status = Tool.show(prospect.json.text + "\n")
      if status != ExitStatus.success { return status }
    }
    return prospect.problems.first.map { ExitStatus.of($0.errno) } ?? ExitStatus.success
  }
}

extension Prospect {
  fileprivate var json: JSONObject {
    var object = JSONObject()
    object.set("possible", problems.isEmpty)
    object.set("processes", processes)
    object.set("problems", problems.map { $0.reason })
    object.set("warnings", warnings)
    return object
  }
}
