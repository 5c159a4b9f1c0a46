// SPDX-License-Identifier: Apache-2.0
import CLinux

/// A process of ours that goes on when the command that made it has ended: nobody's child, in a session
/// of its own, deaf to every signal that can be blocked.
public enum ServerProcess {
  /// True in the new process. Not for a process with threads.
  public static func make() throws(Errno) -> Bool { try checked(Int(cr_fork_apart())) == 0 }

  /// A child that shares the descriptor table with its maker, and that only waits with __WALL see. Its
  /// id, and nil in the child itself.
  public static func makeBeside() throws(Errno) -> ProcessID? {
    let child = Int32(try checked(Int(cr_fork_beside())))
    return child == 0 ? nil : ProcessID(child)
  }

  /// Keeps of what it inherited only these descriptors and standard error; its name is what ps(1) shows.
  public static func settle(named name: StaticString, keeping files: [Int32]) {
    rename(name)
    let kept = (files + [2]).sorted()
    cr_close_all_but(kept, Int32(kept.count))
    // Standard input and output: the numbers must not be given to something else.
    for _ in 0 ..< 2 {
      guard let null = try? FileDescriptor(opening: "/dev/null", flags: O_RDWR) else { break }
      if null.number > 2 { break }
      _ = null.disown()
    }
    _ = ByteString("/").withCString { cr_syscall(Int(SYS_chdir), Int(bitPattern: $0), 0, 0, 0, 0, 0) }
  }

  public static func rename(_ name: StaticString) {
    _ = cr_syscall(Int(SYS_prctl), Int(PR_SET_NAME), Int(bitPattern: name.utf8Start), 0, 0, 0, 0)
  }

  /// As far as we may: when memory is short somebody else goes, and there may be many descriptors.
  public static func askForIndulgence() {
    if let file = try? FileDescriptor(opening: "/proc/self/oom_score_adj", flags: O_WRONLY) {
      _ = try? DescriptorNumber(file.number).write(ByteString("-1000").bytes[...])
    }
    guard let limit = try? resourceLimit(7, of: .own) else { return }
    try? setResourceLimit(7, of: .own, soft: limit.hard, hard: limit.hard)
  }

  /// exit_group(2), without the duties of the command that it was forked from.
  public static func end() -> Never {
    while true { _ = cr_syscall(Int(SYS_exit_group), 0, 0, 0, 0, 0, 0) }
  }

  /// Which of these descriptors can be read; waits for one, `milliseconds` at most (-1: for ever).
  public static func readable(_ files: [Int32], milliseconds: Int32) -> [Bool] {
    var answers = [UInt8](repeating: 0, count: files.count)
    _ = answers.withUnsafeMutableBufferPointer {
      cr_await_readable(files, $0.baseAddress, Int32(files.count), milliseconds)
    }
    return answers.map { $0 != 0 }
  }
}

/// Memory of ours at an address that every program could have, of 32 bits too: what the kernel copies
/// from for another process has to be at one.
@frozen public struct LowMemory: ~Copyable {
  public let bytes: UnsafeMutableRawBufferPointer

  /// - Parameters:
  ///   - isShared: with whatever is forked later.
  ///   - hasRights: false for memory that nobody can read.
  public init(_ count: Int, isShared: Bool = false, hasRights: Bool = true) throws(Errno) {
    guard let start = cr_map_low(UInt(count), isShared ? 1 : 0, hasRights ? 1 : 0) else {
      throw .noMemory
    }
    bytes = UnsafeMutableRawBufferPointer(start: start, count: count)
  }

  deinit {
    _ = cr_syscall(Int(SYS_munmap), Int(bitPattern: bytes.baseAddress), bytes.count, 0, 0, 0, 0)
  }
}
