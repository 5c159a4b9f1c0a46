// SPDX-License-Identifier: Apache-2.0
import CommandLine
import ContextFile
import Linux
import Request

/// A target in another pid namespace (a container). It is saved from the inside, by a process of ours
/// in the namespaces it is in, so that ids and paths are those that it knows; the context file is
/// opened, and put in its place, outside.
struct Elsewhere {
  private let target: ProcessID
  private let inner: ProcessID
  private let kinds: NamespaceKinds

  /// Nil for a target that sees the ids that we see, or that cannot be looked at.
  init?(_ request: CheckpointRequest) {
    target = ProcessID(request.target)
    kinds = NamespaceKinds(ofOther: target)
    guard kinds.contains(.pid), let files = try? ProcessFiles(target),
      let text = try? files.read("status")
    else { return nil }
    inner = ProcessStatus(text).innermostID
  }

  /// Runs `body` in there, with the target's id as it is there, and waits for it. Its status.
  func run(
    _ request: CheckpointRequest, _ messages: Messages,
    _ body: (CheckpointRequest) -> Int32
  ) throws(Failure) -> WaitStatus {
    let child: ProcessID?
    do throws(Errno) { child = try Room.enter(target, kinds: kinds) } catch {
      let failure = Failure(
        error,
        "process \(target) is in another pid namespace (a container), and its namespaces cannot be "
          + "entered: \(error); ask as root, as the user who made them, or inside")
      if ProcessID.own == Self.outside { throw failure }
      messages.error(failure.message)
      Invocation.exit(ExitStatus.of(error))
    }
    if let child { return Room.end(of: child) }
    guard (try? readLink("/proc/self")) == "\(ProcessID.own)" else {
      messages.error(
        "process \(target) is in another pid namespace (a container), whose /proc is not its own: "
          + "mount it there (unshare --mount-proc)")
      Invocation.exit(ExitStatus.of(.notSupported))
    }
    var request = request
    request.target = inner.rawValue
    // Nothing of what was opened outside is to be undone here, so this process ends at once.
    Invocation.exit(body(request))
  }

  private static let outside = ProcessID.own
  /// To be called before anything else: who we are before there are others.
  static func begin() { _ = outside }
}
