// SPDX-License-Identifier: Apache-2.0
import Architecture
import Linux
import Request
import Snapshot
import Testing

@testable import ContextFile

/// Open files that no path leads to.
struct ObjectTests {
  private static func timer() -> TimerFile {
    var timer = TimerFile(clock: 7)
    timer.settings = 3
    (timer.remaining, timer.interval, timer.expirations, timer.now) = (11, 12, 13, 14)
    return timer
  }

  private static func sealed() -> DeletedFile {
    var file = DeletedFile(path: "/memfd:x", mode: 0o600, size: 0, device: 1, inode: 2)
    file.seals = 0x1f
    return file
  }

  private static func deletedPipe() -> PipeEnd {
    var end = PipeEnd(pipe: 5, capacity: 4096, unread: [1])
    end.isDeleted = true
    return end
  }

  private static func listener() -> Socket {
    var socket = Socket(family: 1, type: 1, protocolNumber: 0, inode: 77)
    socket.state = .listening
    socket.address = [1, 0, 47, 120, 0]
    socket.path = "/x"
    (socket.mode, socket.user, socket.group, socket.backlog) = (0o640, 1000, 1001, 128)
    socket.isNameGone = true
    socket.waiting = [7]
    return socket
  }

  private static func connected() -> Socket {
    var socket = Socket(family: 1, type: 2, protocolNumber: 5, inode: 78)
    socket.state = .connected
    socket.peerAddress = [2, 0]
    socket.shutdown = 2
    socket.peer = 6
    socket.isPeerGone = true
    socket.hasError = true
    socket.isReset = true
    var carrier = SocketMessage(bytes: [1, 2], sender: [])
    carrier.descriptors = [1, 0]
    carrier.credentials = MessageCredentials(process: ProcessID(12), user: 1000, group: 1001)
    socket.messages = [SocketMessage(bytes: [], sender: [1, 0]), carrier]
    var connection = ConnectionState()
    (connection.sendSequence, connection.receiveSequence) = (4_000_000_001, 17)
    connection.queue = [1, 2, 3]
    connection.unsent = 2
    connection.window = [1, 2, 3, 4, 5]
    (connection.segmentSize, connection.timestamp) = (1460, 99)
    (connection.sendScale, connection.receiveScale, connection.options) = (7, 8, 7)
    socket.connection = connection
    socket.target = [2, 0, 9]
    socket.options = [SocketOption(level: 1, name: 7, value: [0, 1, 0, 0])]
    return socket
  }

  private static func terminal() -> PseudoTerminal {
    var terminal = PseudoTerminal(path: "/dev/pts/ptmx", number: 12)
    terminal.slaveState = .closed
    terminal.isLocked = true
    terminal.isExclusive = true
    terminal.window.columns = 132
    terminal.settings.local = 0x8a3b
    terminal.settings.outputSpeed = 115_200
    terminal.settings.characters = [3, 28, 127]
    terminal.queues.input = Array("one\ntw".utf8)
    terminal.queues.lines = [
      InputLine(count: 4, isEndOfFile: false), InputLine(count: 0, isEndOfFile: true),
    ]
    terminal.queues.typed = [1]
    terminal.queues.output = [2, 3]
    terminal.queues.flow = 2
    terminal.queues.hasPackets = true
    terminal.queues.packetStatus = 4
    return terminal
  }

  static var kinds: [OpenFile.Kind] {
    [
      .eventCounter(EventCounter(count: .max - 1, isSemaphore: true)), .timer(timer()),
      .signals(mask: 1 << 63 | 1),
      .epoll([EpollEntry(number: 5, events: 1 << 31, data: .max, openFile: 6)]),
      .watches([FileWatch(number: 9, mask: 2, path: "/a b")]), .process(ProcessID(4711)),
      .socket(listener()), .socket(connected()), .deleted(sealed()), .master(terminal()),
      .slave(TerminalSlave(path: "/dev/tty", number: 12, isHungUp: true)),
      .fifo(path: "/tmp/gone", deletedPipe()), .blockDevice(path: "/dev/sda", device: 0x800),
    ]
  }

  private func snapshot(_ machine: Machine, _ kinds: [OpenFile.Kind]) -> Snapshot {
    var sample = Sample(machine)
    var snapshot = sample.snapshot()
    snapshot.openFiles = kinds.map { OpenFile(kind: $0, flags: 2, position: 0) }
    snapshot.processes[0].descriptors = kinds.indices.map {
      Descriptor(number: Int32($0), closeOnExec: false, openFile: $0)
    }
    snapshot.sharedMemories[1].seals = 8
    return snapshot
  }

  @Test(arguments: machines)
  func `every kind of object comes back as it was`(machine: Machine) throws {
    var written = snapshot(machine, Self.kinds)
    let back = try read(try contextFile(&written))
    #expect(description(back) == description(written))
  }

  @Test func `an object that refers to a file that is not there is refused`() throws {
    var stray = Self.connected()
    stray.peer = 1
    var lost = Self.listener()
    lost.waiting = [9]
    var cut = Self.terminal()
    cut.queues.lines.append(InputLine(count: 3, isEndOfFile: false))
    let wrong: [OpenFile.Kind] = [
      .epoll([EpollEntry(number: 5, events: 1, data: 0, openFile: 2)]),
      .epoll([EpollEntry(number: -1, events: 1, data: 0, openFile: 0)]),
      .socket(stray), .socket(lost), .master(cut),
    ]
    for kind in wrong {
      var written = snapshot(.x86_64, [kind, .signals(mask: 0)])
      let bytes = try contextFile(&written)
      #expect(throws: Failure.self) { try read(bytes) }
    }
  }
}
