// SPDX-License-Identifier: Apache-2.0
import CLinux
import Engine
import Linux
import Request

/// CR_EOMITTED of blcr_errcodes.h.
let CR_EOMITTED_CODE: Int32 = 2358

/// What cr_checkpoint() is to return.
enum Outcome {
  case continues
  case restarted
  /// With an error number, positive.
  case failed(Int32)

  var code: UInt32 {
    switch self {
    case .continues: CR_OUTCOME_CONTINUE.rawValue
    case .restarted: CR_OUTCOME_RESTART.rawValue
    case .failed: CR_OUTCOME_FAILED.rawValue
    }
  }

  /// CR_HOLD_CONT or CR_HOLD_RSTRT of libcr.h.
  var holdFlag: UInt32 {
    switch self {
    case .continues: 1
    case .restarted: 2
    case .failed: 0
    }
  }
}

/// What a thread says when it calls us: `enum cr_control_arrival`.
struct Arrival {
  let value: UInt32

  init(_ value: Int32) { self.value = UInt32(bitPattern: value) }

  var kind: UInt32 { value & 0xff }
  private var flags: UInt32 { value >> 8 & 0xf }
  private var code: Int32 { Int32(value >> 16) }

  /// The flags of cr_checkpoint(): CR_CHECKPOINT_OMIT 4, _PERM_FAILURE 2, _TEMP_FAILURE 1.
  var omits: Bool { flags == 4 }
  var isForGood: Bool { flags == 2 }

  /// The error number of a refusal, nil if there is none.
  var refusal: Int32? {
    if flags == 0 || omits { return nil }
    // CR_EPERMFAIL, CR_ETEMPFAIL.
    return code != 0 ? code : isForGood ? 2355 : 2354
  }
}

extension Party {
  /// Fills the block in for a request that begins.
  func invite(
    _ invitation: Invitation, by engine: inout some Engine & ~Copyable
  ) throws(EngineError) {
    let request = invitation.request
    try block.set(.outcome, to: CR_OUTCOME_NONE.rawValue, by: &engine)
    try block.set(.error, to: 0, by: &engine)
    try block.set(.signal, to: UInt32(bitPattern: request.signal), by: &engine)
    try block.set(.requester, to: UInt32(bitPattern: invitation.requester.rawValue), by: &engine)
    try block.set(.target, to: UInt32(bitPattern: request.target), by: &engine)
    try block.set(.scope, to: request.scope.rawValue, by: &engine)
    try block.setPath(
      at: Int(CR_AT_DESTINATION), to: invitation.destination, by: &engine)
  }

  /// Says how it ended; with a request's number the phase becomes idle too. Only the first word
  /// counts: callbacks that heard of success are in the midst of what follows from it.
  func end(
    _ outcome: Outcome, _ number: UInt32?, by engine: inout some Engine & ~Copyable
  ) throws(EngineError) {
    try block.refresh(by: engine)
    if isTold {
      if let number { try setPhase(CR_PHASE_IDLE, of: number, by: &engine) }
      return
    }
    isTold = true
    if case .failed(let errno) = outcome {
      try block.set(.error, to: UInt32(bitPattern: errno), by: &engine)
    }
    try block.set(.outcome, to: outcome.code, by: &engine)
    try answer(by: &engine)
    if let number { try setPhase(CR_PHASE_IDLE, of: number, by: &engine) }
  }

  /// Threads that stand still until the callbacks are over (cr_hold_ctrl).
  func threadsToHold(
    _ outcome: Outcome, by engine: borrowing some Engine & ~Copyable
  ) throws(EngineError) -> Set<Int32> {
    let known = try block.threads(by: engine)
    var waiting: Set<Int32> = []
    for thread in engine.threads(of: process) {
      let number = UInt32(bitPattern: thread.rawValue)
      if number == block[.server] || ready.contains(thread.rawValue) { continue }
      var setting = block[.holdUninit]
      if let record = known.first(where: { $0.id == thread }) {
        if record.isRunningCallbacks { continue }
        // CR_HOLD_DFLT
        setting = record.hold == 4 ? block[.holdInit] : record.hold
      }
      if setting & outcome.holdFlag != 0 { waiting.insert(thread.rawValue) }
    }
    return waiting
  }
}
