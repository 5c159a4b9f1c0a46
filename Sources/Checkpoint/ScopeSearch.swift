// SPDX-License-Identifier: Apache-2.0
import Linux
import Request

/// Finds the processes of a scope in /proc.
struct ScopeSearch {
  let request: CheckpointRequest

  /// The scope's processes that are not in `known`, by rising pid. To be asked again until it has
  /// no answer: while some were still running, they may have made others.
  ///
  /// Descendants of those in `leftOut` are not looked for.
  func newcomers(besides known: Set<Int32>, leftOut: Set<Int32> = []) -> [ProcessID] {
    let found =
      switch request.scope {
      case .process: [request.target]
      case .tree:
        known.isEmpty
          ? [request.target] : known.subtracting(leftOut).sorted().flatMap(Self.children)
      case .group, .session: members()
      }
    return found.filter { !known.contains($0) && !isExcluded($0) }.map { ProcessID($0) }
  }

  /// The scope as it looks at the moment, all of it.
  var candidates: [ProcessID] {
    var known: Set<Int32> = []
    var all: [ProcessID] = []
    while true {
      let found = newcomers(besides: known)
      if found.isEmpty { return all }
      all += found
      known.formUnion(found.map { $0.rawValue })
    }
  }

  /// `candidates`, with a mark by which to know later that nobody can have been added.
  func overview() -> Overview {
    let mark = lastTaskMade()
    return Overview(processes: candidates, mark: mark)
  }

  /// A scope before the first of its processes was stopped.
  struct Overview {
    let processes: [ProcessID]
    fileprivate let mark: UInt64?
  }

  /// Whether a tree whose processes are all held is still the one that was seen: nobody in the whole
  /// system has made a task since, and orphans come to a subreaper only when a process of the tree
  /// ends. Then its threads, of which there may be thousands, need not be asked for their children.
  func isComplete(_ overview: Overview, held: [ProcessID]) -> Bool {
    guard request.scope == .tree, let mark = overview.mark, mark == lastTaskMade() else {
      return false
    }
    return Set(held.map { $0.rawValue }) == Set(overview.processes.map { $0.rawValue })
  }

  /// Whoever asks is not in the answer.
  func isExcluded(_ id: Int32) -> Bool {
    request.excluded.contains(ProcessID(id)) || ProcessID(id) == ownProcess
  }

  /// Throws if the target is this tool.
  func checkTarget() throws(Failure) {
    guard request.scope == .tree || request.scope == .process, isExcluded(request.target) else {
      return
    }
    throw Failure(.invalid, "process \(request.target) is this tool itself and cannot be saved")
  }

  /// Whether a process asked not to be saved. With `cr_run --omit` that goes for what it started
  /// too; below a cr_restart is the job that it restarted, which is looked for.
  func isOmitted(_ process: ProcessID, _ leftOut: inout Set<Int32>) -> Bool {
    switch Omission(of: process) {
    case nil, .never: return false
    case .always: return true
    case .maybe:
      let isTarget = process.rawValue == request.target
      return isTarget || ProcessStat(of: process)?.parent == ProcessID(1)
    case .withDescendants:
      leftOut.insert(process.rawValue)
      return true
    }
  }

  /// Children of all threads of a process, the dead ones too that nobody waited for.
  ///
  /// While the process is held it cannot make more, but orphans can still come to a subreaper.
  private static func children(of id: Int32) -> [Int32] {
    let process = ProcessID(id)
    guard let files = try? ProcessFiles(process), let threads = try? files.numbers(in: "task")
    else { return [] }
    var found: [Int32] = []
    for thread in threads {
      guard let text = try? files.read("task/\(thread)/children") else { continue }
      var scanner = TextScanner(text)
      while true {
        let child = Int32(truncatingIfNeeded: scanner.number())
        if child == 0 { break }
        found.append(child)
      }
    }
    return found
  }

  private func members() -> [Int32] {
    let wanted = ProcessID(request.target)
    var found: [Int32] = []
    for process in (try? allProcesses()) ?? [] {
      guard let stat = ProcessStat(of: process) else { continue }
      let id = request.scope == .group ? stat.group : stat.session
      if id == wanted { found.append(process.rawValue) }
    }
    return found
  }
}

extension ProcessStat {
  /// nil if there is no such process (any more).
  init?(of process: ProcessID) {
    guard let files = try? ProcessFiles(process), let text = try? files.read("stat") else {
      return nil
    }
    self.init(text)
  }
}
