// SPDX-License-Identifier: Apache-2.0
import Linux
import Snapshot

/// Which terminal this restart is at, and so where a job goes on that was at one.
struct Terminals {
  /// Device number of our controlling terminal, 0 for none.
  private let own: UInt64

  init() {
    let text = try? ProcessFiles(.own).read("stat")
    own = text.flatMap { ProcessStat($0) }?.terminal ?? 0
  }

  /// Whether a terminal that a process has open can be opened again by its path.
  ///
  /// Where the job was talked to, it goes on where cr_restart is talked to. Any other path may lead
  /// to somebody else's terminal by now, even if we may open it.
  func isStill(_ path: ByteString, _ device: UInt64, of process: Process) -> Bool {
    guard let status = try? FileStatus.of(path), status.isCharacterDevice,
      status.specialDevice == device
    else { return false }
    if path == "/dev/tty" { return true }
    if device == process.controllingTerminal { return device == own }
    return status.user == (process.threads.first?.credentials.userIDs.first ?? 0)
  }
}

extension Snapshot {
  /// Gives each standard stream that was a lost terminal a description of its own.
  ///
  /// A shell opens the terminal once for all three; what takes its place are our own three, which
  /// may be a pipe, a file and another terminal.
  mutating func separateStandardStreams() {
    let terminals = Terminals()
    for index in openFiles.indices {
      guard case .terminal(let path, let device) = openFiles[index].kind,
        let owner = processes.first(where: { $0.descriptors.contains { $0.openFile == index } }),
        !terminals.isStill(path, device, of: owner)
      else { continue }
      for number: Int32 in 1 ... 2 { separate(number, from: index) }
    }
  }

  private mutating func separate(_ number: Int32, from index: Int) {
    var isNew = true
    for process in processes.indices {
      for place in processes[process].descriptors.indices {
        let descriptor = processes[process].descriptors[place]
        guard descriptor.openFile == index, descriptor.number == number else { continue }
        if isNew { openFiles.append(openFiles[index]) }
        isNew = false
        processes[process].descriptors[place].openFile = openFiles.count - 1
      }
    }
  }
}
