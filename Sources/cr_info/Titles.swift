// SPDX-License-Identifier: Apache-2.0
import CommandLine
import Linux
import Snapshot

extension Region {
  /// `rw-p`, as /proc/PID/maps.
  var permissions: ByteString {
    let letters: [(UInt32, UInt8)] = [
      (1, UInt8(ascii: "r")), (2, UInt8(ascii: "w")), (4, UInt8(ascii: "x")),
    ]
    let text = letters.map { protection & $0.0 != 0 ? $0.1 : UInt8(ascii: "-") }
    return ByteString(text + [UInt8(ascii: isShared ? "s" : "p")])
  }

  func title(in snapshot: Snapshot) -> ByteString {
    switch backing {
    case .anonymous: return shown(name)
    case .file(let file): return shown(file.path)
    case .special(let name): return shown(name)
    case .sharedMemory(let index):
      let object = snapshot.sharedMemories[index]
      if object.path.isEmpty { return "shared memory \(index)" }
      let words: ByteString = object.kind == .deletedFile ? "deleted" : "saved with it"
      return "shared memory \(index): \(shown(object.path)) (\(words))"
    }
  }
}

extension SharedMemory {
  var kindName: StaticString {
    switch kind {
    case .anonymous: "anonymous"
    case .deletedFile: "deleted file"
    case .savedFile: "saved file"
    case .namedMemory: "POSIX shared memory"
    }
  }
}

extension OpenFile {
  var title: ByteString {
    switch kind {
    case .pipe(let end): "pipe \(end.pipe), \(end.unread.count) bytes unread"
    case .fifo(let path, let end): "\(shown(path)), \(end.unread.count) bytes unread"
    case .deleted(let file): "\(shown(file.path)) (deleted, \(Size.short(file.size)))"
    case .eventCounter(let counter):
      "eventfd, count \(counter.count)" + (counter.isSemaphore ? ", semaphore" : "")
    case .timer(let timer): timer.title
    case .epoll(let entries): "epoll, \(entries.count) files watched"
    case .watches(let watches): "inotify, \(watches.count) files watched"
    case .process(let process): "pidfd of process \(process)"
    case .socket(let socket): socket.title
    case .master(let terminal): terminal.title
    case .slave(let slave): shown(slave.path) + (slave.isHungUp ? ", hung up" : "")
    case .messageQueue(let queue):
      "POSIX message queue /\(shown(queue.name)), \(queue.messages.count) messages waiting"
    case .signals(let mask): "signalfd, mask \(hex: mask, width: 16)"
    default: shown(path ?? "")
    }
  }

  /// O_ACCMODE and O_APPEND in words.
  var access: ByteString {
    let words: [StaticString] = ["read", "write", "read/write", "none"]
    return ByteString(words[Int(flags & 3)])
  }

  var placeWords: ByteString {
    switch kind {
    case .regular, .deleted: ", at \(position)"
    default: ""
    }
  }

  var lossWords: ByteString {
    if case .terminal = kind { return " (reopened by name, or the restarter's own)" }
    return ""
  }
}

extension PseudoTerminal {
  fileprivate var title: ByteString {
    let states: [StaticString] = ["never opened", "open", "closed"]
    let state = ByteString(states[Int(slaveState.rawValue)])
    let typed = queues.input.count + queues.typed.count
    return "master of /dev/pts/\(number) (\(state)), \(typed) bytes typed and \(queues.output.count) bytes "
      + "written unread"
  }
}

extension TimerFile {
  fileprivate var title: ByteString {
    if remaining == 0 { return "timerfd, \(expirations) expirations unread, not running" }
    let left = "\(remaining / 1_000_000) ms left" as ByteString
    let again: ByteString = interval == 0 ? "" : ", every \(interval / 1_000_000) ms"
    return "timerfd, \(expirations) expirations unread, " + left + again
  }
}

extension Socket {
  fileprivate var title: ByteString {
    let families: ByteString = family == 1 ? "UNIX" : family == 2 ? "IPv4" : "IPv6"
    let types: ByteString = type == 1 ? "stream" : type == 2 ? "datagram" : "packet"
    var words = "\(families) \(types) socket" as ByteString
    switch state {
    case .idle: break
    case .listening: words += ", listening"
    case .connected: words += peer.map { ", connected to file \($0)" } ?? ", connected"
    }
    if !path.isEmpty { words += " " + shown(path) }
    return unread == 0 ? words : words + ", \(unread) bytes unread"
  }
}
