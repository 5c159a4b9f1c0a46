// SPDX-License-Identifier: Apache-2.0
import Architecture
import CLinux
import Engine
import Linux
import Request

/// Finds out what the kernel would add to a semaphore when a process ends (SEM_UNDO, semadj).
///
/// No call tells it, but semop(2) does: operations that would take an adjustment beyond its bounds
/// (−32768 and 32767) fail with ERANGE, and an array of operations of which one fails has no effect at
/// all. So we ask for steps to and fro, the one half of them to be undone, which leave the semaphore
/// as it is and move the adjustment by a chosen distance, and at the end for something that always
/// fails with EAGAIN. Which of the two errors it is says whether the distance was too long.
struct UndoProbe {
  let set: Int32
  let semaphore: UInt16
  let value: UInt16

  private static let highest = 32767
  private static let undo: UInt16 = 0x1000  // SEM_UNDO
  private static let noWait = UInt16(IPC_NOWAIT)

  /// Whether the semaphore has more room above than below: its steps then begin upwards.
  private var beginsUpwards: Bool { Int(value) <= Self.highest / 2 }

  func adjustment<E: Engine & ~Copyable>(
    _ remote: RemoteProcess, by engine: inout E
  ) throws(Failure) -> Result<Int32, Errno> {
    // The adjustment falls when the semaphore is raised: from −32768 on it is too low. Otherwise
    // it rises, and is too high beyond 32767.
    let zero = beginsUpwards ? Self.highest + 2 : Self.highest + 1
    var (least, most) = (1, 65536)
    var next = zero
    while least < most {
      switch try isBeyond(next, remote, by: &engine) {
      case .failure(let errno): return .failure(errno)
      case .success(true): most = next
      case .success(false): least = next + 1
      }
      // Nearly always it is 0: that takes two questions.
      next = next == zero && most == zero ? zero - 1 : (least + most) / 2
    }
    return .success(Int32(beginsUpwards ? least - zero : zero - least))
  }

  /// Whether an adjustment moved by `distance` would be out of bounds.
  private func isBeyond<E: Engine & ~Copyable>(
    _ distance: Int, _ remote: RemoteProcess, by engine: inout E
  ) throws(Failure) -> Result<Bool, Errno> {
    var operations: [(Int, UInt16)] = []
    var rest = distance
    while rest > 0 {
      let step = min(rest, beginsUpwards ? Self.highest - Int(value) : Int(value))
      operations.append((beginsUpwards ? step : -step, Self.undo))
      operations.append((beginsUpwards ? -step : step, 0))
      rest -= step
    }
    operations.append((-Self.highest - 1, Self.noWait))
    var bytes: [UInt8] = []
    for (change, flags) in operations {
      for field in [semaphore, UInt16(bitPattern: Int16(change)), flags] {
        withUnsafeBytes(of: field) { bytes += Array($0) }
      }
    }
    try remote.write(bytes, by: &engine)
    let outcome = try remote.outcome(
      .semop, [UInt64(UInt32(bitPattern: set)), remote.slot, UInt64(operations.count)], by: &engine)
    switch outcome {
    case .failure(.tryAgain): return .success(false)
    case .failure(let errno) where errno.rawValue == ERANGE: return .success(true)
    case .failure(let errno): return .failure(errno)
    case .success: return .failure(.io)
    }
  }
}
