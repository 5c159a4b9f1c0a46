// SPDX-License-Identifier: Apache-2.0
import Linux

/// Where each frame is, in the file and in the plain bytes, so that threads can share the work.
///
/// It is the table that facebook/zstd keeps in contrib/seekable_format, in a frame that decompressors skip,
/// those of lz4 too.
struct SeekTable {
  struct Frame {
    var offset: UInt64
    var size: Int
    var plainOffset: UInt64
    var plainSize: Int
  }

  /// Bytes that a frame of ours holds: enough to compress well, few enough to share among threads.
  static let frameSize = 4 << 20
  /// A frame of somebody else's that is larger is not unpacked in one piece.
  private static let largestFrame = 128 << 20

  private static let magic: UInt32 = 0x184d_2a5e
  private static let end: UInt32 = 0x8f92_eab1
  /// Header of the skipped frame; number of frames, flags and magic at its end.
  private static let headerSize = 8
  private static let footerSize = 9

  private(set) var frames: [Frame] = []

  mutating func append(size: Int, plainSize: Int) {
    let last = frames.last
    frames.append(
      Frame(
        offset: last.map { $0.offset + UInt64($0.size) } ?? 0, size: size,
        plainOffset: last.map { $0.plainOffset + UInt64($0.plainSize) } ?? 0, plainSize: plainSize))
  }

  /// As it stands behind the frames.
  var bytes: [UInt8] {
    var bytes = Self.little(Self.magic)
    bytes += Self.little(UInt32(frames.count * 8 + Self.footerSize))
    for frame in frames {
      bytes += Self.little(UInt32(frame.size)) + Self.little(UInt32(frame.plainSize))
    }
    return bytes + Self.little(UInt32(frames.count)) + [0] + Self.little(Self.end)
  }

  init() {}

  /// nil if there is none, or one that does not fit the file: then the frames are read in turn.
  init?(of file: borrowing FileDescriptor, size: UInt64) throws(Errno) {
    let footerSize = UInt64(Self.footerSize)
    guard size > footerSize else { return nil }
    let footer = try file.read(Self.footerSize, at: size - footerSize)
    guard footer.count == Self.footerSize, Self.word(footer, 5) == Self.end, footer[4] & 0x7f == 0
    else { return nil }
    let entrySize: UInt64 = footer[4] & 0x80 == 0 ? 8 : 12
    let count = Int(Self.word(footer, 0))
    let length = UInt64(count) * entrySize + footerSize
    let whole = length + UInt64(Self.headerSize)
    guard whole <= size, length <= 1 << 30 else { return nil }
    let bytes = try file.read(Int(whole), at: size - whole)
    guard bytes.count == Int(whole), Self.word(bytes, 0) == Self.magic,
      UInt64(Self.word(bytes, 4)) == length
    else { return nil }
    for index in 0 ..< count {
      let entry = Self.headerSize + index * Int(entrySize)
      append(size: Int(Self.word(bytes, entry)), plainSize: Int(Self.word(bytes, entry + 4)))
    }
    guard frames.allSatisfy({ max($0.size, $0.plainSize) <= Self.largestFrame }),
      frames.last.map({ $0.offset + UInt64($0.size) }) ?? 0 == size - whole
    else { return nil }
  }

  private static func little(_ value: UInt32) -> [UInt8] {
    (0 ..< 4).map { UInt8(truncatingIfNeeded: value >> UInt32(8 * $0)) }
  }

  private static func word(_ bytes: [UInt8], _ offset: Int) -> UInt32 {
    (0 ..< 4).reduce(UInt32(0)) { $0 | UInt32(bytes[offset + $1]) << UInt32(8 * $1) }
  }
}
