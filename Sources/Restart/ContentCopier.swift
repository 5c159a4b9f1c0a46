// SPDX-License-Identifier: Apache-2.0
import CLinux
import Linux
import Snapshot

/// Contents that do not belong to one process's memory: of deleted files and shared memory.
struct ContentCopier {
  /// The context file; open for as long as this is used.
  let source: Int32

  init(_ file: borrowing FileDescriptor) { source = file.number }

  /// Puts saved runs at their places in a file.
  func copy(_ extents: [Extent], to file: borrowing FileDescriptor) throws(Errno) {
    for extent in extents {
      var done: UInt64 = 0
      while done < extent.count {
        let step = Int(min(extent.count - done, 1 << 20))
        let bytes = try read(step, at: extent.fileOffset + done)
        try file.write(bytes, at: extent.position + done)
        done += UInt64(step)
      }
    }
  }

  /// The same for memory of ours: one copy less.
  func copy(_ extents: [Extent], to memory: UnsafeMutableRawBufferPointer) throws(Errno) {
    let borrowed = FileDescriptor(owning: source)
    var failure: Errno?
    do throws(Errno) {
      for extent in extents {
        let end = extent.position + extent.count
        guard end <= UInt64(memory.count) else { throw .overflow }
        let part = UnsafeMutableRawBufferPointer(rebasing: memory[Int(extent.position) ..< Int(end)])
        guard try borrowed.read(into: part, at: extent.fileOffset) == part.count else { throw .io }
      }
    } catch { failure = error }
    _ = borrowed.disown()
    if let failure { throw failure }
  }

  /// And for a file in huge pages, which cannot be written to.
  func copy(
    _ extents: [Extent], toHuge file: borrowing FileDescriptor, size: UInt64
  ) throws(Errno) {
    if extents.isEmpty { return }
    let address = try checked(cr_map_shared(Int(size), 0, file.number))
    defer { _ = cr_syscall(Int(SYS_munmap), address, Int(size), 0, 0, 0, 0) }
    try copy(
      extents,
      to: UnsafeMutableRawBufferPointer(
        start: UnsafeMutableRawPointer(bitPattern: UInt(bitPattern: address)), count: Int(size)))
  }

  private func read(_ count: Int, at offset: UInt64) throws(Errno) -> [UInt8] {
    let borrowed = FileDescriptor(owning: source)
    var bytes: [UInt8] = []
    var failure: Errno?
    do throws(Errno) { bytes = try borrowed.read(count, at: offset) } catch { failure = error }
    _ = borrowed.disown()
    if let failure { throw failure }
    // The reader has checked that the file has them; it may have been cut since.
    guard bytes.count == count else { throw .io }
    return bytes
  }
}
