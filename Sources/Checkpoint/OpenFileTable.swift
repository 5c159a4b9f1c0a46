// SPDX-License-Identifier: Apache-2.0
import Linux

/// The open file descriptions that were met, so that each is recorded once.
struct OpenFileTable {
  /// One description, and a descriptor that leads to it.
  struct Entry {
    var process: ProcessID
    var descriptor: Int32
    var key: FileKey
    var flags: UInt32
    var position: UInt64
    /// In `Snapshot.openFiles`; nil for one that cannot be saved.
    var index: Int?
  }

  private var entries: [FileKey: [Entry]] = [:]

  /// The description that this descriptor shares with an earlier one; nil for a new one.
  ///
  /// Only descriptions of the same file in the same state can be the same one, which kcmp(2) then
  /// decides; on a kernel without it they are taken for the same.
  func find(_ entry: Entry) -> Entry? {
    for other in entries[entry.key] ?? []
    where other.flags == entry.flags && other.position == entry.position {
      let order = try? Kcmp.order(
        descriptor: other.descriptor, of: other.process, and: entry.descriptor, of: entry.process)
      if order == nil || order == .equal { return other }
    }
    return nil
  }

  mutating func add(_ entry: Entry) { entries[entry.key, default: []].append(entry) }

  /// A descriptor of this file that can be read through.
  func anyDescriptor(of key: FileKey) -> Entry? {
    entries[key]?.first { $0.flags & 3 != 1 }
  }

  /// One for each description that was met, in no particular order.
  var all: [Entry] { entries.values.flatMap { $0 } }

  func first(of key: FileKey) -> Entry? { entries[key]?.first }
}
