// SPDX-License-Identifier: Apache-2.0
import CommandLine
import Linux

/// One of libcr's two stub libraries, and how the dynamic linker is told of it.
///
/// The bare name is best, since the loader then takes the library that fits each program (32 or 64
/// bits, in whatever is started below it). Only when the loader would not find it under that name is
/// the path beside our own program used, so that an installation under any prefix works unprepared.
struct StubLibrary {
  let name: ByteString
  private let searched: [ByteString]

  init(role: RunOptions.Role) {
    switch role {
    case .run: name = "libcr_run.so.0"
    case .omit: name = "libcr_omit.so.0"
    }
    searched = Self.foldersBesideProgram()
  }

  /// What to put into LD_PRELOAD; nil if the library is nowhere.
  func find() -> ByteString? {
    if loaderFindsName() { return name }
    for folder in searched {
      let path = "\(folder)/\(name)" as ByteString
      if exists(path) && PreloadList.canHold(path) { return path }
    }
    return nil
  }

  var complaint: ByteString {
    var text: ByteString = "cannot find \(name): neither the dynamic linker knows it"
    for folder in searched { text += ", nor is it in \(folder)" }
    return text + "; install the library or set LD_LIBRARY_PATH"
  }

  /// LD_LIBRARY_PATH, the cache that ldconfig(8) made, and the folders that ld.so always searches.
  private func loaderFindsName() -> Bool {
    let path = Invocation.variable("LD_LIBRARY_PATH") ?? ""
    let separators = [UInt8(ascii: ":"), UInt8(ascii: ";")]
    for folder in path.bytes.split(whereSeparator: { separators.contains($0) }) {
      if exists("\(ByteString(folder))/\(name)") { return true }
    }
    for folder: ByteString in ["/lib64", "/usr/lib64", "/lib", "/usr/lib"] {
      if exists("\(folder)/\(name)") { return true }
    }
    return cacheHoldsName()
  }

  /// The cache ends in a table of NUL-terminated names; its entries point into that.
  private func cacheHoldsName() -> Bool {
    guard
      let cache = try? FileDescriptor(opening: "/etc/ld.so.cache", flags: 0),
      let bytes = try? cache.readToEnd()
    else { return false }
    let wanted = [0] + name.bytes + [0]
    guard bytes.count > wanted.count else { return false }
    return (0 ... bytes.count - wanted.count).contains { start in
      bytes[start + 1] == wanted[1]
        && bytes[start ..< start + wanted.count].elementsEqual(wanted)
    }
  }

  private func exists(_ path: ByteString) -> Bool {
    (try? FileStatus.of(path)) != nil
  }

  /// `PREFIX/lib`, `PREFIX/lib64`, `PREFIX/lib/ARCH-linux-gnu` for a tool in `PREFIX/bin`.
  private static func foldersBesideProgram() -> [ByteString] {
    guard let program = try? readLink("/proc/self/exe") else { return [] }
    let bin = ByteString(program.bytes[..<(program.bytes.lastIndex(of: UInt8(ascii: "/")) ?? 0)])
    let prefix = ByteString(bin.bytes[..<(bin.bytes.lastIndex(of: UInt8(ascii: "/")) ?? 0)])
    var folders: [ByteString] = ["\(prefix)/lib", "\(prefix)/lib64"]
    if let machine = try? HostNames().machine {
      folders.append("\(prefix)/lib/\(machine)-linux-gnu")
    }
    return folders
  }
}
