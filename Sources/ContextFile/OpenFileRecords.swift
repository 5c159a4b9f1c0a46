// SPDX-License-Identifier: Apache-2.0
import Linux
import Snapshot

extension OpenFile {
  mutating func walk<C: FieldCoder>(_ coder: inout C) {
    walkKind(&coder)
    coder.field(&flags)
    coder.field(&position)
    coder.field(&ownerType)
    coder.field(&owner)
    coder.field(&signal)
    coder.field(&lostDirectoryMode)
  }

  private var kindNumber: UInt32 {
    switch kind {
    case .regular: 0
    case .deleted: 1
    case .directory: 2
    case .pipe: 3
    case .fifo: 4
    case .characterDevice: 5
    case .terminal: 6
    case .eventCounter: 7
    case .timer: 8
    case .signals: 9
    case .epoll: 10
    case .watches: 11
    case .process: 12
    case .socket: 13
    case .master: 14
    case .slave: 15
    case .messageQueue: 20
    case .blockDevice: 21
    }
  }

  private mutating func walkKind<C: FieldCoder>(_ coder: inout C) {
    var number = kindNumber
    coder.field(&number)
    // A record of its own, so that a kind can gain fields.
    coder.record(&self) { file, coder in
      switch number {
      case 0: file.walkRegular(&coder)
      case 1: file.walkDeleted(&coder)
      case 3, 4: file.walkPipe(&coder, named: number == 4)
      case 2, 5, 6, 21: file.walkNode(&coder, number)
      case 7: file.walkEventCounter(&coder)
      case 8: file.walkTimer(&coder)
      case 9: file.walkSignals(&coder)
      case 10: file.walkEpoll(&coder)
      case 11: file.walkWatches(&coder)
      case 12: file.walkProcess(&coder)
      case 13: file.walkSocket(&coder)
      case 14: file.walkMaster(&coder)
      case 15: file.walkSlave(&coder)
      case 20: file.walkMessageQueue(&coder)
      default: coder.refuse()
      }
    }
  }

  private mutating func walkRegular<C: FieldCoder>(_ coder: inout C) {
    var identity = FileIdentity(path: "")
    if case .regular(let present) = kind { identity = present }
    coder.record(&identity) { $0.walk(&$1) }
    coder.field(&identity.isContext)
    kind = .regular(identity)
  }

  private mutating func walkDeleted<C: FieldCoder>(_ coder: inout C) {
    var file = DeletedFile(path: "", mode: 0, size: 0, device: 0, inode: 0)
    if case .deleted(let present) = kind { file = present }
    coder.field(&file.path)
    coder.field(&file.mode)
    coder.field(&file.size)
    coder.field(&file.device)
    coder.field(&file.inode)
    coder.field(&file.sameFileAs)
    coder.field(&file.sharedMemory)
    coder.list(&file.contents, empty: Extent(position: 0, count: 0)) { $0.walk(&$1) }
    coder.field(&file.seals)
    coder.field(&file.hugePageSize)
    kind = .deleted(file)
  }

  private mutating func walkPipe<C: FieldCoder>(_ coder: inout C, named: Bool) {
    var path: ByteString = ""
    var end = PipeEnd(pipe: 0, capacity: 0, unread: [])
    if case .pipe(let present) = kind { end = present }
    if case .fifo(let name, let present) = kind { (path, end) = (name, present) }
    coder.field(&path)
    coder.field(&end.pipe)
    coder.field(&end.capacity)
    coder.field(&end.unread)
    coder.field(&end.hasStrangers)
    coder.numbers(&end.packets)
    coder.field(&end.isDeleted)
    kind = named ? .fifo(path: path, end) : .pipe(end)
  }

  /// A name in the file system and nothing more to restore.
  private mutating func walkNode<C: FieldCoder>(_ coder: inout C, _ number: UInt32) {
    var path: ByteString = ""
    var device: UInt64 = 0
    switch kind {
    case .directory(let name): path = name
    case .characterDevice(let name, let id), .blockDevice(let name, let id),
      .terminal(let name, let id):
      (path, device) = (name, id)
    default: break
    }
    coder.field(&path)
    coder.field(&device)
    switch number {
    case 2: kind = .directory(path: path)
    case 5: kind = .characterDevice(path: path, device: device)
    case 21: kind = .blockDevice(path: path, device: device)
    default: kind = .terminal(path: path, device: device)
    }
  }
}

/// Every end of a pipe carries the unread bytes in a snapshot; in the file only the first one does.
enum PipeSharing {
  static func dropRepeats(_ files: inout [OpenFile]) {
    var seen: Set<UInt64> = []
    for index in files.indices {
      guard var end = pipeEnd(of: files[index]) else { continue }
      if !seen.insert(end.pipe).inserted {
        end.unread = []
        end.packets = []
        replace(end, in: &files[index])
      }
    }
  }

  static func fillRepeats(_ files: inout [OpenFile]) {
    var first: [UInt64: PipeEnd] = [:]
    for index in files.indices {
      guard var end = pipeEnd(of: files[index]) else { continue }
      if let same = first[end.pipe] {
        end.unread = same.unread
        end.packets = same.packets
        replace(end, in: &files[index])
      } else {
        first[end.pipe] = end
      }
    }
  }

  private static func pipeEnd(of file: OpenFile) -> PipeEnd? {
    switch file.kind {
    case .pipe(let end), .fifo(_, let end): end
    default: nil
    }
  }

  private static func replace(_ end: PipeEnd, in file: inout OpenFile) {
    switch file.kind {
    case .pipe: file.kind = .pipe(end)
    case .fifo(let path, _): file.kind = .fifo(path: path, end)
    default: break
    }
  }
}
