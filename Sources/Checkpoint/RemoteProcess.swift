// SPDX-License-Identifier: Apache-2.0
import Architecture
import Engine
import Linux
import Request

/// Questions that a held process answers itself, through the system calls it is made to do.
struct RemoteProcess {
  let id: ProcessID
  /// The thread that is asked.
  let speaker: ThreadID
  let machine: Machine
  let scratch: MemoryRange

  // prctl(2) operations of linux/prctl.h.
  static let getParentDeathSignal: UInt64 = 2
  static let getDumpable: UInt64 = 3
  static let getSecureBits: UInt64 = 27
  static let getTimerSlack: UInt64 = 30
  static let getChildSubreaper: UInt64 = 37
  static let getThreadAddress: UInt64 = 40

  /// Where a call puts its answer.
  var slot: UInt64 { scratch.start }
  var wordSize: Int { machine.wordSize.bytes }
  /// A 32-bit process under a 64-bit tool.
  var hasOtherWords: Bool { machine.wordSize != Machine.native.wordSize }

  /// One call; an error of the call itself fails the checkpoint.
  func call<E: Engine & ~Copyable>(
    _ name: SystemCallName, _ arguments: [UInt64], _ step: ByteString, by engine: inout E
  ) throws(Failure) -> UInt64 {
    switch try outcome(name, arguments, by: &engine) {
    case .success(let value): return value
    case .failure(let errno): throw Failure(step, id, errno)
    }
  }

  func outcome<E: Engine & ~Copyable>(
    _ name: SystemCallName, _ arguments: [UInt64], by engine: inout E
  ) throws(Failure) -> Result<UInt64, Errno> {
    // All six: prctl checks that unused ones are 0.
    let six = arguments + [UInt64](repeating: 0, count: 6 - arguments.count)
    do throws(EngineError) { return try engine.call(name, six, in: speaker) } catch {
      throw Failure(error)
    }
  }

  /// A call that fills `count` bytes at `slot`.
  func structure<E: Engine & ~Copyable>(
    _ count: Int, by engine: inout E, _ step: ByteString, _ name: SystemCallName,
    _ arguments: [UInt64]
  ) throws(Failure) -> TargetWords {
    _ = try call(name, arguments, step, by: &engine)
    return TargetWords(try read(MemoryRange(start: slot, count: UInt64(count)), by: &engine), of: machine)
  }

  func int32<E: Engine & ~Copyable>(
    by engine: inout E, _ step: ByteString, _ name: SystemCallName, _ arguments: [UInt64]
  ) throws(Failure) -> UInt32 {
    var words = try structure(4, by: &engine, step, name, arguments)
    return words.int32()
  }

  /// Into `slot`.
  func write<E: Engine & ~Copyable>(
    _ bytes: [UInt8], by engine: inout E
  ) throws(Failure) {
    do throws(EngineError) { try engine.write(bytes, to: slot, of: id) } catch {
      throw Failure(error)
    }
  }

  func read<E: Engine & ~Copyable>(
    _ range: MemoryRange, by engine: inout E
  ) throws(Failure) -> [UInt8] {
    do throws(EngineError) { return try engine.read(range, of: id) } catch { throw Failure(error) }
  }
}
