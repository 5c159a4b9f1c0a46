// SPDX-License-Identifier: Apache-2.0
import Architecture
import Engine
import Linux
import PageServer
import Request
import Snapshot

/// Makes processes out of a snapshot. Everything it has made is held until all of it stands.
struct Rebuilder {
  /// One process of the snapshot, as it is now.
  struct Member {
    /// Its pid now; 0 before it is made.
    var id = ProcessID(0)
    /// In the order of the snapshot's threads, the leader first.
    var threads: [ThreadID] = []
    var remote: Remote?
    /// A zombie, or gone for another reason: nothing more is done with it.
    var hasEnded = false
    /// Out of the engine's hands.
    var isReleased = false
  }

  let request: RestartRequest
  let snapshot: Snapshot
  let surroundings: Surroundings
  /// By index in `snapshot.processes`.
  var members: [Member]
  /// Made for the sake of others, and ended before the job runs: leaders of groups and sessions.
  var helpers: [Helper] = []

  struct Helper {
    var id: ProcessID
    /// The held process whose child it is; nil for ours.
    var parent: ProcessID?
  }

  var files: OpenedFiles
  /// Until what waited in the sockets is in them again.
  var socketMaker: SocketMaker?
  /// Who fills the memory that may wait; nil if none may.
  var pageServer: PageServer?
  let sessionsWithTerminals: Set<Int32>
  /// Leaders that have their session, by index.
  var startedSessions: Set<Int> = []

  init(
    _ request: RestartRequest, _ snapshot: Snapshot, _ surroundings: Surroundings,
    _ files: consuming OpenedFiles
  ) {
    self.request = request
    self.snapshot = snapshot
    self.surroundings = surroundings
    self.files = files
    sessionsWithTerminals = snapshot.sessionsWithTerminals
    members = [Member](repeating: Member(), count: snapshot.processes.count)
  }

  /// Processes that are there and have code to run.
  var living: [Int] {
    members.indices.filter { members[$0].id.rawValue != 0 && !members[$0].hasEnded }
  }

  func remote(_ index: Int) -> Remote {
    guard let remote = members[index].remote else {
      preconditionFailure("a process is used before it is made")
    }
    return remote
  }

  func name(_ index: Int) -> ByteString { snapshot.processes[index].name }

  /// What a pid of the snapshot is now; the same for one that is not in the job.
  func present(_ saved: ProcessID) -> ProcessID {
    for (index, process) in snapshot.processes.enumerated() where process.id == saved {
      return members[index].id
    }
    return saved
  }

  /// Kills everything that was made, children first, so that the machine is as it was.
  mutating func abandon<E: Engine & ~Copyable>(by engine: inout E) {
    for member in members.reversed() where member.id.rawValue != 0 {
      if member.isReleased {
        try? member.id.send(9)
      } else {
        engine.kill(member.id)
      }
    }
    for helper in helpers.reversed() { engine.kill(helper.id) }
    members = []
    helpers = []
  }
}
