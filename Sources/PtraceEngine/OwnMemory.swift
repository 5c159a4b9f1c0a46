// SPDX-License-Identifier: Apache-2.0
import Linux

extension PtraceEngine {
  public func ownMemory(in process: ProcessID) -> [MemoryRange] {
    guard let held = processes[process.rawValue] else { return [] }
    var ranges: [MemoryRange] = []
    if let scratch = held.scratch { ranges.append(scratch.range) }
    if let lifelines = held.lifelines { ranges.append(lifelines) }
    return ranges
  }
}
