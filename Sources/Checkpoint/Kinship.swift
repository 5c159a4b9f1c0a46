// SPDX-License-Identifier: Apache-2.0
import Linux

/// Which processes share their memory, descriptors or directories (clone(2) without CLONE_THREAD).
///
/// The kernel's order of such things lets each newcomer be found among all others in a few steps.
struct Kinship {
  /// Owners of different things, in the kernel's order.
  private var owners: [[(process: ProcessID, index: Int)]] = [[], [], []]

  /// The index of the process that shares this with `process`; nil if it is the first of its kind.
  /// A kernel without kcmp(2) says that nothing is shared.
  mutating func partner(_ thing: Kcmp.Thing, of process: ProcessID, at index: Int) -> Int? {
    let table =
      switch thing {
      case .memory: 0
      case .files: 1
      case .directories, .signalHandlers, .undoLists: 2
      }
    var low = 0
    var high = owners[table].count
    while low < high {
      let middle = (low + high) / 2
      let other = owners[table][middle]
      guard let order = try? Kcmp.order(thing, process.leader, other.process.leader) else {
        return nil
      }
      switch order {
      case .equal: return other.index
      case .less: high = middle
      case .greater: low = middle + 1
      // Neither less nor greater does not happen on today's kernels; it still is another thing.
      case .different: low = middle + 1
      }
    }
    owners[table].insert((process, index), at: low)
    return nil
  }
}
