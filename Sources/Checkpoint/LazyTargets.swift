// SPDX-License-Identifier: Apache-2.0
import Engine
import Linux
import Request
import Snapshot

// Processes of which cr_restart --lazy has not loaded all memory yet: what is missing would be saved as
// zeros.

/// Waits as long as the request may last; without a limit it fails at once. Nobody is stopped yet.
///
/// Only those are looked at closely that are marked, since the kernel takes a while to tell what is
/// watched. Of the others the collector finds it when they stand still.
func awaitLoaded(
  _ processes: [ProcessID], until deadline: Deadline, _ report: inout Report
) throws(Failure) {
  guard processes.contains(where: { LoadingMark.isSet(for: $0) }) else { return }
  while let process = processes.first(where: { isBeingLoaded($0) }) {
    guard deadline.nanoseconds != .max, !deadline.hasPassed else {
      throw isBeingLoaded(process, ProcessStat(of: process)?.name ?? "")
    }
    guard report.advance(0) else { throw Failure(.interrupted, "called off; nobody was stopped") }
    pauseBriefly()
  }
}

/// Throws EBUSY for a process whose memory somebody else fills.
func checkLoaded(_ process: Process, _ regions: [MappedRegion]) throws(Failure) {
  if regions.contains(where: { $0.isWatchedForLoading(of: process.id) }) {
    throw isBeingLoaded(process.id, process.name)
  }
}

private func isBeingLoaded(_ process: ProcessID) -> Bool {
  guard let files = try? ProcessFiles(process.reachable),
    let text = try? files.read("smaps", expecting: 1 << 16)
  else { return false }
  return MappedRegion.parse(text).contains { $0.isWatchedForLoading(of: process) }
}

private func isBeingLoaded(_ process: ProcessID, _ name: ByteString) -> Failure {
  Failure(
    .busy,
    "memory of process \(process) (\(name)) is still being loaded (cr_restart --lazy): try again in a "
      + "moment, or use --time to wait for it")
}

extension MappedRegion {
  /// Missing pages are somebody else's business; a program that has a userfaultfd of its own is not
  /// meant.
  func isWatchedForLoading(of process: ProcessID) -> Bool {
    hasFlag("um") && !hasFlag("uw") && !process.hasUserFault
  }
}

extension ProcessID {
  fileprivate var hasUserFault: Bool {
    guard let files = try? ProcessFiles(reachable), let numbers = try? files.numbers(in: "fd") else {
      return false
    }
    return numbers.contains { (try? files.link("fd/\($0)")) == "anon_inode:[userfaultfd]" }
  }
}
