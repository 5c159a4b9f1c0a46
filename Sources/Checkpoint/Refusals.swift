// SPDX-License-Identifier: Apache-2.0
import Linux
import Request
import Snapshot

extension Collector {
  /// A descriptor that cannot be carried; `words` follow "descriptor 3".
  ///
  /// `isFinal`: nobody is at work on it, so the message does not say "yet".
  mutating func refuse(_ seen: SeenDescriptor, _ words: ByteString, isFinal: Bool = false) {
    problems.add("\(seen.name) \(words)" + (isFinal ? "" : ": not supported yet"))
  }
}
