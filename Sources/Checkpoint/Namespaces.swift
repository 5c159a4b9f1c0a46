// SPDX-License-Identifier: Apache-2.0
import Linux
import Snapshot

/// Whether a process sees the same machine as this tool: namespaces(7).
///
/// Paths and pids are recorded as this tool sees them, so a process in another mount, pid or user
/// namespace (a container) cannot be described from here. Of the others only the effect differs.
struct Namespaces {
  private let names: [(file: StaticString, words: StaticString, isNeeded: Bool)] = [
    ("mnt", "mount", true), ("pid", "pid", true), ("user", "user", true),
    ("net", "network", false), ("ipc", "IPC", false), ("uts", "host name", false),
    ("time", "time", false), ("cgroup", "control group", false),
  ]
  private var own: [ByteString] = []

  init() {
    guard let files = try? ProcessFiles(ownProcess) else { return }
    own = names.map { (try? files.link("ns/\($0.file)")) ?? "" }
  }

  func check(
    _ process: ProcessID, _ name: ByteString, _ problems: inout Problems,
    _ warnings: inout [ByteString]
  ) {
    guard own.count == names.count, let files = try? ProcessFiles(process) else { return }
    for (index, namespace) in names.enumerated() {
      // Not readable for a process of another user, which cannot be saved anyway.
      guard let link = try? files.link("ns/\(namespace.file)"), link != own[index],
        !own[index].isEmpty
      else { continue }
      if namespace.isNeeded {
        problems.add(
          "process \(process) (\(name)) is in another \(namespace.words) namespace (a container): "
            + "run this tool inside it")
      } else {
        let way: ByteString =
          ByteString(namespace.file) == "time"
          ? ", or with --restore-clock makes one" : ""
        warnings.append(
          "process \(process) (\(name)) is in another \(namespace.words) namespace; a restart "
            + "leaves it in that of the restarting command\(way)")
      }
    }
  }

  /// What the kernel keeps of a process for the nodes of this machine, and a restart does not bring back.
  static func checkMemoryPolicies(_ process: ProcessID, _ name: ByteString, _ warnings: inout [ByteString]) {
    guard MemoryPolicies.areEffective else { return }
    let policies = MemoryPolicies.of(process)
    guard !policies.isEmpty else { return }
    var words = policies[0]
    for policy in policies.dropFirst() { words += ", " + policy }
    warnings.append(
      "process \(process) (\(name)) has memory policies (mbind, set_mempolicy: \(words)); after a restart its memory "
        + "is where that of the restarting command would be")
  }

  /// By how much its clocks since boot are ahead of ours: time_namespaces(7).
  static func clockOffsets(of process: ProcessID) -> (monotonic: TimeValue, bootTime: TimeValue) {
    var offsets = (monotonic: TimeValue(), bootTime: TimeValue())
    guard let own = try? ProcessFiles(.own).link("ns/time"), let files = try? ProcessFiles(process),
      let link = try? files.link("ns/time"), link != own,
      let text = try? files.read("timens_offsets")
    else { return offsets }
    // `monotonic SECONDS NANOSECONDS` and `boottime …`; ours are those of the first namespace.
    var scanner = TextScanner(text)
    while !scanner.isAtEnd {
      let word = scanner.word()
      scanner.skipBlanks()
      let seconds = scanner.signedNumber()
      scanner.skipBlanks()
      let value = TimeValue(seconds: seconds, nanoseconds: scanner.signedNumber())
      if word == "monotonic" { offsets.monotonic = value }
      if word == "boottime" { offsets.bootTime = value }
      scanner.skipLine()
    }
    return offsets
  }
}
