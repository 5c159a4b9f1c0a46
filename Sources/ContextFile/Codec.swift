// SPDX-License-Identifier: Apache-2.0
import CLinux
import CLz4
import CZstd
import Linux

/// The two formats of compressed frames that we write and read, each by its own library.
///
/// Results that the libraries give are sizes in bytes, or -errno: EIO for bytes that are no frame or a
/// damaged one.
enum Codec {
  /// Zstandard, RFC 8878.
  case zstd
  /// LZ4 frames, as lz4_Frame_format.md of lz4/lz4 describes them.
  case lz4

  static let all: [Codec] = [.zstd, .lz4]

  /// What a frame begins with.
  var magic: [UInt8] {
    switch self {
    case .zstd: [0x28, 0xb5, 0x2f, 0xfd]
    case .lz4: [0x04, 0x22, 0x4d, 0x18]
    }
  }

  /// That of a file; nil if it is not compressed by any.
  init?(of file: borrowing FileDescriptor) throws(Errno) {
    let beginning = try file.read(4, at: 0)
    guard let codec = Self.all.first(where: { $0.magic == beginning }) else { return nil }
    self = codec
  }

  /// Whether a file that begins with these bytes, fewer than four perhaps, may be compressed.
  static func mayBegin(with bytes: [UInt8]) -> Bool {
    all.contains { $0.magic.starts(with: bytes) }
  }

  /// Room that the frame of `count` bytes may need.
  func room(for count: Int) -> Int {
    switch self {
    case .zstd: cr_zstd_room(count)
    case .lz4: cr_lz4_room(count)
    }
  }
}

/// Makes frames, each with its size and its own checksum; for one thread.
struct Packer: ~Copyable {
  private let codec: Codec
  private let level: Int32
  /// Of zstd; lz4 needs none.
  private let state: UnsafeMutableRawPointer?

  /// - Parameter level: of zstd.
  init(_ codec: Codec, level: Int32) throws(Errno) {
    let state = codec == .zstd ? cr_zstd_packer() : nil
    guard codec != .zstd || state != nil else { throw Errno(rawValue: ENOMEM) }
    self.codec = codec
    self.level = level
    self.state = state
  }

  deinit {
    if let state { cr_zstd_free_packer(state) }
  }

  func pack(_ plain: UnsafeRawBufferPointer, into frame: UnsafeMutableRawBufferPointer) -> Int {
    switch codec {
    case .lz4: cr_lz4_pack(frame.baseAddress, frame.count, plain.baseAddress, plain.count)
    case .zstd:
      cr_zstd_pack(state, frame.baseAddress, frame.count, plain.baseAddress, plain.count, level)
    }
  }
}

/// Makes the plain bytes of frames; for one thread.
struct Unpacker: ~Copyable {
  private let codec: Codec
  private let state: UnsafeMutableRawPointer

  init(_ codec: Codec) throws(Errno) {
    let state = codec == .zstd ? cr_zstd_unpacker() : cr_lz4_unpacker()
    guard let state else { throw Errno(rawValue: ENOMEM) }
    self.codec = codec
    self.state = state
  }

  deinit {
    switch codec {
    case .zstd: cr_zstd_free_unpacker(state)
    case .lz4: cr_lz4_free_unpacker(state)
    }
  }

  /// One frame, whose contents fill `plain`.
  func unpack(
    _ frame: UnsafeRawBufferPointer, into plain: UnsafeMutableRawBufferPointer
  ) throws(Errno) {
    let unpack = codec == .zstd ? cr_zstd_unpack : cr_lz4_unpack
    try checked(unpack(state, plain.baseAddress, plain.count, frame.baseAddress, frame.count))
  }

  /// What a part of a stream of frames came to.
  struct Step {
    var taken = 0
    var given = 0
    /// A frame has just ended.
    var isAtEnd = false
  }

  func goOn(
    with part: UnsafeRawBufferPointer, into plain: UnsafeMutableRawBufferPointer
  ) throws(Errno) -> Step {
    let goOn = codec == .zstd ? cr_zstd_go_on : cr_lz4_go_on
    var step = Step()
    let left = goOn(
      state, plain.baseAddress, plain.count, part.baseAddress, part.count, &step.taken, &step.given)
    step.isAtEnd = try checked(left) == 0
    return step
  }
}
