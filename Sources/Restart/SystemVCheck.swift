// SPDX-License-Identifier: Apache-2.0
import Linux
import Request
import Snapshot

/// What is to become of the System V objects of a snapshot, and what stands in the way.
///
/// Programs keep ids in their memory, so an object must get the id it had. One that is still there
/// from before (the same id, key, maker and size) is taken over if nobody uses it.
struct SystemVCheck {
  enum Fate {
    /// With this id.
    case make
    /// It is still there.
    case takeOver
    /// With any id, and under its key or under none.
    case makeAnywhere(key: Int32)
  }

  let restoresIDs: Bool
  private(set) var problems = Problems()
  private(set) var warnings: [ByteString] = []

  init(restoresIDs: Bool) { self.restoresIDs = restoresIDs }

  mutating func check(_ snapshot: Snapshot) {
    let systemV = snapshot.systemV
    if systemV.isEmpty { return }
    for segment in systemV.segments {
      _ = fate(
        .segments, segment.identity, size: snapshot.sharedMemories[segment.memory].size,
        isRemoved: segment.isRemoved)
    }
    for set in systemV.semaphoreSets {
      _ = fate(.semaphores, set.identity, size: UInt64(set.semaphores.count))
    }
    for queue in systemV.messageQueues { _ = fate(.messages, queue.identity, size: nil) }
  }

  /// What there is to do about one; what stands in its way is among the problems then.
  ///
  /// - Parameters:
  ///   - size: that it must have to be the same; nil where that changes.
  ///   - isRemoved: nobody can find it by its key any more, and hardly anybody asks for its id.
  mutating func fate(
    _ kind: SystemVKind, _ identity: SystemV.Identity, size: UInt64?, isRemoved: Bool = false
  ) -> Fate {
    let table = kind.table
    let title = Self.title(kind, identity)
    let namesake = identity.key == 0 ? nil : table.first { $0.key == identity.key }
    guard restoresIDs else {
      if namesake != nil { warnings.append("\(title): its key is in use; it has none now") }
      return .makeAnywhere(key: namesake == nil ? identity.key : 0)
    }
    if let present = table.first(where: { $0.id == identity.id }) {
      if !isRemoved, present.key == identity.key, present.creatingUser == identity.creatingUser,
        !present.isRemoved, size == nil || present.size == size
      {
        if let user = Self.user(kind, present) {
          problems.add(.busy, "\(title) is still in use (\(user)): end that first")
        }
        return .takeOver
      }
      return inTheWay(
        "the id of \(title) is in use by another one, of user \(present.user)", .busy, isRemoved)
    }
    if let namesake {
      problems.add(
        .exists,
        "the key of \(title) is in use by another one, with the id \(namesake.id): remove that "
          + "(ipcrm), or use --no-restore-ipc")
      return .make
    }
    if !kind.canSetNextID {
      return inTheWay(
        "not permitted to give \(title) its old id: that needs root or CAP_CHECKPOINT_RESTORE",
        .notPermitted, isRemoved)
    }
    return .make
  }

  private mutating func inTheWay(
    _ words: ByteString, _ errno: Errno, _ isRemoved: Bool
  ) -> Fate {
    if isRemoved {
      warnings.append("\(words): it has another id now (it was marked for removal already)")
      return .makeAnywhere(key: 0)
    }
    problems.add(errno, "\(words); --no-restore-ipc gives new ids, which most programs cannot use")
    return .make
  }

  /// `System V segment 12 (key 0x4d2)`
  static func title(_ kind: SystemVKind, _ identity: SystemV.Identity) -> ByteString {
    let noun: ByteString =
      switch kind {
      case .segments: "segment"
      case .semaphores: "semaphores"
      case .messages: "message queue"
      }
    let key: ByteString =
      identity.key == 0 ? "" : " (key 0x\(hex: UInt32(bitPattern: identity.key)))"
    return "System V \(noun) \(identity.id)" + key
  }

  /// Who uses an object that is there; nil for nobody that is known.
  private static func user(_ kind: SystemVKind, _ entry: SystemVEntry) -> ByteString? {
    switch kind {
    case .segments:
      return entry.attachments == 0 ? nil : "\(entry.attachments) attachments"
    case .semaphores:
      for number in 0 ..< Int(entry.size) {
        if let count = try? SystemVCalls.waiting(for: entry.id, number), count > 0 {
          return "processes wait for it"
        }
      }
      return nil
    case .messages: return nil
    }
  }
}
