// SPDX-License-Identifier: Apache-2.0
import CLinux

// userfaultfd(2) of a process that runs: it waits in its page faults until they are answered, and tells
// of what it does to its memory.

extension UserFault {
  /// UFFD_FEATURE_* (linux/userfaultfd.h).
  public struct Features: OptionSet, Sendable {
    public var rawValue: UInt64
    public init(rawValue: UInt64) { self.rawValue = rawValue }

    public static let tellsForks = Features(rawValue: 1 << 1)
    public static let tellsMoves = Features(rawValue: 1 << 2)
    public static let tellsRemovals = Features(rawValue: 1 << 3)
    public static let tellsUnmappings = Features(rawValue: 1 << 6)
    public static let namesThreads = Features(rawValue: 1 << 8)

    /// Whoever fills the memory of a running process must hear of all of this.
    public static let serving: Features = [
      .tellsForks, .tellsMoves, .tellsRemovals, .tellsUnmappings, .namesThreads,
    ]
  }

  public enum Message: Sendable {
    /// A thread touches a page that is not there, and waits.
    case fault(address: UInt64, thread: ThreadID)
    /// fork(2): the child's memory has a descriptor of its own, which is ours now.
    case fork(DescriptorNumber)
    /// mremap(2).
    case move(from: MemoryRange, to: UInt64)
    /// madvise(2), MADV_DONTNEED and the like: zeros from now on.
    case removal(MemoryRange)
    case unmapping(MemoryRange)
  }

  public var number: DescriptorNumber { DescriptorNumber(file.number) }

  /// Another userfaultfd's, got by a message of fork(2).
  public init(of child: DescriptorNumber) { file = FileDescriptor(owning: child.rawValue) }

  /// Whether this process could serve others, and if not why: EPERM without CAP_SYS_PTRACE, since the
  /// kernel tells nobody else of fork(2).
  public static func servingFailure() -> Errno? {
    do throws(Errno) {
      let number = try checked(cr_syscall(Int(SYS_userfaultfd), Int(O_CLOEXEC), 0, 0, 0, 0, 0))
      _ = try UserFault(FileDescriptor(owning: Int32(number)), features: .serving)
      return nil
    } catch {
      return error
    }
  }

  /// What has come meanwhile; faults stand before everything else.
  public func messages() throws(Errno) -> [Message] {
    // struct uffd_msg, 32 bytes.
    let size = 32
    let number = file.number
    let count: Int
    let bytes: [UInt8]
    do throws(Errno) {
      (count, bytes) = try bytesFilled(count: 16 * size) { buffer in
        cr_syscall(Int(SYS_read), Int(number), buffer, 16 * size, 0, 0, 0)
      }
    } catch {
      if error == .tryAgain { return [] }
      throw error
    }
    return (0 ..< count / size).compactMap { Self.message(bytes, at: $0 * size) }
  }

  private static func message(_ bytes: [UInt8], at start: Int) -> Message? {
    func word(_ index: Int) -> UInt64 { bytes.native(UInt64.self, at: start + 8 + 8 * index) }
    func half(_ index: Int) -> Int32 { bytes.native(Int32.self, at: start + 8 + 4 * index) }
    switch bytes[start] {
    // flags, address, thread
    case 0x12: return .fault(address: word(1), thread: ThreadID(half(4)))
    case 0x13: return .fork(DescriptorNumber(half(0)))
    case 0x14: return .move(from: MemoryRange(start: word(0), count: word(2)), to: word(1))
    case 0x15: return .removal(MemoryRange(start: word(0), end: word(1)))
    case 0x16: return .unmapping(MemoryRange(start: word(0), end: word(1)))
    default: return nil
    }
  }

  /// Fills missing pages and wakes whoever waits for them; how many bytes, and what stood in the way of
  /// more: EAGAIN while there are messages to be read, ENOENT where nothing is watched, EEXIST, ESRCH.
  public func fill(
    _ bytes: UnsafeRawBufferPointer, at address: UInt64
  ) -> (count: UInt64, failure: Errno?) {
    var order = uffdio_copy()
    order.dst = __u64(address)
    order.src = __u64(UInt(bitPattern: bytes.baseAddress))
    order.len = __u64(bytes.count)
    let result = withUnsafeMutablePointer(to: &order) {
      Self.control(file.number, cr_uffdio_copy_request(), $0)
    }
    return Self.outcome(result, filled: order.copy)
  }

  /// The same with zeros.
  public func fillWithZeros(_ range: MemoryRange) -> (count: UInt64, failure: Errno?) {
    var order = uffdio_zeropage()
    order.range = uffdio_range(start: __u64(range.start), len: __u64(range.count))
    let result = withUnsafeMutablePointer(to: &order) {
      Self.control(file.number, cr_uffdio_zero_request(), $0)
    }
    return Self.outcome(result, filled: order.zeropage)
  }

  private static func outcome(_ result: Int, filled: Int64) -> (count: UInt64, failure: Errno?) {
    let failure = result < 0 ? Errno(rawValue: Int32(-result)) : nil
    return (filled > 0 ? UInt64(filled) : 0, failure)
  }

  /// Whoever waits for a page of the range looks again.
  public func wake(_ range: MemoryRange) {
    var range = uffdio_range(start: __u64(range.start), len: __u64(range.count))
    _ = withUnsafeMutablePointer(to: &range) {
      Self.control(file.number, cr_uffdio_wake_request(), $0)
    }
  }

  /// Whoever waits for any page looks again, also if its message was read by somebody who is gone.
  public func wakeAll() {
    // How far a program's addresses go is not known here: what is beyond is refused.
    for bits in UInt64(16) ..< 57 {
      let end: UInt64 = 1 << (bits + 1)
      wake(MemoryRange(start: 1 << bits, end: end - 0x1_0000))
      wake(MemoryRange(start: end - 0x1_0000, end: end))
    }
  }

  public enum State: Sendable {
    case quiet
    /// There are messages to be read, or their senders have not yet gone on.
    case changing
    /// The memory is gone: exit(2), or exec(2).
    case gone
  }

  /// Fills nothing: what is offered cannot be read.
  ///
  /// - Parameter nothing: memory of ours without any rights, a page of it.
  public func state(offering nothing: UnsafeRawBufferPointer) -> State {
    // Within every process's address space, and not too low for mmap(2).
    switch fill(nothing, at: 1 << 24).failure {
    case .tryAgain: .changing
    case .noProcess: .gone
    default: .quiet
    }
  }
}
