// SPDX-License-Identifier: Apache-2.0
import Linux

/// Who traces whom on this machine, before this checkpoint traces anybody itself.
struct Tracers {
  /// Pids of the processes that trace at least one other.
  private(set) var tracing: Set<Int32> = []

  init() {
    // Threads of the kernel are not traced, and there may be a thousand of them.
    let kernelThreads = Set((try? Self.childrenOfKernelThreadDaemon()) ?? [])
    for process in (try? allProcesses()) ?? [] where !kernelThreads.contains(process.rawValue) {
      guard let tracer = Self.tracer(of: process) else { continue }
      tracing.insert(tracer.id.rawValue)
    }
  }

  /// The process that traces `process` and its name; nil for nobody.
  static func tracer(of process: ProcessID) -> (id: ProcessID, name: ByteString)? {
    guard let files = try? ProcessFiles(process), let text = try? files.read("status") else {
      return nil
    }
    let thread = ProcessStatus(text).tracer
    guard thread.rawValue != 0 else { return nil }
    // /proc/TID leads to a thread too, though no listing shows it.
    guard let tracer = try? ProcessFiles(ProcessID(thread.rawValue)),
      let tracerText = try? tracer.read("status")
    else {
      // It has just ended, unless it is still said to be there.
      guard let again = try? files.read("status"), ProcessStatus(again).tracer == thread else {
        return nil
      }
      return (ProcessID(thread.rawValue), "a process outside")
    }
    let status = ProcessStatus(tracerText)
    return (status.threadGroup, status.name)
  }

  private static func childrenOfKernelThreadDaemon() throws(Errno) -> [Int32] {
    let daemon = try ProcessFiles(ProcessID(2))
    guard let stat = ProcessStat(try daemon.read("stat")), stat.isKernelThread else { return [] }
    var scanner = TextScanner(try daemon.read("task/2/children"))
    var found: [Int32] = []
    while true {
      let child = Int32(truncatingIfNeeded: scanner.number())
      if child == 0 { return found }
      found.append(child)
    }
  }
}
