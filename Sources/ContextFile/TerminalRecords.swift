// SPDX-License-Identifier: Apache-2.0
import Linux
import Snapshot

// Both sides of pseudo-terminals. APPEND ONLY, as everywhere.

extension OpenFile {
  mutating func walkMaster<C: FieldCoder>(_ coder: inout C) {
    var terminal = PseudoTerminal(path: "", number: 0)
    if case .master(let present) = kind { terminal = present }
    terminal.walk(&coder)
    kind = .master(terminal)
  }

  mutating func walkSlave<C: FieldCoder>(_ coder: inout C) {
    var slave = TerminalSlave(path: "", number: 0, isHungUp: false)
    if case .slave(let present) = kind { slave = present }
    coder.field(&slave.path)
    coder.field(&slave.number)
    coder.field(&slave.isHungUp)
    kind = .slave(slave)
  }
}

extension PseudoTerminal {
  mutating func walk<C: FieldCoder>(_ coder: inout C) {
    coder.field(&path)
    coder.field(&number)
    var state = slaveState.rawValue
    coder.field(&state)
    if let known = SlaveState(rawValue: state) { slaveState = known } else { coder.refuse() }
    coder.field(&isLocked)
    coder.field(&isExclusive)
    coder.field(&mode)
    coder.field(&user)
    coder.field(&group)
    coder.record(&window) {
      $1.field(&$0.rows)
      $1.field(&$0.columns)
      $1.field(&$0.width)
      $1.field(&$0.height)
    }
    coder.record(&settings) { $0.walk(&$1) }
    coder.record(&queues) { $0.walk(&$1) }
  }
}

extension TerminalSettings {
  fileprivate mutating func walk<C: FieldCoder>(_ coder: inout C) {
    coder.field(&input)
    coder.field(&output)
    coder.field(&control)
    coder.field(&local)
    coder.field(&inputSpeed)
    coder.field(&outputSpeed)
    coder.field(&discipline)
    coder.field(&characters)
  }
}

extension TerminalQueues {
  fileprivate mutating func walk<C: FieldCoder>(_ coder: inout C) {
    coder.field(&input)
    coder.list(&lines, empty: InputLine(count: 0, isEndOfFile: false)) {
      $1.field(&$0.count)
      $1.field(&$0.isEndOfFile)
    }
    coder.field(&typed)
    coder.field(&output)
    coder.field(&flow)
    coder.field(&hasPackets)
    coder.field(&packetStatus)
  }
}
