// SPDX-License-Identifier: Apache-2.0
import Linux

/// The System V objects of a job while it is rebuilt. Those that were made for it go again when it
/// comes to nothing.
final class SystemVObjects {
  struct MadeSegment {
    var id: Int32
    /// Where we have it attached ourselves.
    var address: UInt64
    var size: UInt64
  }

  /// By index in `Snapshot.sharedMemories`.
  var segments: [Int: MadeSegment] = [:]
  private var made: [(kind: SystemVKind, id: Int32)] = []

  func note(_ kind: SystemVKind, _ id: Int32) { made.append((kind, id)) }

  /// From now on they are the job's.
  func keep() { made = [] }

  /// Ours goes, whoever else has it attached.
  func detach() {
    for segment in segments.values where segment.address != 0 {
      SystemVCalls.detach(segment.address)
    }
    for index in segments.keys { segments[index]?.address = 0 }
  }

  deinit {
    detach()
    // One that was marked for removal is gone already.
    for (kind, id) in made { try? kind.remove(id) }
  }
}
