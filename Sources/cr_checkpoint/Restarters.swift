// SPDX-License-Identifier: Apache-2.0
import CommandLine
import Linux
import Request

/// The request without the cr_restart processes that want to be left out of it.
///
/// The pid that a batch system knows of a restarted job is cr_restart's, so that is what it asks to be
/// saved again; the job itself is the tree below.
func withoutRestarters(_ request: CheckpointRequest) throws(Failure) -> CheckpointRequest {
  var request = request
  request.excluded.append(.own)
  switch request.scope {
  case .process, .tree:
    let target = ProcessID(request.target)
    if let omission = OmissionMark.of(target), omission != .never {
      request.target = try job(of: target).rawValue
    }
  case .group, .session:
    for process in (try? allProcesses()) ?? [] {
      guard isLeftOut(process, of: request) else { continue }
      request.excluded.append(process)
    }
  }
  return request
}

/// The one process below a cr_restart.
private func job(of restarter: ProcessID) throws(Failure) -> ProcessID {
  let children = ((try? allProcesses()) ?? []).filter { stat(of: $0)?.parent == restarter }
  guard children.count == 1 else {
    throw Failure(
      .invalid,
      """
      process \(restarter) is a cr_restart with \(children.count) children: name the process to save
      """)
  }
  return children[0]
}

private func isLeftOut(_ process: ProcessID, of request: CheckpointRequest) -> Bool {
  guard let stat = stat(of: process) else { return false }
  let id = request.scope == .group ? stat.group : stat.session
  guard id == ProcessID(request.target), let omission = OmissionMark.of(process) else {
    return false
  }
  switch omission {
  case .always: return true
  case .maybe: return stat.parent == ProcessID(1)
  case .never: return false
  }
}

private func stat(of process: ProcessID) -> ProcessStat? {
  guard let files = try? ProcessFiles(process), let text = try? files.read("stat") else {
    return nil
  }
  return ProcessStat(text)
}
