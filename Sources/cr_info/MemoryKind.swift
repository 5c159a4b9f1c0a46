// SPDX-License-Identifier: Apache-2.0
import Linux
import Snapshot

/// Memory as people think of it.
enum MemoryKind: Int, CaseIterable {
  case anonymous
  case heap
  case stack
  case privateFile
  case sharedFile
  case shared
  case kernel

  init(_ region: Region) {
    switch region.backing {
    case .anonymous:
      self = region.name == "[heap]" ? .heap : region.name == "[stack]" ? .stack : .anonymous
    case .file: self = region.isShared ? .sharedFile : .privateFile
    case .sharedMemory: self = .shared
    case .special: self = .kernel
    }
  }

  var words: StaticString {
    switch self {
    case .anonymous: "anonymous"
    case .heap: "heap"
    case .stack: "stack"
    case .privateFile: "files, private"
    case .sharedFile: "files, shared"
    case .shared: "shared memory"
    case .kernel: "of the kernel"
    }
  }

  /// What JSON calls it.
  var key: StaticString {
    switch self {
    case .anonymous: "anonymous"
    case .heap: "heap"
    case .stack: "stack"
    case .privateFile: "private_file"
    case .sharedFile: "shared_file"
    case .shared: "shared_memory"
    case .kernel: "kernel"
    }
  }
}

/// Bytes of address space, and how many of them have contents in the file.
struct MemoryAmount {
  var mapped: UInt64 = 0
  var saved: UInt64 = 0

  mutating func add(_ region: Region) {
    mapped += region.range.count
    saved += region.contents.reduce(0) { $0 + $1.count }
  }
}

extension Process {
  var memoryAmount: MemoryAmount {
    memory.regions.reduce(into: MemoryAmount()) { $0.add($1) }
  }
}

extension Snapshot {
  /// Of all processes, in the order of `MemoryKind`. Contents of shared memory are counted once.
  var memoryByKind: [MemoryAmount] {
    var amounts = MemoryKind.allCases.map { _ in MemoryAmount() }
    for process in processes {
      for region in process.memory.regions { amounts[MemoryKind(region).rawValue].add(region) }
    }
    amounts[MemoryKind.shared.rawValue].saved += sharedMemories.reduce(0) { total, object in
      object.contents.reduce(total) { $0 + $1.count }
    }
    return amounts
  }
}
