// SPDX-License-Identifier: Apache-2.0
import Architecture
import CLinux
import ContextFile
import Engine
import Linux
import PageServer
import Request
import Snapshot

// cr_restart --lazy: private anonymous memory is left to the page server, everything else is loaded
// before the processes run. Docs/design/LazyRestart.md

extension Region {
  /// Whether its contents may come when the process runs already.
  ///
  /// Not what is locked (mlock(2) means that it is there), nor what a child is to find empty: a
  /// userfaultfd does not hear of MADV_WIPEONFORK. A stack grows into what nobody has watched.
  var canWait: Bool {
    guard isAnonymous, !isShared, !contents.isEmpty, hugePageSize == 0, !growsDown, !hasFlag("lo"),
      !hasFlag("wf")
    else { return false }
    return contents.allSatisfy { ($0.position | $0.count | $0.fileOffset) % hostPageSize == 0 }
  }
}

extension Snapshot {
  /// Contents that wait with `--lazy`, by process.
  public var waitingContents: [[Extent]] {
    processes.map { $0.memory.regions.filter { $0.canWait }.flatMap { $0.contents } }
  }

  var waitingBytes: UInt64 {
    waitingContents.reduce(0) { all, contents in contents.reduce(all) { $0 + $1.count } }
  }
}

public enum LazyLoading {
  /// Why `--lazy` is not possible here; nil if it is.
  static var obstacle: Failure? {
    guard let errno = UserFault.servingFailure() else {
      // The processes themselves make the userfaultfd, and do not have our capabilities.
      return effectiveUser == 0 || isForEverybody ? nil : refusal(.notPermitted)
    }
    return refusal(errno)
  }

  static func refusal(_ errno: Errno) -> Failure {
    if errno == .notPermitted { return Failure(errno, ByteString(missingRight)) }
    if errno == .notImplemented || errno == .invalid {
      return Failure(errno, "--lazy: this kernel has no userfaultfd that will do: \(errno)")
    }
    return Failure(errno, "--lazy: cannot make a userfaultfd: \(errno)")
  }

  private static let missingRight: StaticString =
    """
    --lazy is for root: the kernel tells only holders of CAP_SYS_PTRACE, outside of user namespaces, \
    of fork(2) and lets only them serve its own accesses to memory (userfaultfd); ask as root, or \
    give cr_restart that capability (setcap cap_sys_ptrace+ep) and all users the call \
    (sysctl vm.unprivileged_userfaultfd=1), or leave --lazy out
    """

  public static let uselessForCopies: StaticString =
    """
    --lazy: all of the context had to be read first, since it is compressed or came through a pipe; \
    memory was loaded at once
    """

  private static var isForEverybody: Bool {
    let path: ByteString = "/proc/sys/vm/unprivileged_userfaultfd"
    guard let text = try? FileDescriptor(opening: path, flags: O_RDONLY).readToEnd() else {
      return false
    }
    return text.first == UInt8(ascii: "1")
  }
}

func makePageServer(for parts: ContextParts) throws(Failure) -> PageServer? {
  // Without checksums nobody would know that a page is damaged before the program does.
  if parts.blockSize == 0 { return nil }
  do throws(Errno) { return try PageServer(blockSize: parts.blockSize) } catch {
    throw Failure(error, "cannot make room for a page server (--lazy): \(error)")
  }
}

extension Rebuilder {
  /// Has the server fill these regions; returns those that must be loaded after all.
  func leaveToServer<E: Engine & ~Copyable>(
    _ regions: [Region], of index: Int, _ part: ContextPart, by engine: inout E
  ) throws(Failure) -> [Region] {
    guard let pageServer, !regions.isEmpty else { return regions }
    let remote = remote(index)
    let fault = try makeUserFault(in: remote, by: &engine)
    var left: [Region] = []
    var contents: [Extent] = []
    for region in regions {
      do throws(Errno) {
        try fault.register(region.range)
        contents += region.contents
      } catch {
        // Not a kind of memory that can be watched.
        left.append(region)
      }
    }
    if !contents.isEmpty {
      pageServer.add(
        fault, of: remote.id, named: remote.name, contents: contents, from: part)
    }
    for region in left { try verify(region.contents, part) }
    return left
  }

  /// A userfaultfd belongs to the memory of whoever makes it. No descriptor of it stays there.
  private func makeUserFault<E: Engine & ~Copyable>(
    in remote: Remote, by engine: inout E
  ) throws(Failure) -> UserFault {
    // O_CLOEXEC | O_NONBLOCK, and the kernel's own accesses are served too.
    let outcome = try remote.outcome(.userfaultfd, [0x8_0000 | 0x800], by: &engine)
    let number: UInt64
    switch outcome {
    case .success(let made): number = made
    case .failure(let errno): throw LazyLoading.refusal(errno)
    }
    let fault: UserFault
    do throws(Errno) {
      let copy = try ProcessHandle(remote.id).descriptor(Int32(truncatingIfNeeded: number))
      fault = try UserFault(copy, features: .serving)
    } catch {
      throw Failure("watch the memory", remote.id, remote.name, error)
    }
    try remote.call("close a descriptor", .close, [number], by: &engine)
    return fault
  }

  /// They were left out when the file was verified.
  private func verify(_ contents: [Extent], _ part: ContextPart) throws(Failure) {
    let buffer = UnsafeMutableRawBufferPointer.allocate(
      byteCount: Int(part.blockSize), alignment: Int(hostPageSize))
    defer { buffer.deallocate() }
    for extent in contents {
      var place = extent.fileOffset
      while place < extent.fileOffset + extent.count {
        let block = part.block(at: place)
        try part.read(block, into: buffer)
        place = block.end
      }
    }
  }

  func startPageServer(_ report: Report) throws(Failure) {
    guard let pageServer, pageServer.bytes > 0 else { return }
    try pageServer.start(for: living.map { members[$0].id }, report.onTrouble)
  }
}
