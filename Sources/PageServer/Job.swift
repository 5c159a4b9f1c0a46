// SPDX-License-Identifier: Apache-2.0
import CLinux
import Linux

/// The processes whose memory is served, to be killed when it cannot be had any more.
final class Job {
  private final class Member {
    let id: ProcessID
    let handle: ProcessHandle

    init(_ id: ProcessID) throws(Errno) {
      self.id = id
      handle = try ProcessHandle(id)
    }

    /// Until then nobody else can have its id.
    var isThere: Bool { (try? handle.send(0)) != nil }
  }

  private let members: [Member]

  /// Held processes, which cannot become others meanwhile.
  init(_ processes: [ProcessID]) throws(Errno) {
    var members: [Member] = []
    for process in processes { members.append(try Member(process)) }
    self.members = members
  }

  /// Kills them, and whatever they have started since. Whoever is an orphan already is not found; it
  /// dies of its next page fault (`LastResort`).
  func kill() {
    let below = descendants()
    for member in members { try? member.handle.send(SIGKILL) }
    for process in below { try? process.send(SIGKILL) }
  }

  private func descendants() -> [ProcessID] {
    var parents: [(child: ProcessID, parent: ProcessID)] = []
    for process in (try? allProcesses()) ?? [] {
      guard let text = try? ProcessFiles(process).read("stat"), let stat = ProcessStat(text) else {
        continue
      }
      parents.append((process, stat.parent))
    }
    let known = members.filter { $0.isThere }.map { $0.id.rawValue }
    var found: [ProcessID] = []
    var last = Set(known)
    while !last.isEmpty {
      let next = parents.filter { last.contains($0.parent.rawValue) && !known.contains($0.child.rawValue) }
      found += next.map { $0.child }
      last = Set(next.map { $0.child.rawValue })
    }
    return found
  }
}
