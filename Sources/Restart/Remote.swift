// SPDX-License-Identifier: Apache-2.0
import Architecture
import Engine
import Linux
import Request

/// A process under construction, which sets itself up by the system calls it is made to do.
struct Remote {
  let id: ProcessID
  /// For messages.
  let name: ByteString
  let machine: Machine
  let scratch: MemoryRange

  /// One call in the leader that must succeed; `step` follows "cannot" and is followed by "of".
  @discardableResult
  func call<E: Engine & ~Copyable>(
    _ step: StaticString, _ call: SystemCallName, _ arguments: [UInt64], by engine: inout E
  ) throws(Failure) -> UInt64 {
    switch try outcome(call, arguments, by: &engine) {
    case .success(let value): return value
    case .failure(let errno): throw Failure(step, id, name, errno)
    }
  }

  /// One call whose error is for the caller to judge.
  func outcome<E: Engine & ~Copyable>(
    _ call: SystemCallName, _ arguments: [UInt64], by engine: inout E
  ) throws(Failure) -> Result<UInt64, Errno> {
    do throws(EngineError) { return try engine.call(call, Self.six(arguments), in: id.leader) } catch {
      throw Failure(error)
    }
  }

  /// prctl(2) and others check that arguments they have no use for are 0.
  static func six(_ arguments: [UInt64]) -> [UInt64] {
    arguments + [UInt64](repeating: 0, count: 6 - arguments.count)
  }

  /// Puts bytes for a call to read into the scratch memory; their address.
  func put<E: Engine & ~Copyable>(
    _ bytes: [UInt8], at offset: Int = 0, by engine: inout E
  ) throws(Failure) -> UInt64 {
    let address = scratch.start + UInt64(offset)
    try engaging { () throws(EngineError) in try engine.write(bytes, to: address, of: id) }
    return address
  }

  func putPath<E: Engine & ~Copyable>(
    _ path: ByteString, by engine: inout E
  ) throws(Failure) -> UInt64 {
    try put(path.bytes + [0], by: &engine)
  }
}
