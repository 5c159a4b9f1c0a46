// SPDX-License-Identifier: Apache-2.0
import Engine
import Linux

extension PtraceEngine {
  /// What is ours is taken out of every one of them before the first runs again: a busy process that
  /// is free already would take the CPU from us and let the others stand longer.
  public mutating func release(_ processes: [ProcessID]) {
    var ready: [HeldProcess] = []
    for process in processes {
      guard let held = try? held(process) else { continue }
      forget(held)
      // It goes in any case; one that is dying needs nothing taken out of it.
      do throws(EngineError) { try Self.withdraw(from: held) } catch {}
      ready.append(held)
    }
    for held in ready { Self.letGo(held) }
  }
}
