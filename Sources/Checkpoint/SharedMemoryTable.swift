// SPDX-License-Identifier: Apache-2.0
import Linux
import Snapshot

/// The memory objects that several mappings see, each once in the job, and who has them mapped.
struct SharedMemoryTable {
  /// One mapping of an object.
  struct Mapping {
    var process: ProcessID
    var range: MemoryRange
    /// Of its first byte in the object.
    var offset: UInt64
    var isShared: Bool
    var isReadable: Bool
    /// Bytes that the object has in swap (smaps).
    var swapped: UInt64
  }

  private var indexes: [FileKey: Int] = [:]
  /// By index in `Snapshot.sharedMemories`.
  private(set) var mappings: [[Mapping]] = []
  /// Where the contents can be read from, likewise; empty: from the mappings only.
  private(set) var paths: [ByteString] = []

  /// System V segments by index, and one process that has it attached.
  private(set) var segments: [(index: Int, process: ProcessID)] = []
  /// Where we have attached those that no process has, by index.
  private(set) var ownAddresses: [Int: UInt64] = [:]

  /// An object that was met; nil for one that nobody has mapped.
  func index(of key: FileKey) -> Int? { indexes[key] }

  /// An object that nobody has mapped but we, whose index is the next one.
  mutating func addOwn(_ address: UInt64) {
    ownAddresses[mappings.count] = address
    mappings.append([])
    paths.append("/proc/self/mem")
  }

  /// The same, of which there is a file.
  mutating func addOwn(file: ByteString) {
    mappings.append([])
    paths.append(file)
  }

  mutating func setPath(_ path: ByteString, of index: Int) { paths[index] = path }

  /// The object behind a mapping, made at its first sight.
  ///
  /// - Parameter named: the file still has its name.
  mutating func index(
    of mapped: MappedRegion, in process: ProcessID, named: Bool = false, _ snapshot: inout Snapshot
  ) -> Int {
    // The inode of a segment is its id, and may be the number of another file as well.
    let isSegment = mapped.name.hasPrefix("/SYSV")
    let key = FileKey(
      device: mapped.device, inode: isSegment ? mapped.inode | 1 << 63 : mapped.inode)
    let index: Int
    if let known = indexes[key] {
      index = known
    } else {
      index = snapshot.sharedMemories.count
      indexes[key] = index
      var object = SharedMemory(mapped)
      if named { object.kind = .savedFile }
      snapshot.sharedMemories.append(object)
      if isSegment { segments.append((index, process)) }
      mappings.append([])
      paths.append("")
    }
    mappings[index].append(
      Mapping(
        process: process, range: mapped.range, offset: mapped.offset, isShared: mapped.isShared,
        isReadable: mapped.protection & 1 != 0, swapped: mapped.swapped))
    return index
  }
}

/// Which file, on this machine and at this moment.
struct FileKey: Hashable {
  var device: UInt64
  var inode: UInt64
}

extension SharedMemory {
  /// What the name of a mapping tells; size and contents come later.
  init(_ mapped: MappedRegion) {
    let path = mapped.name.hasSuffix(" (deleted)") ? mapped.name.dropLast(10) : mapped.name
    let isAnonymous =
      path == "/dev/zero" || path == "/anon_hugepage" || path.hasPrefix("/SYSV")
      || path.hasPrefix("[anon_shmem:")
    self.init(kind: isAnonymous ? .anonymous : .deletedFile, size: 0)
    if !isAnonymous { self.path = path }
    device = mapped.device
    inode = mapped.inode
    hugePageSize = mapped.hugePageSize
  }
}
