// SPDX-License-Identifier: Apache-2.0
import Linux
import Snapshot

extension OpenFile {
  mutating func walkSocket<C: FieldCoder>(_ coder: inout C) {
    var socket = Socket(family: 0, type: 0, protocolNumber: 0, inode: 0)
    if case .socket(let present) = kind { socket = present }
    socket.walk(&coder)
    kind = .socket(socket)
  }
}

extension Socket {
  mutating func walk<C: FieldCoder>(_ coder: inout C) {
    coder.field(&family)
    coder.field(&type)
    coder.field(&protocolNumber)
    coder.field(&inode)
    var number = state.rawValue
    coder.field(&number)
    if let known = State(rawValue: number) { state = known } else { coder.refuse() }
    coder.field(&address)
    coder.field(&peerAddress)
    coder.field(&path)
    coder.field(&mode)
    coder.field(&user)
    coder.field(&group)
    coder.field(&isNameGone)
    coder.field(&backlog)
    coder.field(&shutdown)
    coder.field(&peer)
    coder.list(&waiting, empty: 0) { $1.field(&$0) }
    coder.field(&isPeerGone)
    coder.field(&hasError)
    coder.list(&messages, empty: SocketMessage(bytes: [], sender: [])) {
      $0.walk(&$1)
    }
    coder.list(&options, empty: SocketOption(level: 0, name: 0, value: [])) {
      $1.field(&$0.level)
      $1.field(&$0.name)
      $1.field(&$0.value)
    }
    coder.field(&isReset)
    var isKept = connection != nil
    coder.field(&isKept)
    var kept = connection ?? ConnectionState()
    coder.record(&kept) { $0.walk(&$1) }
    connection = isKept ? kept : nil
    coder.field(&target)
  }
}

extension ConnectionState {
  fileprivate mutating func walk<C: FieldCoder>(_ coder: inout C) {
    coder.field(&sendSequence)
    coder.field(&receiveSequence)
    coder.field(&queue)
    coder.field(&unsent)
    coder.numbers(&window)
    coder.field(&segmentSize)
    coder.field(&sendScale)
    coder.field(&receiveScale)
    coder.field(&options)
    coder.field(&timestamp)
  }
}

extension SocketMessage {
  fileprivate mutating func walk<C: FieldCoder>(_ coder: inout C) {
    coder.field(&bytes)
    coder.field(&sender)
    coder.list(&descriptors, empty: 0) { $1.field(&$0) }
    var isKnown = credentials != nil
    var sender = credentials ?? MessageCredentials(process: ProcessID(0), user: 0, group: 0)
    coder.field(&isKnown)
    coder.field(&sender.process)
    coder.field(&sender.user)
    coder.field(&sender.group)
    credentials = isKnown ? sender : nil
  }
}
