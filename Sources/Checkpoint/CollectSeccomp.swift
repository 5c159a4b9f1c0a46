// SPDX-License-Identifier: Apache-2.0
import Engine
import Linux
import Request
import Snapshot

/// The seccomp filters of a process; its threads have most of them from each other.
struct SeccompTable {
  private(set) var filters: [SeccompFilter] = []

  mutating func index(of filter: SeccompFilter) -> UInt32 {
    if let known = filters.firstIndex(of: filter) { return UInt32(known) }
    filters.append(filter)
    return UInt32(filters.count - 1)
  }
}

/// Who may read seccomp filters back, and have them suspended: ptrace(2).
enum SeccompAccess {
  /// Throws EPERM for a process, or a thread, that is under seccomp, where that is more than we may save.
  static func check(
    _ process: ProcessID, _ name: ByteString, _ status: ProcessStatus
  ) throws(Failure) {
    if status.seccompMode == 0 || isOurs { return }
    throw Failure(.notPermitted, refusal(process, name, of: status.seccompMode))
  }

  /// An engine that may make no calls in a thread under seccomp does not tell why.
  static func explained(_ failure: Failure, of processes: [ProcessID]) -> Failure {
    if failure.errno != .notPermitted || isOurs { return failure }
    for process in processes {
      guard let files = try? ProcessFiles(process), let threads = try? files.numbers(in: "task") else {
        continue
      }
      for thread in threads {
        guard let text = try? ProcessFiles(ThreadID(thread), of: process).read("status") else { continue }
        let status = ProcessStatus(text)
        do throws(Failure) { try check(process, status.name, status) } catch { return error }
      }
    }
    return failure
  }

  /// Root of the first user namespace, who is not under seccomp himself.
  static let isOurs: Bool = {
    guard let own = try? ownStatus(), own.seccompMode == 0 else { return false }
    let administration: UInt64 = 1 << 21  // CAP_SYS_ADMIN
    return own.effective & administration != 0 && UserNamespace().isFirst
  }()

  private static func refusal(
    _ process: ProcessID, _ name: ByteString, of mode: UInt32
  ) -> ByteString {
    let what: StaticString = mode == 2 ? "filter" : "restriction"
    return "process \(process) (\(name)) runs under a seccomp \(what), which the kernel shows to root only "
      + "(CAP_SYS_ADMIN), outside of containers: ask as root"
  }
}

extension Collector {
  mutating func collectSeccomp<E: Engine & ~Copyable>(
    _ thread: inout Thread, _ process: ProcessID, _ name: ByteString, _ table: inout SeccompTable,
    by engine: inout E
  ) throws(Failure) {
    guard thread.seccompMode == 2 else { return }
    let id = thread.id
    let filters = try engaging { () throws(EngineError) in try engine.seccompFilters(of: id) }
    if filters.contains(where: { $0.asksListener }) {
      problems.add(
        "process \(process) (\(name)): the seccomp filter of thread \(id) leaves calls to a listener "
          + "(SECCOMP_RET_USER_NOTIF), which cannot be found again")
    }
    thread.seccompFilters = filters.map { table.index(of: $0) }
  }
}

extension SeccompFilter {
  /// It may answer SECCOMP_RET_USER_NOTIF: `struct sock_filter` is code 2, jumps 1 and 1, k 4.
  fileprivate var asksListener: Bool {
    stride(from: 0, to: instructions.count - 7, by: 8).contains { start in
      let code = UInt16(instructions[start]) | UInt16(instructions[start + 1]) << 8
      let action = UInt16(instructions[start + 6]) | UInt16(instructions[start + 7]) << 8
      // BPF_RET | BPF_K
      return code == 6 && action == 0x7fc0
    }
  }
}
