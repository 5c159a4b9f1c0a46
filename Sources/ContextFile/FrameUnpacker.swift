// SPDX-License-Identifier: Apache-2.0
import CLinux
import CZstd
import Linux
import Synchronization

/// Makes the plain bytes of a file that consists of zstd frames, whoever wrote it.
enum Unpacking {
  /// Whether the file begins as zstd's do.
  static func isWanted(for file: borrowing FileDescriptor) throws(Errno) -> Bool {
    try file.read(4, at: 0) == ZstdFormat.magic
  }

  /// Throws EIO for bytes that are no frames, or that end within one; stops early, without an error,
  /// where what comes out does not begin as a context file does.
  static func unpack(
    _ file: borrowing FileDescriptor, into plain: borrowing FileDescriptor
  ) throws(Errno) {
    let size = try file.status().size
    if let frames = try SeekTable.read(file, size) {
      let unpacker = FrameUnpacker(frames, from: file.number, into: plain.number)
      return try unpacker.run()
    }
    try stream(file, into: plain)
  }

  /// One frame after the other, for files without a table, as `zstd` writes them.
  private static func stream(
    _ file: borrowing FileDescriptor, into plain: borrowing FileDescriptor
  ) throws(Errno) {
    guard let state = cr_zstd_unpacker() else { throw Errno(rawValue: ENOMEM) }
    let buffers = UnsafeMutableRawBufferPointer.allocate(byteCount: 2 << 20, alignment: 4096)
    defer {
      cr_zstd_free_unpacker(state)
      buffers.deallocate()
    }
    let packed = UnsafeMutableRawBufferPointer(rebasing: buffers[..<(1 << 20)])
    let room = UnsafeMutableRawBufferPointer(rebasing: buffers[(1 << 20)...])
    var (readOffset, writeOffset) = (UInt64(0), UInt64(0))
    // Bytes that are still to come of the frame we are in.
    var left = 1
    while true {
      let count = try file.read(into: packed, at: readOffset)
      if count == 0 { break }
      readOffset += UInt64(count)
      var taken = 0
      var isFull = false
      // Once more when the room was filled: there may be more to come out without anything going in.
      while taken < count || isFull {
        var step = cr_zstd_step()
        left = try checked(
          cr_zstd_go_on(
            state, room.baseAddress, room.count, packed.baseAddress! + taken, count - taken, &step))
        try plain.write(UnsafeRawBufferPointer(rebasing: room[..<step.given]), at: writeOffset)
        writeOffset += UInt64(step.given)
        taken += step.taken
        isFull = step.given == room.count
        if writeOffset > 0, try !Spool.looksLikeContext(plain) { return }
      }
    }
    guard left == 0 else { throw .io }
  }
}

/// Where each frame is, in the file and in the plain bytes.
struct SeekTable {
  struct Frame {
    var offset: UInt64
    var size: Int
    var plainOffset: UInt64
    var plainSize: Int
  }

  /// nil if there is none, or one that does not fit the file: then the frames are read in turn.
  static func read(
    _ file: borrowing FileDescriptor, _ size: UInt64
  ) throws(Errno) -> [Frame]? {
    let footerSize = UInt64(ZstdFormat.tableFooterSize)
    guard size > footerSize else { return nil }
    let footer = try file.read(ZstdFormat.tableFooterSize, at: size - footerSize)
    guard footer.count == ZstdFormat.tableFooterSize, word(footer, 5) == ZstdFormat.tableEnd,
      footer[4] & 0x7f == 0
    else { return nil }
    let entrySize: UInt64 = footer[4] & 0x80 == 0 ? 8 : 12
    let length = UInt64(word(footer, 0)) * entrySize + footerSize
    let whole = length + UInt64(ZstdFormat.tableHeaderSize)
    guard whole <= size, length <= 1 << 30 else { return nil }
    let bytes = try file.read(Int(whole), at: size - whole)
    guard bytes.count == Int(whole), word(bytes, 0) == ZstdFormat.tableMagic,
      UInt64(word(bytes, 4)) == length
    else { return nil }
    var frames: [Frame] = []
    var (offset, plainOffset) = (UInt64(0), UInt64(0))
    for index in 0 ..< Int(word(footer, 0)) {
      let entry = ZstdFormat.tableHeaderSize + index * Int(entrySize)
      let frame = Frame(
        offset: offset, size: Int(word(bytes, entry)), plainOffset: plainOffset,
        plainSize: Int(word(bytes, entry + 4)))
      guard max(frame.size, frame.plainSize) <= ZstdFormat.largestFrame else { return nil }
      offset += UInt64(frame.size)
      plainOffset += UInt64(frame.plainSize)
      frames.append(frame)
    }
    return offset == size - whole ? frames : nil
  }

  private static func word(_ bytes: [UInt8], _ offset: Int) -> UInt32 {
    (0 ..< 4).reduce(UInt32(0)) { $0 | UInt32(bytes[offset + $1]) << UInt32(8 * $1) }
  }
}

/// Unpacks frames with several threads, each to its own place.
private final class FrameUnpacker {
  private let frames: [SeekTable.Frame]
  private let source: Int32
  private let target: Int32
  private let next = Atomic<Int>(0)
  private let failure = Atomic<Int32>(0)

  init(_ frames: [SeekTable.Frame], from source: Int32, into target: Int32) {
    self.frames = frames
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
      guard let state = cr_zstd_unpacker() else { throw Errno(rawValue: ENOMEM) }
      defer { cr_zstd_free_unpacker(state) }
      while failure.load(ordering: .acquiring) == 0 {
        let index = next.add(1, ordering: .acquiringAndReleasing).oldValue
        if index >= frames.count { return }
        try unpack(frames[index], state)
      }
    } catch {
      failure.store(error.rawValue, ordering: .releasing)
    }
  }

  private func unpack(
    _ frame: SeekTable.Frame, _ state: UnsafeMutableRawPointer
  ) throws(Errno) {
    let packed = try BorrowedFile(source).read(frame.size, at: frame.offset)
    let plain = UnsafeMutableRawBufferPointer.allocate(
      byteCount: max(frame.plainSize, 1), alignment: 4096)
    defer { plain.deallocate() }
    let result = packed.withUnsafeBytes {
      cr_zstd_unpack(state, plain.baseAddress, frame.plainSize, $0.baseAddress, $0.count)
    }
    try checked(result)
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
