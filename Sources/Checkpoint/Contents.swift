// SPDX-License-Identifier: Apache-2.0
import Linux
import Snapshot

/// Contents that are to be written, in the order in which they stand in the file.
struct ContentPiece {
  enum Source {
    /// Positions are addresses of this process.
    case memory(ProcessID)
    /// Positions are offsets in the file that this path of /proc opens.
    case file(ByteString)
  }

  var source: Source
  var extent: Extent
  /// Index of the process in whose file it stands, where each has one.
  var part = 0
}

extension Collector {
  /// Every extent of the planned snapshot with the place that its bytes come from.
  var contents: [ContentPiece] {
    var pieces: [ContentPiece] = []
    for (index, process) in snapshot.processes.enumerated() {
      for region in process.memory.regions {
        for extent in region.contents {
          pieces.append(ContentPiece(source: .memory(process.id), extent: extent, part: index))
        }
      }
    }
    for (index, memory) in snapshot.sharedMemories.enumerated() {
      for extent in memory.contents {
        var start = extent
        // Read through our own memory.
        if let address = sharedMemories.ownAddresses[index] { start.position += address }
        // To look at a huge page that nobody has used yet makes one, and there may be none.
        let path = sharedMemories.paths[index]
        let isReadFromFile = memory.hugePageSize > 0 && !path.isEmpty
        pieces += parts(
          of: start, isReadFromFile ? [] : sharedMemories.mappings[index], path: path)
      }
    }
    for file in snapshot.openFiles {
      guard case .deleted(let deleted) = file.kind else { continue }
      let key = FileKey(device: deleted.device, inode: deleted.inode)
      guard let open = openFiles.anyDescriptor(of: key) ?? openFiles.first(of: key) else { continue }
      for extent in deleted.contents {
        let path: ByteString = "/proc/\(open.process)/fd/\(open.descriptor)"
        pieces.append(ContentPiece(source: .file(path), extent: extent))
      }
    }
    return pieces
  }

  /// A run of an object, cut where one mapping ends: a process that sees it writes it at full
  /// speed; what nobody sees (or may read) comes from the object's file.
  private func parts(
    of extent: Extent, _ mappings: [SharedMemoryTable.Mapping], path: ByteString
  ) -> [ContentPiece] {
    let usable = mappings.filter { $0.isShared && ($0.isReadable || path.isEmpty) }
    var pieces: [ContentPiece] = []
    var offset = extent.position
    let end = extent.position + extent.count
    while offset < end {
      var stop = end
      var piece = ContentPiece(
        source: .file(path),
        extent: Extent(
          position: offset, count: 0, fileOffset: extent.fileOffset + offset - extent.position))
      if let mapping = usable.first(where: { $0.contains(offset) }) {
        stop = min(end, mapping.offset + mapping.range.count)
        piece.source = .memory(mapping.process)
        piece.extent.position = mapping.range.start + offset - mapping.offset
      } else {
        for mapping in usable where mapping.offset > offset { stop = min(stop, mapping.offset) }
      }
      piece.extent.count = stop - offset
      pieces.append(piece)
      offset = stop
    }
    return pieces
  }
}

extension SharedMemoryTable.Mapping {
  /// Whether it shows this offset of its object.
  fileprivate func contains(_ objectOffset: UInt64) -> Bool {
    offset <= objectOffset && objectOffset < offset + range.count
  }
}
