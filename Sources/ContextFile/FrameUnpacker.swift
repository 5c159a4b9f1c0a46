// SPDX-License-Identifier: Apache-2.0
import CLinux
import Linux
import Synchronization

/// Makes the plain bytes of a file that consists of compressed frames, whoever wrote it.
enum Unpacking {
  /// Throws EIO for bytes that are no frames, or that end within one; stops early, without an error,
  /// where what comes out does not begin as a context file does.
  static func unpack(
    _ file: borrowing FileDescriptor, by codec: Codec, into plain: borrowing FileDescriptor
  ) throws(Errno) {
    if let table = try SeekTable(of: file, size: file.status().size) {
      return try FrameUnpacker(table.frames, by: codec, from: file.number, into: plain.number).run()
    }
    try stream(file, by: codec, into: plain)
  }

  /// One frame after the other, for files without a table, as `zstd` and `lz4` write them.
  private static func stream(
    _ file: borrowing FileDescriptor, by codec: Codec, into plain: borrowing FileDescriptor
  ) throws(Errno) {
    let unpacker = try Unpacker(codec)
    let buffers = UnsafeMutableRawBufferPointer.allocate(byteCount: 2 << 20, alignment: 4096)
    defer { buffers.deallocate() }
    let packed = UnsafeMutableRawBufferPointer(rebasing: buffers[..<(1 << 20)])
    let room = UnsafeMutableRawBufferPointer(rebasing: buffers[(1 << 20)...])
    var (readOffset, writeOffset) = (UInt64(0), UInt64(0))
    var step = Unpacker.Step()
    while true {
      let count = try file.read(into: packed, at: readOffset)
      if count == 0 { break }
      readOffset += UInt64(count)
      var taken = 0
      // Once more when the room was filled: there may be more to come out without anything going in.
      repeat {
        step = try unpacker.goOn(
          with: UnsafeRawBufferPointer(rebasing: packed[taken ..< count]), into: room)
        try plain.write(UnsafeRawBufferPointer(rebasing: room[..<step.given]), at: writeOffset)
        writeOffset += UInt64(step.given)
        taken += step.taken
        if writeOffset > 0, try !Spool.looksLikeContext(plain) { return }
      } while taken < count || step.given == room.count
    }
    guard step.isAtEnd else { throw .io }
  }
}

/// Unpacks frames with several threads, each to its own place.
private final class FrameUnpacker {
  private let frames: [SeekTable.Frame]
  private let codec: Codec
  private let source: Int32
  private let target: Int32
  private let next = Atomic<Int>(0)
  private let failure = Atomic<Int32>(0)

  init(_ frames: [SeekTable.Frame], by codec: Codec, from source: Int32, into target: Int32) {
    self.frames = frames
    self.codec = codec
    self.source = source
    self.target = target
  }

  func run() throws(Errno) {
    Workers.run(max(1, min(Workers.processorCount, frames.count))) { _ in work() }
    let number = failure.load(ordering: .acquiring)
    if number != 0 { throw Errno(rawValue: number) }
  }

  private func work() {
    do throws(Errno) {
      let unpacker = try Unpacker(codec)
      while failure.load(ordering: .acquiring) == 0 {
        let index = next.add(1, ordering: .acquiringAndReleasing).oldValue
        if index >= frames.count { return }
        try unpack(frames[index], unpacker)
      }
    } catch {
      failure.store(error.rawValue, ordering: .releasing)
    }
  }

  private func unpack(
    _ frame: SeekTable.Frame, _ unpacker: borrowing Unpacker
  ) throws(Errno) {
    let buffers = UnsafeMutableRawBufferPointer.allocate(
      byteCount: frame.size + max(frame.plainSize, 1), alignment: 4096)
    defer { buffers.deallocate() }
    let packed = UnsafeMutableRawBufferPointer(rebasing: buffers[..<frame.size])
    let plain = UnsafeMutableRawBufferPointer(rebasing: buffers[frame.size...].prefix(frame.plainSize))
    guard try BorrowedFile(source).read(into: packed, at: frame.offset) == frame.size else { throw .io }
    try unpacker.unpack(UnsafeRawBufferPointer(packed), into: plain)
    var done = 0
    while done < frame.plainSize {
      let count = cr_pwrite(
        target, plain.baseAddress! + done, frame.plainSize - done,
        Int64(frame.plainOffset) + Int64(done))
      if count == -Int(EINTR) { continue }
      done += try checked(count)
    }
  }
}
