// SPDX-License-Identifier: Apache-2.0
import CLinux
import Linux
import Request
import Snapshot

/// Both sides of pseudo-terminals, until all of the job is known.
struct TerminalTable {
  var masters: [SeenObject] = []
  var slaves: [SeenObject] = []
}

extension Collector {
  /// Terminals of which one side may be in the job.
  mutating func terminal(_ seen: SeenDescriptor, _ index: Int) -> OpenFile.Kind? {
    let device = seen.status.specialDevice
    let isOnlyNamed = seen.info.flags & UInt32(CR_O_PATH) != 0
    if device == deviceNumber(major: 5, minor: 2) {
      if isOnlyNamed { return .characterDevice(path: seen.target, device: device) }
      terminals.masters.append(SeenObject(seen: seen, index: index))
      return .master(PseudoTerminal(path: seen.target, number: 0))
    }
    if !isOnlyNamed { terminals.slaves.append(SeenObject(seen: seen, index: index)) }
    return .terminal(path: seen.path, device: device)
  }

  /// Pairs them, and looks at what waits between the two.
  mutating func finishTerminals() throws(Failure) {
    if terminals.masters.isEmpty && terminals.slaves.isEmpty { return }
    var numbers: [UInt32: SeenObject] = [:]
    for master in terminals.masters {
      let terminal = try reading("terminal", of: master.seen.process) { () throws(Errno) in
        try PseudoTerminal(of: master.seen)
      }
      snapshot.openFiles[master.index].kind = .master(terminal)
      numbers[terminal.number] = master
      if terminal.settings.discipline != 0 {
        refuse(
          master.seen,
          "is the master of a terminal with line discipline \(terminal.settings.discipline), which keeps "
            + "a state of its own", dropping: master.index)
      }
    }
    var slaves: [UInt32: SeenObject] = [:]
    for slave in terminals.slaves {
      guard let found = terminalSlave(slave.seen, numbers) else { continue }
      snapshot.openFiles[slave.index].kind = .slave(found)
      if !found.isHungUp, slaves[found.number] == nil { slaves[found.number] = slave }
    }
    for (number, master) in numbers { finishTerminal(master, number, slaves[number]) }
  }

  /// A slave of a master in the job, or one that was hung up; nil for a terminal outside.
  private func terminalSlave(
    _ seen: SeenDescriptor, _ masters: [UInt32: SeenObject]
  ) -> TerminalSlave? {
    guard let own = try? ProcessHandle(seen.reach).descriptor(seen.number) else { return nil }
    var device = seen.status.specialDevice
    var isHungUp = false
    do throws(Errno) { device = try DescriptorNumber(own.number).terminalDevice() } catch {
      isHungUp = error == .io
    }
    guard deviceMajor(device) == 136 else { return nil }
    let number = deviceMinor(device)
    guard isHungUp || masters[number] != nil else { return nil }
    return TerminalSlave(path: seen.path, number: number, isHungUp: isHungUp)
  }

  private mutating func finishTerminal(_ master: SeenObject, _ number: UInt32, _ slave: SeenObject?) {
    guard case .master(var terminal) = snapshot.openFiles[master.index].kind,
      let own = try? ProcessHandle(master.seen.reach).descriptor(master.seen.number)
    else { return }
    defer { snapshot.openFiles[master.index].kind = .master(terminal) }
    if let slave {
      lookAt(&terminal, master, DescriptorNumber(own.number), slave: slave)
      return
    }
    let isClosed = (try? DescriptorNumber(own.number).pollEvents()).map { $0 & POLLHUP != 0 } ?? true
    if isClosed {
      terminal.slaveState = .closed
      lookAtQueues(&terminal, master, DescriptorNumber(own.number), nil)
    } else if let holder = Self.holder(of: "/dev/pts/\(number)") {
      terminal.slaveState = .closed
      warnings.append(
        "\(master.seen.name) is the master of a terminal at which \(holder) is, which is not saved: after "
          + "a restart nobody is at /dev/pts/\(number)")
    } else {
      terminal.slaveState = .unopened
    }
  }

  private mutating func lookAt(
    _ terminal: inout PseudoTerminal, _ master: SeenObject, _ own: DescriptorNumber, slave: SeenObject
  ) {
    guard let far = try? ProcessHandle(slave.seen.reach).descriptor(slave.seen.number) else { return }
    let number = DescriptorNumber(far.number)
    terminal.isExclusive = (try? number.isExclusive()) ?? false
    lookAtQueues(&terminal, master, own, number)
  }

  private mutating func lookAtQueues(
    _ terminal: inout PseudoTerminal, _ master: SeenObject, _ own: DescriptorNumber,
    _ slave: DescriptorNumber?
  ) {
    do throws(Errno) { terminal.queues = try TerminalQueues(of: own, slave: slave) } catch {
      warnings.append(
        "\(master.seen.name): cannot look at what waits in its terminal (\(error)): after a restart it is gone"
      )
    }
  }

  /// `process 12 (name)`, whoever has this path open; as far as we may look.
  private static func holder(of path: ByteString) -> ByteString? {
    for process in (try? allProcesses()) ?? [] where process != .own {
      guard let files = try? ProcessFiles(process), let numbers = try? files.numbers(in: "fd") else {
        continue
      }
      for number in numbers where (try? files.link("fd/\(number)")) == path {
        return "process \(process) (\(ProcessStat(of: process)?.name ?? ""))"
      }
    }
    return nil
  }
}

extension PseudoTerminal {
  /// All but what waits in it and who is at its other side.
  fileprivate init(of seen: SeenDescriptor) throws(Errno) {
    let own = try ProcessHandle(seen.reach).descriptor(seen.number)
    let master = DescriptorNumber(own.number)
    self.init(path: seen.target, number: try master.pseudoTerminalNumber())
    settings = try master.terminalSettings()
    window = try master.windowSize()
    isLocked = try master.isSlaveLocked()
    queues.hasPackets = try master.hasTerminalPackets()
    // Of an instance of devpts that we see, which is all that can be made again.
    let status = try FileStatus.of("/dev/pts/\(number)")
    mode = status.mode & 0o7777
    user = status.user
    group = status.group
  }
}
