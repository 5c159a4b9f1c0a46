// SPDX-License-Identifier: Apache-2.0
import Linux
import Request
import Snapshot

extension Snapshot {
  /// Replaces paths in everything that is looked up again.
  mutating func relocate(_ relocations: [Relocation]) {
    if relocations.isEmpty { return }
    for index in processes.indices { processes[index].relocate(relocations) }
    for index in openFiles.indices { openFiles[index].relocate(relocations) }
    for index in sharedMemories.indices {
      sharedMemories[index].path = relocations.applied(to: sharedMemories[index].path)
    }
  }
}

extension Process {
  fileprivate mutating func relocate(_ relocations: [Relocation]) {
    executable.path = relocations.applied(to: executable.path)
    workingDirectory = relocations.applied(to: workingDirectory)
    if rootDirectory != "/" { rootDirectory = relocations.applied(to: rootDirectory) }
    for index in memory.regions.indices {
      guard case .file(var identity) = memory.regions[index].backing else { continue }
      identity.path = relocations.applied(to: identity.path)
      memory.regions[index].backing = .file(identity)
    }
  }
}

extension OpenFile {
  fileprivate mutating func relocate(_ relocations: [Relocation]) {
    switch kind {
    case .regular(var identity):
      identity.path = relocations.applied(to: identity.path)
      kind = .regular(identity)
    case .deleted(var file):
      file.path = relocations.applied(to: file.path)
      kind = .deleted(file)
    case .directory(let path): kind = .directory(path: relocations.applied(to: path))
    case .fifo(let path, let end): kind = .fifo(path: relocations.applied(to: path), end)
    case .characterDevice(let path, let device):
      kind = .characterDevice(path: relocations.applied(to: path), device: device)
    case .terminal(let path, let device):
      kind = .terminal(path: relocations.applied(to: path), device: device)
    case .socket(var socket):
      let path = relocations.applied(to: socket.path)
      // A relative name stays what it is.
      if path != socket.path, socket.address.count > 2, socket.address[2] == UInt8(ascii: "/"),
        let address = UnixAddress.bytes(path)
      {
        socket.address = address
      }
      socket.path = path
      kind = .socket(socket)
    case .watches(var watches):
      for index in watches.indices {
        watches[index].path = relocations.applied(to: watches[index].path)
      }
      kind = .watches(watches)
    default: break
    }
  }
}
