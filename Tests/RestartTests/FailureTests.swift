// SPDX-License-Identifier: Apache-2.0
import ContextFile
import Foundation
import Linux
import Request
import Snapshot
import Testing

@testable import Restart

/// A restart of two processes by an engine without hands.
private func attempt(
  _ journal: Journal, failingStep: Int = 0, errno: Errno = .notSupported
) throws -> RestartedJob {
  let folder = try Folder()
  let path = ByteString(try folder.file("context", String(repeating: "x", count: 65536)))
  let context = try FileDescriptor(opening: path, flags: O_RDONLY)
  let log = try identity(try folder.file("log", "0123456789"))
  // Ids that nobody has: they are not asked for.
  var parent = try sampleProcess(2_000_001)
  let child = try sampleProcess(2_000_002, parent: 2_000_001)
  parent.descriptors = [Descriptor(number: 5, closeOnExec: true, openFile: 0)]
  var snapshot = sampleSnapshot([parent, child])
  snapshot.openFiles = [OpenFile(kind: .regular(log), flags: UInt32(O_WRONLY), position: 4)]
  var request = RestartRequest()
  request.restoreProcessIDs = false
  var engine = ScriptedEngine(journal, failingStep: failingStep, errno: errno)
  var report = Report()
  return try restart(request, snapshot, from: ContextParts(of: context), by: &engine, report: &report)
}

/// A process that was let go already is killed from outside; the kernel takes a moment.
private func isDead(_ id: ProcessID) -> Bool {
  for _ in 0 ..< 1000 {
    guard let text = try? ProcessFiles(id).read("stat"), let stat = ProcessStat(text) else {
      return true
    }
    if stat.isZombie { return true }
    usleep(1000)
  }
  return false
}

struct FailureTests {
  @Test func `every process is made, filled and released`() throws {
    let journal = Journal()
    let job = try attempt(journal)
    #expect(job.members.map { $0.saved } == [ProcessID(2_000_001), ProcessID(2_000_002)])
    #expect(job.members.map { $0.id.rawValue }.sorted() == journal.living.sorted())
    #expect(job.root == job.members[0].id)
    #expect(journal.released == Set(job.members.map { $0.id }))
    #expect(journal.loadedBytes == 2 * 5 * 4096)
  }

  @Test func `whatever step fails nothing that was made is left`() throws {
    let whole = Journal()
    _ = try attempt(whole)
    #expect(whole.steps.count > 40)
    for step in 1 ... whole.steps.count {
      let journal = Journal()
      var failure: Failure?
      do { _ = try attempt(journal, failingStep: step) } catch let error as Failure {
        failure = error
      }
      // How often something is looked at until it is so depends on how busy the machine is; and what
      // cannot be read of the arguments of a call is the program's own affair, as in the kernel.
      if failure == nil,
        journal.steps.count < step || "\(journal.steps[step - 1])" == "read memory"
      {
        continue
      }
      #expect(failure != nil, "step \(step) failed and nobody noticed")
      #expect(
        journal.living.allSatisfy { isDead(ProcessID($0)) },
        "after step \(step), \(whole.steps[step - 1]), a process is left")
    }
  }

  @Test func `a pid that is in use is told with its owner and a way out`() throws {
    let journal = Journal()
    do { _ = try attempt(journal, failingStep: 1, errno: .exists) } catch let error as Failure {
      #expect(error.errno == .busy)
      #expect(error.message.text.contains("--no-restore-pid"))
    }
  }
}
