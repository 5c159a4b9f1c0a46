// SPDX-License-Identifier: Apache-2.0
import Architecture
import CLinux
import Engine
import Linux
import Request
import Snapshot

/// Whether `restart` would succeed with these arguments, here and now. Nothing is changed, and
/// nothing stays but for the moment in which a process of ours shows what registers this processor has.
///
/// What only the attempt can tell is not in the answer: whether memory will do, and what a security
/// module says.
///
/// - Throws: what keeps it from looking at all (no /proc).
public func examine<E: Engine & ~Copyable>(
  _ request: RestartRequest, _ snapshot: Snapshot, by engine: inout E
) throws(Failure) -> Prospect {
  var report = Report()
  let snapshot = prepared(snapshot, for: request)
  var plan = Plan(request, snapshot, try Surroundings(for: request))
  plan.examine(&report)
  var problems = plan.problems
  checkAccess(snapshot, &problems)
  try checkRegisters(snapshot, &problems, by: &engine)
  var prospect = Prospect()
  prospect.processes = snapshot.processes.map { $0.id }
  prospect.problems = problems.found
  prospect.warnings = report.warnings
  return prospect
}

private func checkRegisters<E: Engine & ~Copyable>(
  _ snapshot: Snapshot, _ problems: inout Problems, by engine: inout E
) throws(Failure) {
  let usesMore = snapshot.processes.contains { process in
    process.machine.number == Machine.native.number || process.machine == .i386
  }
  guard usesMore else { return }
  do throws(EngineError) {
    let probe = try engine.spawn(SpawnRequest(executable: ""))
    defer { engine.kill(probe) }
    for process in snapshot.processes {
      var present: [RegisterSet] = []
      do throws(Failure) {
        let failure = try snapshot.lackOfRegisters(process) { type throws(Failure) in
          if let known = present.first(where: { $0.noteType == type }) { return known.bytes }
          let bytes = try engaging { () throws(EngineError) in
            try engine.registerSet(type, of: probe.leader)
          }
          present.append(RegisterSet(noteType: type, bytes: bytes))
          return bytes
        }
        if let failure { problems.add(failure.errno, failure.message) }
      } catch { problems.add(error.errno, error.message) }
    }
  } catch {
    throw Failure(error)
  }
}

/// Whether we may open the regular files as the processes had them open and mapped. Opened and closed
/// again; other kinds may react to that, so they are not tried.
private func checkAccess(_ snapshot: Snapshot, _ problems: inout Problems) {
  // A file that is missing or changed was found before, with better words.
  func check(_ path: ByteString, _ flags: Int32, _ words: () -> ByteString) {
    guard (try? FileStatus.of(path))?.isRegular == true else { return }
    do throws(Errno) {
      _ = try FileDescriptor(opening: path, flags: flags | O_NOCTTY | O_NONBLOCK)
    } catch {
      problems.add(error, "cannot open \(path), \(words()): \(error)")
    }
  }
  for (index, file) in snapshot.openFiles.enumerated() {
    guard case .regular(let identity) = file.kind else { continue }
    check(identity.path, Int32(bitPattern: file.flags & 3)) {
      "open as \(FileCheck.name(index, snapshot))"
    }
  }
  for process in snapshot.processes {
    for region in process.memory.regions {
      guard case .file(let identity) = region.backing else { continue }
      check(identity.path, region.needsWritableFile ? O_RDWR : O_RDONLY) {
        "which process \(process.id) (\(process.name)) has mapped"
      }
    }
  }
}
