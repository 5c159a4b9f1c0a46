// SPDX-License-Identifier: Apache-2.0

/// Where a program wants its memory to be, on a machine with several nodes: numa(7).
public enum MemoryPolicies {
  /// Several nodes have memory; with one, policies are without effect.
  public static let areEffective: Bool = {
    let path: ByteString = "/sys/devices/system/node/has_memory"
    guard let nodes = try? FileDescriptor(opening: path, flags: 0).readToEnd() else { return false }
    return nodes.contains(UInt8(ascii: "-")) || nodes.contains(UInt8(ascii: ","))
  }()

  /// `bind:0`, `interleave:0-1` … of a process and its mappings, each once. The kernel looks at every page for that.
  public static func of(_ process: ProcessID) -> [ByteString] {
    guard let text = try? ProcessFiles(process).read("numa_maps", expecting: 1 << 16) else { return [] }
    // `7f5a2c000000 default anon=3 dirty=3 N0=3`
    var found: [ByteString] = []
    var scanner = TextScanner(text)
    while !scanner.isAtEnd {
      _ = scanner.word()
      scanner.skipBlanks()
      let policy = scanner.word()
      if !policy.isEmpty, policy != "default", policy != "local", !found.contains(policy) {
        found.append(policy)
      }
      scanner.skipLine()
    }
    return found
  }
}
