// SPDX-License-Identifier: Apache-2.0
import Linux
import Request
import Snapshot

extension Collector {
  mutating func finishEpolls() {
    for epoll in epolls {
      var entries: [EpollEntry] = []
      // How many entries of this number came before: the same number may have been used again.
      var places: [Int32: Int] = [:]
      for info in EpollEntryInfo.all(in: epoll.seen.text) {
        let place = places[info.number, default: 0]
        places[info.number] = place + 1
        guard let file = watchedFile(info, place, epoll) else { continue }
        entries.append(
          EpollEntry(number: info.number, events: info.events, data: info.data, openFile: file))
      }
      snapshot.openFiles[epoll.index].kind = .epoll(entries)
    }
  }

  /// Index of the open file; nil, and said why, for one that is not saved.
  private mutating func watchedFile(
    _ info: EpollEntryInfo, _ place: Int, _ epoll: SeenObject
  ) -> Int? {
    let seen = epoll.seen
    func isWatched(_ descriptor: Int32, of process: ProcessID) -> Bool {
      let order = try? Kcmp.order(
        descriptor: descriptor, of: process, andEntry: place, of: info.number, in: seen.number,
        of: seen.reach)
      return order == .equal
    }
    // Mostly the number still leads to it.
    let owner = snapshot.processes.first { $0.id == seen.process }
    let own = owner?.descriptors.first { $0.number == info.number }
    if let own, isWatched(own.number, of: seen.reach) { return own.openFile }
    let candidates = openFiles.all.filter { info.inode == 0 || $0.key.inode == info.inode }
    for entry in candidates where isWatched(entry.descriptor, of: entry.process) {
      if entry.index == nil {
        warnings.append("\(seen.name), an epoll instance, no longer watches what is left out")
      }
      return entry.index
    }
    refuse(
      seen,
      "is an epoll instance that watches a file (number \(info.number) when it was added) which no "
        + "process of the job has open any more", dropping: epoll.index, isFinal: true)
    return nil
  }
}
