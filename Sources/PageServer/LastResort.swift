// SPDX-License-Identifier: Apache-2.0
import CLinux
import Linux

/// What is left to be done when memory cannot be had any more: nobody may read zeros in its place, which
/// is what the kernel gives as soon as the last userfaultfd is closed. So they stay open, and whoever
/// touches what is missing is killed.
enum LastResort {
  private final class Watched {
    let fault: UserFault

    init(_ number: DescriptorNumber) {
      fault = UserFault(of: number)
      fault.wakeAll()
    }

    /// Kills whoever waits; the memories of children born since.
    func judge() -> [Watched] {
      var children: [Watched] = []
      for message in (try? fault.messages()) ?? [] {
        switch message {
        case .fault(_, let thread): kill(ProcessID(thread.rawValue))
        case .fork(let number): children.append(Watched(number))
        case .move, .removal, .unmapping: break
        }
      }
      return children
    }

    /// Unless it only looks at somebody else's memory (process_vm_readv(2)), as a debugger might.
    private func kill(_ process: ProcessID) {
      guard let files = try? ProcessFiles(process), let text = try? files.read("smaps"),
        MappedRegion.parse(text).contains(where: { $0.hasFlag("um") })
      else { return }
      try? process.send(SIGKILL)
    }

    func isGone(offering nothing: borrowing LowMemory) -> Bool {
      if case .gone = fault.state(offering: UnsafeRawBufferPointer(nothing.bytes)) { return true }
      return false
    }
  }

  /// Until nobody is left.
  static func run() {
    // Without it nobody would be known to be gone: then for ever.
    guard let nothing = try? LowMemory(Int(hostPageSize), hasRights: false) else { return wait() }
    var all = found()
    while !all.isEmpty {
      _ = ServerProcess.readable(all.map { $0.fault.number.rawValue }, milliseconds: 200)
      for watched in all { all += watched.judge() }
      all.removeAll { $0.isGone(offering: nothing) }
    }
  }

  private static func wait() {
    while true { _ = ServerProcess.readable([], milliseconds: -1) }
  }

  /// All userfaultfds of our descriptor table: those of children, too, that somebody else who shares it
  /// has heard of.
  private static func found() -> [Watched] {
    guard let files = try? ProcessFiles(.own), let numbers = try? files.numbers(in: "fd") else {
      return []
    }
    return numbers.filter { (try? files.link("fd/\($0)")) == "anon_inode:[userfaultfd]" }
      .map { Watched(DescriptorNumber($0)) }
  }
}
