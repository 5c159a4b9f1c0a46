// SPDX-License-Identifier: Apache-2.0
import CLinux
import CZstd
import Linux

/// Constants of Zstandard (RFC 8878) and of the seek table that facebook/zstd keeps in contrib.
enum ZstdFormat {
  static let magic: [UInt8] = [0x28, 0xb5, 0x2f, 0xfd]
  /// A frame that decompressors skip holds the table.
  static let tableMagic: UInt32 = 0x184d_2a5e
  static let tableEnd: UInt32 = 0x8f92_eab1
  /// Header of the skipped frame; number of frames, flags and magic at its end.
  static let tableHeaderSize = 8
  static let tableFooterSize = 9
  /// Bytes that a frame of ours holds: enough to compress well, few enough to share among threads.
  static let frameSize = 4 << 20
  /// A frame of somebody else's that is larger is not unpacked in one piece.
  static let largestFrame = 128 << 20
}

/// Compresses a range of a file, frame by frame, several at the same time.
///
/// Each frame stands for itself, so that as many threads can unpack them again; `zstd -d` makes the
/// plain bytes of all of them.
final class FramePacker {
  private let level: Int32
  private let threads: Int
  /// One of each kind for every thread.
  private var states: [UnsafeMutableRawPointer] = []
  private var plain: [UnsafeMutableRawBufferPointer] = []
  private var packed: [UnsafeMutableRawBufferPointer] = []
  private let results: UnsafeMutablePointer<Int>

  init(level: Int32, threads: Int) throws(Errno) {
    self.level = level
    self.threads = max(1, threads)
    results = .allocate(capacity: self.threads)
    for _ in 0 ..< self.threads {
      guard let state = cr_zstd_packer() else { throw Errno(rawValue: ENOMEM) }
      states.append(state)
      plain.append(.allocate(byteCount: ZstdFormat.frameSize, alignment: 4096))
      packed.append(
        .allocate(byteCount: cr_zstd_room(ZstdFormat.frameSize), alignment: 4096))
    }
  }

  deinit {
    for state in states { cr_zstd_free_packer(state) }
    for buffer in plain + packed { buffer.deallocate() }
    results.deallocate()
  }

  /// Appends the compressed range to where `sink` stands, with its table.
  ///
  /// - Parameter onProgress: is told how many further bytes are done; false calls it off (EINTR).
  /// - Returns: the bytes that were written.
  func pack(
    _ range: MemoryRange, of source: borrowing FileDescriptor,
    to sink: borrowing FileDescriptor, onProgress: (UInt64) -> Bool
  ) throws(Errno) -> UInt64 {
    var table: [UInt8] = []
    var frames: UInt32 = 0
    var written: UInt64 = 0
    var next = range.start
    let file = source.number
    while next < range.end {
      let rest = range.end - next
      let round = min(UInt64(threads * ZstdFormat.frameSize), rest)
      let count = (Int(round) + ZstdFormat.frameSize - 1) / ZstdFormat.frameSize
      Workers.run(count) { index in
        let start = UInt64(index * ZstdFormat.frameSize)
        let size = Int(min(UInt64(ZstdFormat.frameSize), round - start))
        results[index] = frame(index, file, at: next + start, size)
      }
      for index in 0 ..< count {
        let size = try checked(results[index])
        try sink.append(UnsafeRawBufferPointer(rebasing: packed[index][..<size]))
        let plainSize = min(UInt64(ZstdFormat.frameSize), round - UInt64(index * ZstdFormat.frameSize))
        table += Self.little(UInt32(size)) + Self.little(UInt32(plainSize))
        frames += 1
        written += UInt64(size)
      }
      next += round
      guard onProgress(round) else { throw .interrupted }
    }
    let end = Self.table(table, frames)
    try Self.append(end, to: sink)
    return written + UInt64(end.count)
  }

  /// Reads and compresses one frame in the buffers of thread `index`; its size, or -errno.
  private func frame(_ index: Int, _ file: Int32, at offset: UInt64, _ size: Int) -> Int {
    let room = UnsafeMutableRawBufferPointer(rebasing: plain[index][..<size])
    do throws(Errno) {
      guard try BorrowedFile(file).read(into: room, at: offset) == size else { return -Int(EIO) }
    } catch {
      return -Int(error.rawValue)
    }
    return cr_zstd_pack(
      states[index], packed[index].baseAddress, packed[index].count, room.baseAddress, size, level)
  }

  private static func append(
    _ bytes: [UInt8], to sink: borrowing FileDescriptor
  ) throws(Errno) {
    var failure: Errno?
    bytes.withUnsafeBytes {
      do throws(Errno) { try sink.append($0) } catch { failure = error }
    }
    if let failure { throw failure }
  }

  private static func table(_ entries: [UInt8], _ frames: UInt32) -> [UInt8] {
    little(ZstdFormat.tableMagic)
      + little(UInt32(entries.count + ZstdFormat.tableFooterSize)) + entries + little(frames)
      + [0] + little(ZstdFormat.tableEnd)
  }

  private static func little(_ value: UInt32) -> [UInt8] {
    (0 ..< 4).map { UInt8(truncatingIfNeeded: value >> UInt32(8 * $0)) }
  }
}
