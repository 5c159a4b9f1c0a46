// SPDX-License-Identifier: Apache-2.0
import CHash
import CLinux
import Linux
import Synchronization

/// Computes the checksum of every block of a file with several threads, while it grows if need be.
///
/// Blocks are read into memory and not mapped: two threads reading are faster than two threads
/// taking page faults in one address space (80 against 110–160 ms for 1 GiB), and a file that is cut
/// short meanwhile is an error and not a SIGBUS.
final class BlockHashing: Sendable {
  private let file: Int32
  private let end: UInt64
  private let blockSize: UInt64
  let count: Int
  private let hashes: UnsafeMutableBox
  /// The next block that nobody has taken.
  private let next = Atomic<Int>(0)
  /// A semaphore (eventfd(2)) with a token for each block that may be taken.
  private let tokens: FileDescriptor
  /// errno of a read that failed.
  private let failure = Atomic<Int32>(0)

  /// Memory that several threads write different elements of.
  struct UnsafeMutableBox: @unchecked Sendable {
    let hashes: UnsafeMutablePointer<UInt64>
  }

  /// Blocks that are not looked at; none where this is empty. Set before any `work`.
  private let skipped: [Bool]
  /// Whether each block is sent to the disk as well, so that a later fsync has less to wait for.
  private let startsWriteback: Bool

  /// Of the first `end` bytes of a file that stays open for as long as this works.
  init(
    _ file: Int32, end: UInt64, blockSize: Int = Format.blockSize, startsWriteback: Bool = false,
    skipping skipped: [Bool] = []
  ) throws(Errno) {
    self.skipped = skipped
    self.startsWriteback = startsWriteback
    let number = try checked(
      cr_syscall(Int(SYS_eventfd2), 0, Int(CR_EVENTFD_SEMAPHORE), 0, 0, 0, 0))
    tokens = FileDescriptor(owning: Int32(number))
    self.file = file
    self.end = end
    self.blockSize = UInt64(blockSize)
    count = Int(Trailer.blockCount(end, UInt64(blockSize)))
    hashes = UnsafeMutableBox(hashes: .allocate(capacity: max(1, count)))
  }

  deinit { hashes.hashes.deallocate() }

  /// All of them; complete only when every `work` has returned.
  var result: [UInt64] { Array(UnsafeBufferPointer(start: hashes.hashes, count: count)) }

  var error: Errno? {
    let number = failure.load(ordering: .acquiring)
    return number == 0 ? nil : Errno(rawValue: number)
  }

  /// The next `blocks` blocks will not change any more.
  func allow(_ blocks: Int) { addTokens(UInt64(blocks)) }

  /// Nobody waits any more: what is not taken yet stays undone, unless all blocks were allowed.
  func finish() { addTokens(1 << 20) }

  /// As `finish`, and no further block is taken.
  func cancel() {
    next.store(count, ordering: .releasing)
    finish()
  }

  /// Takes blocks until there are none left, waiting for those that are not there yet.
  func work() {
    let size = Int(min(blockSize, max(end, 1)))
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: size, alignment: 4096)
    defer { buffer.deallocate() }
    while error == nil {
      takeToken()
      // As many have come this far as there were tokens, so this block is one of the allowed.
      let block = next.add(1, ordering: .acquiringAndReleasing).oldValue
      if block >= count { return }
      if skipped.isEmpty || !skipped[block] { hash(block, buffer) }
    }
  }

  private func hash(_ block: Int, _ buffer: UnsafeMutableRawBufferPointer) {
    let start = UInt64(block) * blockSize
    let wanted = Int(min(blockSize, end - start))
    let room = UnsafeMutableRawBufferPointer(rebasing: buffer[..<wanted])
    do throws(Errno) {
      guard try readFully(room, at: start) == wanted else { throw .io }
    } catch {
      failure.store(error.rawValue, ordering: .releasing)
      return
    }
    // Only a hint, and not every file system takes it.
    if startsWriteback { _ = cr_start_writeback(file, start, UInt64(wanted)) }
    hashes.hashes[block] = cr_hash(room.baseAddress, wanted)
  }

  private func readFully(
    _ buffer: UnsafeMutableRawBufferPointer, at offset: UInt64
  ) throws(Errno) -> Int {
    var done = 0
    while done < buffer.count {
      let count = cr_pread(
        file, buffer.baseAddress! + done, buffer.count - done, Int64(offset) + Int64(done))
      if count == -Int(EINTR) { continue }
      if try checked(count) == 0 { break }
      done += count
    }
    return done
  }

  private func addTokens(_ number: UInt64) {
    _ = withUnsafePointer(to: number) { pointer in
      cr_syscall(Int(SYS_write), Int(tokens.number), Int(bitPattern: pointer), 8, 0, 0, 0)
    }
  }

  private func takeToken() {
    var taken: UInt64 = 0
    _ = withUnsafeMutablePointer(to: &taken) { pointer in
      cr_syscall(Int(SYS_read), Int(tokens.number), Int(bitPattern: pointer), 8, 0, 0, 0)
    }
  }
}
