// SPDX-License-Identifier: Apache-2.0
import CLinux
import Linux
import Request
import Snapshot

/// Pseudo-terminals whose master the job had: made here, with all that waited in them.
extension FileOpener {
  mutating func openPseudoTerminals() throws(Failure) {
    var masters: [(index: Int, terminal: PseudoTerminal)] = []
    for (index, file) in snapshot.openFiles.enumerated() {
      if case .master(let terminal) = file.kind { masters.append((index, terminal)) }
    }
    // The kernel gives out the lowest number that is free; those in between are held for so long.
    masters.sort { $0.terminal.number < $1.terminal.number }
    let spares = Spares()
    for (index, terminal) in masters {
      do throws(Errno) {
        try openPair(index, terminal, spares)
      } catch {
        throw Failure(error, "cannot make the terminal of \(name(index)) again: \(error)")
      }
    }
    for (index, file) in snapshot.openFiles.enumerated() {
      guard case .slave(let slave) = file.kind, files.openFiles[index] == nil else { continue }
      do throws(Errno) {
        try openHungUp(index, slave)
      } catch {
        throw Failure(error, "cannot make \(slave.path) again, \(name(index)): \(error)")
      }
    }
  }

  /// Descriptors that keep numbers from being given out.
  private final class Spares {
    var numbers: [Int32] = []
    deinit { for number in numbers { DescriptorNumber(number).close() } }
  }

  private mutating func openPair(
    _ index: Int, _ terminal: PseudoTerminal, _ spares: Spares
  ) throws(Errno) {
    let master = try keep(index, newMaster(terminal, spares))
    let flags = snapshot.openFiles[index].flags & ~openingFlags
    let number = try master.pseudoTerminalNumber()
    files.terminals[terminal.number] = master
    if number != terminal.number {
      warnings.append(
        "the terminal /dev/pts/\(terminal.number) of \(name(index)) is /dev/pts/\(number) now, since the old "
          + "number is in use: a program that kept the name will not find it")
    }
    try master.setSlaveLocked(false)
    try master.setWindowSize(terminal.window)
    try master.setStatusFlags(UInt32(O_NONBLOCK))
    if terminal.slaveState == .unopened {
      try fill(terminal, index, master, slave: master)
    } else {
      let slave = try master.openSlave(flags: O_RDWR | O_NOCTTY | O_NONBLOCK)
      try fill(terminal, index, master, slave: DescriptorNumber(slave.number))
      try setOwnership(terminal, number, DescriptorNumber(slave.number))
      try openSlaves(of: terminal, master)
      if terminal.isExclusive { try DescriptorNumber(slave.number).setExclusive() }
    }
    try master.setSlaveLocked(terminal.isLocked)
    try master.setStatusFlags(flags)
  }

  /// With the number it had, if that is free.
  private func newMaster(
    _ terminal: PseudoTerminal, _ spares: Spares
  ) throws(Errno) -> FileDescriptor {
    let isTaken = (try? FileStatus.of("/dev/pts/\(terminal.number)")) != nil
    while true {
      let file: FileDescriptor
      do throws(Errno) { file = try FileDescriptor(opening: terminal.path, flags: O_RDWR | O_NOCTTY) } catch {
        file = try KernelObjects.pseudoTerminal()
      }
      let number = try DescriptorNumber(file.number).pseudoTerminalNumber()
      if isTaken || number >= terminal.number { return file }
      spares.numbers.append(file.disown())
    }
  }

  private mutating func fill(
    _ terminal: PseudoTerminal, _ index: Int, _ master: DescriptorNumber, slave: DescriptorNumber
  ) throws(Errno) {
    let lost = try terminal.queues.fill(master: master, slave: slave, terminal.settings)
    if lost > 0 {
      warnings.append("\(name(index)): \(lost) bytes that waited in its terminal found no room")
    }
  }

  private func openSlaves(of terminal: PseudoTerminal, _ master: DescriptorNumber) throws(Errno) {
    for (index, file) in snapshot.openFiles.enumerated() {
      guard case .slave(let slave) = file.kind, slave.number == terminal.number, !slave.isHungUp else {
        continue
      }
      let flags = Int32(bitPattern: file.flags & ~openingFlags) | O_NOCTTY
      try keep(index, master.openSlave(flags: flags))
    }
  }

  /// grantpt(3), login and others give the slave to a user.
  private mutating func setOwnership(
    _ terminal: PseudoTerminal, _ number: UInt32, _ slave: DescriptorNumber
  ) throws(Errno) {
    let status = try slave.status()
    if status.user != terminal.user || status.group != terminal.group {
      let result = cr_syscall(
        Int(SYS_fchown), Int(slave.rawValue), Int(terminal.user), Int(terminal.group), 0, 0, 0)
      if result < 0 {
        warnings.append("/dev/pts/\(number) cannot be given to user \(terminal.user) again")
      }
    }
    if status.mode & 0o7777 != terminal.mode { try? slave.setMode(terminal.mode) }
  }

  private mutating func openHungUp(_ index: Int, _ slave: TerminalSlave) throws(Errno) {
    let master = try KernelObjects.pseudoTerminal()
    let number = DescriptorNumber(master.number)
    try number.setSlaveLocked(false)
    let flags = Int32(bitPattern: snapshot.openFiles[index].flags & ~openingFlags) | O_NOCTTY
    try keep(index, number.openSlave(flags: flags))
    // Its end hangs the slave up.
    _ = consume master
  }
}
