// SPDX-License-Identifier: Apache-2.0
import Architecture
import CLinux
import Engine
import Linux
import Request
import Snapshot

extension Rebuilder {
  /// Fills the epoll instances that this process is to fill, while it still has the inherited
  /// numbers of everything.
  ///
  /// A process of the job does it, and not we: what is watched of a signalfd are the signals of
  /// whoever added it. An entry bears the number it was added by, so the file has it for a moment,
  /// before that number is given to what it belongs to now.
  func fillEpolls<E: Engine & ~Copyable>(
    _ index: Int, by engine: inout E, _ report: inout Report
  ) throws(Failure) {
    let remote = remote(index)
    for (file, saved) in snapshot.openFiles.enumerated() {
      guard case .epoll(let entries) = saved.kind, !entries.isEmpty, filler(of: file, entries) == index,
        let instance = files.openFiles[file]
      else { continue }
      for entry in entries {
        try watch(entry, instance, remote, by: &engine, &report)
      }
    }
  }

  private func watch<E: Engine & ~Copyable>(
    _ entry: EpollEntry, _ instance: DescriptorNumber, _ remote: Remote, by engine: inout E,
    _ report: inout Report
  ) throws(Failure) {
    let descriptor = Descriptor(number: entry.number, closeOnExec: false, openFile: entry.openFile)
    guard let file = files.source(of: descriptor) else { return }
    try remote.call(
      "number a watched file", .dup3, [UInt64(file.rawValue), UInt64(entry.number), 0], by: &engine)
    var event = TargetStructure(for: remote.machine)
    event.int32(entry.events)
    if !remote.machine.packsEpollEvents { event.int32(0) }
    event.int64(entry.data)
    let address = try remote.put(event.bytes, by: &engine)
    let outcome = try remote.outcome(
      .epollCtl,
      [UInt64(instance.rawValue), UInt64(EPOLL_CTL_ADD), UInt64(entry.number), address], by: &engine)
    if case .failure(let errno) = outcome {
      // A standard stream, which may be a file now, that is always ready.
      guard errno == .notPermitted else {
        throw Failure("watch a descriptor with the epoll instance", remote.id, remote.name, errno)
      }
      report.warn(
        "process \(remote.id) (\(remote.name)): descriptor \(entry.number) cannot be waited for any "
          + "more (epoll): it is another kind of file now")
    }
  }

  /// The process that fills an instance: best one for which all numbers lead where they did.
  private func filler(of file: Int, _ entries: [EpollEntry]) -> Int? {
    var first: Int?
    for index in living where snapshot.processes[index].sharesDescriptorsWith == nil {
      let descriptors = snapshot.processes[index].descriptors
      guard descriptors.contains(where: { $0.openFile == file }) else { continue }
      let hasAll = entries.allSatisfy { entry in
        descriptors.contains { $0.number == entry.number && $0.openFile == entry.openFile }
      }
      if hasAll { return index }
      if first == nil { first = index }
    }
    // One that is only under way in a socket is everybody's, for now.
    return first ?? living.first { snapshot.processes[$0].sharesDescriptorsWith == nil }
  }
}
