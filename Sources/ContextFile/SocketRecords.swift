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
      $1.field(&$0.bytes)
      $1.field(&$0.sender)
    }
    coder.list(&options, empty: SocketOption(level: 0, name: 0, value: [])) {
      $1.field(&$0.level)
      $1.field(&$0.name)
      $1.field(&$0.value)
    }
    coder.field(&isReset)
  }
}
