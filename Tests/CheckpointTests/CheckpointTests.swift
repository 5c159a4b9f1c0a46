// SPDX-License-Identifier: Apache-2.0
import ContextFile
import Engine
import Foundation
import Linux
import Request
import Testing

@testable import Checkpoint

/// A program that does nothing, killed with the test; not our child, and without our descriptors.
private final class Target {
  let id: ProcessID

  /// Returns when `isReady` says so of it.
  init(
    _ words: String = "exec sleep 60", isReady: (ProcessID) -> Bool = { isNamed("sleep", $0) }
  ) throws {
    let folder = try Folder()
    let file = folder.path + "/pid"
    let script = folder.path + "/script"
    try (words + "\n").write(toFile: script, atomically: true, encoding: .utf8)
    let command =
      "for n in /proc/self/fd/*; do n=${n##*/}; [ $n -gt 2 ] && eval \"exec $n>&-\"; done; "
      + "setsid sh \(script) </dev/null >/dev/null 2>&1 & echo $! >\(file)"
    _ = try Invocation.run(command: ByteString("exec bash -c '" + command + "'"), signalMask: 0)
    let text = try String(contentsOfFile: file, encoding: .utf8)
    id = ProcessID(try #require(Int32(text.trimmingCharacters(in: .whitespacesAndNewlines))))
    for _ in 0 ..< 3000 where !isReady(id) { usleep(10_000) }
    try #require(isReady(id), "not ready after half a minute")
  }

  static func isNamed(_ name: String, _ id: ProcessID) -> Bool {
    ProcessStat(of: id)?.name == ByteString(name)
  }

  /// Two shells and two programs below them, four processes in all.
  static func family() throws -> Target {
    try Target("sh -c 'sleep 60 & sleep 60 & wait' & wait") { id in
      let tree = ScopeSearch(request: CheckpointRequest(scope: .tree, target: id.rawValue)).candidates
      return tree.count == 4 && tree.suffix(2).allSatisfy { isNamed("sleep", $0) }
    }
  }

  var isRunning: Bool { ProcessStat(of: id).map { !$0.isZombie } ?? false }

  deinit {
    // The session that setsid made is its group as well.
    try? ProcessID(-id.rawValue).send(9)
  }
}

/// A directory of its own for the context file.
private final class Folder {
  let path: String

  init() throws {
    path = NSTemporaryDirectory() + "checkpoint-" + UUID().uuidString
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  }

  var contents: [String] { (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? [] }
  var context: ByteString { ByteString(path + "/context") }

  deinit { try? FileManager.default.removeItem(atPath: path) }
}

private func attempt(
  _ request: CheckpointRequest, _ journal: Journal, _ folder: Folder, failingStep: Int = 0,
  errno: Errno = .io, report: Report = Report()
) throws(Failure) -> CheckpointResult {
  let destination = try Destination(.file(folder.context), .atomic, isSynchronous: false)
  var engine = ScriptedEngine(journal, failingStep: failingStep, errno: errno)
  var report = report
  return try checkpoint(request, by: &engine, into: destination, report: &report)
}

@Suite(.serialized) struct `a checkpoint` {
  @Test func `that succeeds leaves nobody held and one file`() throws {
    let target = try Target()
    let journal = Journal()
    let folder = try Folder()
    let result = try attempt(
      CheckpointRequest(scope: .process, target: target.id.rawValue), journal, folder)
    #expect(result.processes == [target.id])
    #expect(result.threads == 1)
    #expect(result.bytes > journal.savedBytes && journal.savedBytes > 0)
    #expect(result.pause > 0)
    #expect(journal.everHeld == [target.id] && journal.held.isEmpty)
    #expect(folder.contents == ["context"])
  }

  @Test func `that fails at any step leaves nobody held and no file`() throws {
    let target = try Target()
    let folder = try Folder()
    let request = CheckpointRequest(scope: .tree, target: target.id.rawValue)
    let complete = Journal()
    _ = try attempt(request, complete, folder)
    try FileManager.default.removeItem(atPath: folder.context.text)
    // Releasing is the last step, and cannot make a checkpoint fail.
    let steps = complete.steps.count - 1
    #expect(steps > 20)
    for failing in 1 ... steps {
      let journal = Journal()
      #expect(throws: Failure.self, "step \(failing)") {
        // Not EIO: memory that nobody can read is no failure where notes of libcr are looked for.
        _ = try attempt(request, journal, folder, failingStep: failing, errno: .noMemory)
      }
      #expect(journal.held.isEmpty, "step \(failing): \(journal.steps.last!)")
      #expect(folder.contents == [], "step \(failing): \(journal.steps.last!)")
    }
    #expect(target.isRunning)
  }

  @Test func `keeps the errno of the step that failed`() throws {
    let target = try Target()
    let folder = try Folder()
    let request = CheckpointRequest(scope: .tree, target: target.id.rawValue)
    let complete = Journal()
    _ = try attempt(request, complete, folder)
    let writing = try #require(complete.steps.firstIndex { "\($0)" == "write memory" })
    do {
      _ = try attempt(request, Journal(), folder, failingStep: writing + 1, errno: .noSpace)
      Issue.record("should have failed")
    } catch {
      #expect(error.errno == .noSpace)
      #expect(error.message.text.contains("No space left on device"))
    }
  }

  @Test func `that is called off releases everybody`() throws {
    let target = try Target()
    let journal = Journal()
    let folder = try Folder()
    do {
      _ = try attempt(
        CheckpointRequest(scope: .tree, target: target.id.rawValue), journal, folder,
        report: Report(onProgress: { done, _ in done == 0 }))
      Issue.record("should have been called off")
    } catch {
      #expect(error.errno == .interrupted)
    }
    #expect(journal.held.isEmpty && folder.contents.isEmpty)
  }

  @Test func `called off while it looks around stops nobody`() throws {
    let target = try Target()
    let journal = Journal()
    let folder = try Folder()
    let request = CheckpointRequest(scope: .tree, target: target.id.rawValue)
    #expect(throws: Failure.self) {
      _ = try attempt(request, journal, folder, report: Report(onProgress: { _, _ in false }))
    }
    #expect(journal.everHeld.isEmpty && folder.contents.isEmpty)
  }

  @Test func `takes the children of a tree and their children`() throws {
    let target = try Target.family()
    let journal = Journal()
    let folder = try Folder()
    let result = try attempt(
      CheckpointRequest(scope: .tree, target: target.id.rawValue), journal, folder)
    #expect(result.processes.count == 4)
    #expect(result.processes.first == target.id)
    #expect(journal.everHeld == Set(result.processes))
  }

  @Test func `leaves out whom it is told to, and all below`() throws {
    let target = try Target.family()
    let journal = Journal()
    let folder = try Folder()
    var request = CheckpointRequest(scope: .tree, target: target.id.rawValue)
    request.excluded = [try #require(ScopeSearch(request: request).candidates.dropFirst().first)]
    let result = try attempt(request, journal, folder)
    #expect(result.processes == [target.id])
  }

  @Test func `of nobody says so and stops nobody`() throws {
    let journal = Journal()
    let folder = try Folder()
    for scope in [Scope.process, .tree, .group, .session] {
      do {
        // No pid is that high (PID_MAX_LIMIT is 4 million).
        _ = try attempt(CheckpointRequest(scope: scope, target: 2_000_000_000), journal, folder)
        Issue.record("should have failed")
      } catch {
        #expect(error.errno == .noProcess)
      }
    }
    #expect(journal.everHeld.isEmpty && folder.contents.isEmpty)
  }

  @Test func `of this very process is refused`() throws {
    let folder = try Folder()
    do {
      _ = try attempt(
        CheckpointRequest(scope: .process, target: ownProcess.rawValue), Journal(), folder)
      Issue.record("should have failed")
    } catch {
      #expect(error.errno == .invalid)
    }
  }

  @Test func `tells every reason that stands in its way at once`() throws {
    let target = try Target(
      "exec python3 -c 'import os,socket,time; s=socket.socket(16,3,12); "
        + "p=os.pidfd_open(os.getppid()); time.sleep(60)'"
    ) { (try? readLink("/proc/\($0.rawValue)/fd/4")) == "anon_inode:[pidfd]" }
    let journal = Journal()
    let folder = try Folder()
    do {
      _ = try attempt(
        CheckpointRequest(scope: .tree, target: target.id.rawValue), journal, folder)
      Issue.record("should have failed")
    } catch {
      #expect(error.errno == .notSupported)
      let text = error.message.text
      #expect(text.contains("netlink"))
      #expect(text.contains("is a pidfd of process "))
      #expect(text.contains("\(target.id.rawValue) (python3): descriptor 3"))
    }
    #expect(journal.held.isEmpty && folder.contents.isEmpty)
  }
}
