// SPDX-License-Identifier: Apache-2.0
import CLinux
import Linux

/// An unnamed file that holds a context file on its way through a pipe or socket.
///
/// Memory is written out of order and checksums are read back, which a pipe cannot do.
enum Spool {
  /// On disk rather than in memory: the job itself may fill that.
  static func open() throws(Errno) -> FileDescriptor {
    var places: [ByteString] = ["/var/tmp", "/tmp"]
    if let chosen = Invocation.variable("TMPDIR"), !chosen.isEmpty { places.insert(chosen, at: 0) }
    for place in places {
      let number = place.withCString { cr_open_unnamed($0) }
      if number >= 0 { return FileDescriptor(owning: number) }
    }
    return try FileDescriptor(inMemoryNamed: "context")
  }

  /// Bytes that one read or write moves.
  private static let step = 1 << 20

  /// Whether a file begins as context files do, or as compressed ones do.
  static func looksLikeContext(
    _ file: borrowing FileDescriptor, orPacked: Bool = false
  ) throws(Errno) -> Bool {
    let beginning = try file.read(4, at: 0)
    let elf: [UInt8] = [0x7f, 0x45, 0x4c, 0x46]
    return elf.starts(with: beginning) || orPacked && Codec.mayBegin(with: beginning)
  }

  /// Copies everything that comes out of `source` until its end; stops early where it does not
  /// begin as a context file does.
  static func fill(_ file: borrowing FileDescriptor, from source: Int32) throws(Errno) {
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: step, alignment: 4096)
    defer { buffer.deallocate() }
    var offset: UInt64 = 0
    while true {
      let count = try checked(cr_read_waiting(source, buffer.baseAddress, buffer.count))
      if count == 0 { return }
      let part = UnsafeRawBufferPointer(rebasing: buffer[..<count])
      try file.write(part, at: offset)
      offset += UInt64(count)
      if try !looksLikeContext(file, orPacked: true) { return }
    }
  }

  /// Copies the whole file to where `destination` stands.
  static func empty(
    _ file: borrowing FileDescriptor, into destination: borrowing FileDescriptor
  ) throws(Errno) {
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: step, alignment: 4096)
    defer { buffer.deallocate() }
    var offset: UInt64 = 0
    while true {
      let count = try file.read(into: buffer, at: offset)
      if count == 0 { return }
      try destination.append(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
      offset += UInt64(count)
    }
  }
}
