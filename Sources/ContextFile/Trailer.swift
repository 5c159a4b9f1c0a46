// SPDX-License-Identifier: Apache-2.0
import Architecture
import CHash
import Linux

/// The end of a context file: checksums, and the mark that says that it is whole.
struct Trailer {
  /// XXH3-64 of each image's head.
  var heads: [UInt64]
  /// XXH3-64 of each block of the file, from its beginning to the trailer.
  var blocks: [UInt64]

  static func blockCount(_ contents: UInt64, _ blockSize: UInt64 = UInt64(Format.blockSize)) -> UInt64 {
    contents / blockSize + (contents % blockSize == 0 ? 0 : 1)
  }

  static func size(images: Int, contents: UInt64) -> UInt64 {
    8 * (UInt64(images) + blockCount(contents)) + UInt64(Format.footerSize)
  }

  func bytes(_ order: Machine.ByteOrder, totalSize: UInt64, offset: UInt64) -> [UInt8] {
    var out = FieldWriter(order)
    for hash in heads { out.put(hash) }
    for hash in blocks { out.put(hash) }
    out.put(totalSize)
    out.put(offset)
    out.put(UInt32(Format.blockSize))
    out.put(UInt32(heads.count))
    out.put(UInt64(blocks.count))
    out.put(Format.majorVersion)
    out.put(Format.minorVersion)
    out.put(UInt32(0))
    out.put(hash(of: out.bytes[...]))
    out.put(raw: ByteString(Format.commitMark).bytes)
    return out.bytes
  }
}

/// The last bytes of the file.
struct Footer {
  var totalSize: UInt64 = 0
  var trailerOffset: UInt64 = 0
  var blockSize: UInt32 = 0
  var imageCount: UInt32 = 0
  var blockCount: UInt64 = 0
  /// Version of the format, again, and four bytes to spare.
  var version: UInt64 = 0
  /// Of the table of checksums and of the footer up to here.
  var hash: UInt64 = 0

  /// Bytes of the footer that its own checksum covers.
  static let hashed = 40

  /// Nil without the commit mark.
  init?(_ bytes: [UInt8], _ order: Machine.ByteOrder) {
    let mark = ByteString(Format.commitMark)
    guard bytes.count == Format.footerSize, ByteString(bytes).hasSuffix(mark) else { return nil }
    var reader = FieldReader(bytes, order)
    reader.field(&totalSize)
    reader.field(&trailerOffset)
    reader.field(&blockSize)
    reader.field(&imageCount)
    reader.field(&blockCount)
    reader.field(&version)
    reader.field(&hash)
  }
}

/// XXH3-64.
func hash(of bytes: ArraySlice<UInt8>) -> UInt64 {
  bytes.withUnsafeBytes { cr_hash($0.baseAddress, $0.count) }
}
