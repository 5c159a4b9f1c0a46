// SPDX-License-Identifier: Apache-2.0
import CLinux
import Linux

/// Compresses a file, frame by frame, several at the same time.
///
/// Each frame stands for itself, so that as many threads can unpack them again; `zstd -d` or `lz4 -d`
/// makes the plain bytes of all of them.
final class FramePacker {
  /// What one thread works with.
  private struct Bench: ~Copyable {
    let packer: Packer
    let plain: UnsafeMutableRawBufferPointer
    let packed: UnsafeMutableRawBufferPointer
    /// The size of its frame, or -errno.
    var result = 0

    init(_ codec: Codec, level: Int32) throws(Errno) {
      packer = try Packer(codec, level: level)
      plain = .allocate(byteCount: SeekTable.frameSize, alignment: 4096)
      packed = .allocate(byteCount: codec.room(for: SeekTable.frameSize), alignment: 4096)
    }

    deinit {
      plain.deallocate()
      packed.deallocate()
    }

    mutating func work(_ file: Int32, at offset: UInt64, _ size: Int) {
      let room = UnsafeMutableRawBufferPointer(rebasing: plain[..<size])
      do throws(Errno) {
        guard try BorrowedFile(file).read(into: room, at: offset) == size else { throw .io }
        result = packer.pack(UnsafeRawBufferPointer(room), into: packed)
      } catch {
        result = -Int(error.rawValue)
      }
    }
  }

  private let threads: Int
  private let benches: UnsafeMutablePointer<Bench>
  private var ready = 0

  /// - Parameter level: of zstd.
  init(_ codec: Codec, level: Int32 = 0, threads: Int) throws(Errno) {
    self.threads = max(1, threads)
    benches = .allocate(capacity: self.threads)
    while ready < self.threads {
      (benches + ready).initialize(to: try Bench(codec, level: level))
      ready += 1
    }
  }

  deinit {
    benches.deinitialize(count: ready)
    benches.deallocate()
  }

  /// Appends the first `size` bytes of `source`, compressed, to where `sink` stands, with its table.
  ///
  /// - Parameter onProgress: is told how many further bytes are done; false calls it off (EINTR).
  /// - Returns: the bytes that were written.
  func pack(
    _ size: UInt64, of source: borrowing FileDescriptor,
    to sink: borrowing FileDescriptor, onProgress: (UInt64) -> Bool
  ) throws(Errno) -> UInt64 {
    var table = SeekTable()
    var written: UInt64 = 0
    var next: UInt64 = 0
    let file = source.number
    while next < size {
      let round = min(UInt64(threads * SeekTable.frameSize), size - next)
      let count = (Int(round) + SeekTable.frameSize - 1) / SeekTable.frameSize
      func plainSize(_ index: Int) -> Int {
        min(SeekTable.frameSize, Int(round) - index * SeekTable.frameSize)
      }
      Workers.run(count) { index in
        benches[index].work(
          file, at: next + UInt64(index * SeekTable.frameSize), plainSize(index))
      }
      for index in 0 ..< count {
        let packedSize = try checked(benches[index].result)
        try sink.append(UnsafeRawBufferPointer(rebasing: benches[index].packed[..<packedSize]))
        table.append(size: packedSize, plainSize: plainSize(index))
        written += UInt64(packedSize)
      }
      next += round
      guard onProgress(round) else { throw .interrupted }
    }
    let end = table.bytes
    try Self.append(end, to: sink)
    return written + UInt64(end.count)
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
}
