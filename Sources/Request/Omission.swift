// SPDX-License-Identifier: Apache-2.0
import CLinux
import Linux

/// Whether a process wants to be left out of checkpoints, by what is in its map list.
///
/// cr_restart says so with a page that it mapped, whose name is the message; `cr_run --omit` with the
/// library it loads. Both ask nothing of the process, and others cannot set them for it.
public enum Omission: Sendable {
  /// cr_restart: if it is the very target, or an orphan.
  case maybe
  /// cr_restart.
  case always
  /// cr_restart: it wants to be saved.
  case never
  /// A program with libcr_omit: itself, and what it started.
  case withDescendants

  /// Marks this process; for cr_restart.
  public func mark() throws(Errno) {
    let file = try FileDescriptor(inMemoryNamed: ByteString(word))
    try file.setSize(1)
    try checked(cr_map_for_reading(file.number, 0, 1))
  }

  /// What a process asks for; nil if nothing, or if it cannot be looked at.
  public init?(of process: ProcessID) {
    guard let maps = process.memoryMap else { return nil }
    self.init(maps: maps)
  }

  /// From the text of /proc/PID/maps.
  init?(maps: [UInt8]) {
    // Nearly no process asks, so the search is by bytes and the lines are parsed only after a hit.
    guard Self.holds(maps, "cr_restart-omit-") || Self.holds(maps, "/libcr_omit.so") else { return nil }
    for region in MappedRegion.parse(maps) {
      if let omission = Self.allCases.first(where: { region.name.hasPrefix($0.name) }) {
        self = omission
        return
      }
      if Self.isLibrary(region.name) {
        self = .withDescendants
        return
      }
    }
    return nil
  }

  private static var allCases: [Omission] { [.maybe, .always, .never] }

  private var word: StaticString {
    switch self {
    case .maybe: "cr_restart-omit-maybe"
    case .always: "cr_restart-omit-always"
    case .never: "cr_restart-omit-never"
    case .withDescendants: "libcr_omit"
    }
  }

  private var name: ByteString { "/memfd:\(word)" }

  /// `/any/where/libcr_omit.so`, with any version behind it.
  private static func isLibrary(_ path: ByteString) -> Bool {
    guard path.hasPrefix("/"), let slash = path.bytes.lastIndex(of: UInt8(ascii: "/")) else {
      return false
    }
    let name = path.dropFirst(slash + 1)
    return name == "libcr_omit.so" || name.hasPrefix("libcr_omit.so.")
  }

  private static func holds(_ text: [UInt8], _ word: StaticString) -> Bool {
    text.withUnsafeBytes { text in
      text.baseAddress.map { memmem($0, text.count, word.utf8Start, word.utf8CodeUnitCount) } ?? nil
    } != nil
  }
}
