// SPDX-License-Identifier: Apache-2.0
import CLinux
import Linux

/// Watches the page server: if that is killed before all memory is loaded, the job is.
///
/// It shares the server's descriptor table, so that no userfaultfd is closed by the server's death, not
/// even one of a child that was born a moment ago. The server watches it in turn, and makes another.
final class Guardian {
  /// What server and guardians have in common: a word that is not 0 when all memory is loaded.
  private let outcome: LowMemory
  private let server: ProcessHandle
  private let job: Job
  private let tell: (ByteString) -> Void
  private var watcher: (id: ProcessID, handle: DescriptorNumber)?

  /// In the server.
  init(of job: Job, _ tell: @escaping (ByteString) -> Void) throws(Errno) {
    outcome = try LowMemory(Int(hostPageSize), isShared: true)
    server = try ProcessHandle(.own)
    self.job = job
    self.tell = tell
  }

  /// Can be read when there is no guardian any more; nil before the first one.
  var descriptor: DescriptorNumber? { watcher?.handle }

  /// A guardian stands by.
  func post() throws(Errno) {
    if let watcher {
      watcher.handle.close()
      _ = cr_syscall(Int(SYS_wait4), Int(watcher.id.rawValue), 0, 0x4000_0000, 0, 0, 0)  // __WALL
      self.watcher = nil
    }
    guard let child = try ServerProcess.makeBeside() else { watch() }
    let handle = try KernelObjects.process(child, isOfThread: false)
    watcher = (child, DescriptorNumber(handle.disown()))
  }

  /// All memory is loaded.
  func dismiss() { outcome.bytes.storeBytes(of: 1, as: UInt32.self) }

  private func watch() -> Never {
    ServerProcess.rename("cr_page_guard")
    while !(ServerProcess.readable([server.number.rawValue], milliseconds: -1).first ?? false) {}
    if outcome.bytes.load(as: UInt32.self) == 0 {
      // First of all: what it would read now is not there.
      job.kill()
      tell(
        "the page server was killed before all memory was loaded (--lazy): the job was killed, since "
          + "the rest of its memory could not be had any more; restart it again")
      LastResort.run()
    }
    ServerProcess.end()
  }
}
