// SPDX-License-Identifier: Apache-2.0
import Architecture
import Foundation
import Linux
import Snapshot

@testable import Restart

/// An anonymous region of whole pages.
func region(
  _ start: UInt64, pages: UInt64 = 1, protection: UInt32 = 3, contents: Bool = false
) -> Region {
  let range = MemoryRange(start: start, count: pages * 4096)
  var region = Region(range: range, protection: protection, isShared: false, backing: .anonymous)
  if contents { region.contents = [Extent(position: start, count: pages * 4096)] }
  return region
}

/// The identity of a file as it is now.
func identity(_ path: String) throws -> FileIdentity {
  let status = try FileStatus.of(ByteString(path))
  var identity = FileIdentity(path: ByteString(path))
  identity.size = status.size
  identity.mode = status.mode
  identity.modified = TimeValue(
    seconds: status.modifiedSeconds, nanoseconds: status.modifiedNanoseconds)
  return identity
}

/// A process with our own credentials, one thread and two pages with contents, running sleep(1).
func sampleProcess(_ id: Int32, parent: Int32 = 1) throws -> SavedProcess {
  var process = SavedProcess(
    id: ProcessID(id), parent: ProcessID(parent), machine: .x86_64)
  process.executable = try identity(realpath("/bin/sleep"))
  process.name = "sleep"
  process.workingDirectory = "/"
  var thread = SavedThread(id: ThreadID(id), registers: .zero)
  thread.credentials = Credentials.own
  thread.name = "sleep"
  thread.robustList = 0x7000_0000_1000
  thread.clearChildTID = 0x7000_0000_1100
  thread.registerSets = [RegisterSet(noteType: 0x202, bytes: [UInt8](repeating: 0, count: 576))]
  process.threads = [thread]
  process.memory.regions = [
    region(0x40_0000, contents: true), region(0x7000_0000_0000, pages: 4, protection: 1, contents: true),
  ]
  process.signalActions = [
    SignalAction(signal: 10, handler: 0x40_0000, flags: 0, restorer: 0, mask: 0)
  ]
  process.intervalTimers = [IntervalTimer(remaining: 60_000_000, interval: 0)]
  return process
}

func sampleSnapshot(_ processes: [SavedProcess]) -> Snapshot {
  var snapshot = Snapshot(job: Job(scope: 3, target: 1, requester: ProcessID(1)))
  snapshot.processes = processes
  return snapshot
}

func realpath(_ path: String) -> String {
  URL(fileURLWithPath: path).resolvingSymlinksInPath().path
}

extension Credentials {
  static var own: Credentials { try! Surroundings().credentials }
}

/// A directory of its own, gone with the value.
final class Folder {
  let path: String

  init() throws {
    path = NSTemporaryDirectory() + "restart-" + UUID().uuidString
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  }

  func file(_ name: String, _ contents: String = "") throws -> String {
    try contents.write(toFile: path + "/" + name, atomically: true, encoding: .utf8)
    return path + "/" + name
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }
}
