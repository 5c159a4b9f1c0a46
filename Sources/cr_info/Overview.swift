// SPDX-License-Identifier: Apache-2.0
import Architecture
import CommandLine
import ContextFile
import Linux
import Request
import Snapshot

/// What is in a context file, for a person.
struct Overview {
  private let snapshot: Snapshot
  private(set) var text: ByteString = ""

  init(_ reader: borrowing Reader, _ options: InfoOptions) {
    snapshot = reader.snapshot
    addHead(reader)
    addWarnings()
    line("processes:")
    for index in snapshot.processes.indices where !hasParentHere(index) { addTree(index, 1) }
    for index in snapshot.processes.indices { addDetails(index, options) }
    addControlGroups()
    addMemory()
    addFiles()
  }

  private mutating func line(_ words: ByteString) { text += words + "\n" }

  private mutating func row(_ title: ByteString, _ words: ByteString) {
    line("  \(padded(title, 14)) \(words)")
  }

  // MARK: The job

  private mutating func addHead(_ reader: borrowing Reader) {
    let job = snapshot.job
    let place: ByteString =
      reader.isDirectory ? "in \(counted(reader.parts.count, "file", "files"))" : "file"
    line(
      """
      \(shown(reader.name)): BLCR context \(place), format \
      \(reader.version.0).\(reader.version.1), \(Size.short(reader.size))
      """)
    row("saved", "\(job.time.words) by process \(job.requester) (version \(shown(job.toolVersion)))")
    row(
      "on",
      "\(shown(job.host)), \(shown(job.machineName)), Linux \(shown(job.kernelRelease)) \(shown(job.kernelVersion))"
    )
    let scopes: [StaticString] = ["process", "process group", "session", "tree of process"]
    let scope: StaticString = job.scope < 4 ? scopes[Int(job.scope)] : "unknown scope"
    row("asked for", "\(scope) \(job.target)")
    row("architecture", snapshot.processes[0].machine.words)
    let threads = snapshot.processes.reduce(0) { $0 + $1.threads.count }
    row(
      "in it",
      "\(counted(snapshot.processes.count, "process", "processes")), \(counted(threads, "thread", "threads"))"
    )
  }

  private func counted(_ count: Int, _ one: StaticString, _ many: StaticString) -> ByteString {
    "\(count) \(count == 1 ? one : many)"
  }

  private mutating func addWarnings() {
    guard !snapshot.job.warnings.isEmpty else { return }
    line("warnings:")
    for warning in snapshot.job.warnings { line("  \(shown(warning))") }
  }

  // MARK: Processes

  private func hasParentHere(_ index: Int) -> Bool {
    let parent = snapshot.processes[index].parent
    // A process that calls itself its parent would be nobody's child.
    return parent != snapshot.processes[index].id
      && snapshot.processes.prefix(index).contains { $0.id == parent }
  }

  private mutating func addTree(_ index: Int, _ depth: Int) {
    let process = snapshot.processes[index]
    let amount = process.memoryAmount
    var facts: ByteString = counted(process.threads.count, "thread", "threads")
    if case .running = process.state {} else { facts = process.state.words }
    if process.machine != snapshot.processes[0].machine {
      facts += ", \(process.machine.shortName)"
    }
    if amount.mapped > 0 {
      facts += ", \(Size.short(amount.saved)) of \(Size.short(amount.mapped)) saved"
    }
    if let owner = process.sharesMemoryWith {
      facts += ", memory of \(snapshot.processes[owner].id)"
    }
    let indent = ByteString([UInt8](repeating: 0x20, count: 2 * min(depth, 20)))
    line("\(indent)\(process.id) \(commandLine(of: process)) (\(facts))")
    // Each process comes after its parent, so this ends.
    for child in snapshot.processes.indices where child > index {
      if snapshot.processes[child].parent == process.id { addTree(child, depth + 1) }
    }
  }

  private mutating func addDetails(_ index: Int, _ options: InfoOptions) {
    let process = snapshot.processes[index]
    if options.showsThreads, !process.threads.isEmpty { addThreads(process) }
    if options.showsMaps, !process.memory.regions.isEmpty { addMaps(process) }
    if options.showsDescriptors, !process.descriptors.isEmpty { addDescriptors(process) }
  }

  /// Those that are its own; the others are where people work.
  private mutating func addControlGroups() {
    for process in snapshot.processes {
      for membership in process.controlGroups where membership.isOwn {
        let group = membership.group
        let hierarchy: ByteString = group.hierarchy.isEmpty ? "" : " of \(shown(group.hierarchy))"
        line("control group\(hierarchy) of \(process.id): \(shown(group.path))")
      }
    }
  }

  private mutating func addThreads(_ process: Process) {
    line("threads of \(process.id):")
    for (place, thread) in process.threads.enumerated() {
      if place == 0, process.leaderStatus != nil {
        line("  \(padded("\(thread.id)", 8)) \(padded(shown(thread.name), 16)) has ended, others run on")
        continue
      }
      let registers = thread.registers
      var facts: ByteString = "pc \(hex: registers.programCounter), sp \(hex: registers.stackPointer)"
      if !registers.areUnderstood { facts = "\(registers.generalRegisters.count) bytes of registers" }
      if let call = registers.currentCall { facts += ", in system call \(call.number)" }
      line(
        """
          \(padded("\(thread.id)", 8)) \(padded(shown(thread.name), 16)) \(facts), \
        blocked \(hex: thread.signalMask, width: 16)
        """)
    }
  }

  private mutating func addMaps(_ process: Process) {
    line("mappings of \(process.id):")
    for region in process.memory.regions {
      let amount = [region].reduce(into: MemoryAmount()) { $0.add($1) }
      line(
        """
          \(hex: region.range.start, width: 8)-\(hex: region.range.end, width: 8) \
        \(region.permissions) \(padded("\(hex: region.offset, width: 8)", 8)) \
        \(padded(amount.saved == 0 ? "-" : Size.short(amount.saved), 10)) \(region.title(in: snapshot))
        """)
    }
  }

  private mutating func addDescriptors(_ process: Process) {
    line("descriptors of \(process.id):")
    for descriptor in process.descriptors {
      let file = snapshot.openFiles[descriptor.openFile]
      let inherited: ByteString = descriptor.closeOnExec ? ", close on exec" : ""
      line(
        """
          \(padded("\(descriptor.number)", 5)) \(padded(file.access, 10)) \(file.title) \
        (file \(descriptor.openFile)\(file.placeWords)\(inherited))
        """)
    }
  }

  // MARK: Sums

  private mutating func addMemory() {
    line("memory:")
    for (kind, amount) in zip(MemoryKind.allCases, snapshot.memoryByKind) where amount.mapped > 0 {
      line(
        """
          \(padded(ByteString(kind.words), 16)) \(padded(Size.short(amount.mapped), 10)) mapped, \
        \(Size.short(amount.saved)) saved
        """)
    }
  }

  private mutating func addFiles() {
    guard !snapshot.openFiles.isEmpty else { return }
    line("open files:")
    for (index, file) in snapshot.openFiles.enumerated() {
      line("  \(padded("\(index)", 5)) \(padded(file.access, 10)) \(file.title)\(file.lossWords)")
    }
  }
}
