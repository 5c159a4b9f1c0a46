// SPDX-License-Identifier: Apache-2.0
import Architecture
import CommandLine
import ContextFile
import Linux
import Request
import Snapshot

/// What is in a context file, for programs: every field a person might ask for.
struct ContextReport {
  private let snapshot: Snapshot

  init(_ snapshot: Snapshot) { self.snapshot = snapshot }

  func json(_ reader: borrowing Reader, isVerified: Bool) -> JSONObject {
    var object = JSONObject()
    object.set("file", reader.name)
    object.set("format", "\(reader.version.0).\(reader.version.1)")
    object.set("size", reader.size)
    object.set("verified", isVerified)
    object.set("job", job())
    object.set("warnings", snapshot.job.warnings)
    object.set("processes", snapshot.processes.map { process($0) })
    object.set("open_files", snapshot.openFiles.map { openFile($0) })
    object.set("shared_memories", snapshot.sharedMemories.map { sharedMemory($0) })
    return object
  }

  private func job() -> JSONObject {
    let job = snapshot.job
    var object = JSONObject()
    object.set("scope", job.scope)
    object.set("target", job.target)
    object.set("requester", job.requester.rawValue)
    object.set("time", job.time.seconds)
    object.set("time_text", job.time.words)
    object.set("host", job.host)
    object.set("machine", job.machineName)
    object.set("kernel_release", job.kernelRelease)
    object.set("kernel_version", job.kernelVersion)
    object.set("tool_version", job.toolVersion)
    return object
  }

  private func process(_ process: Process) -> JSONObject {
    var object = JSONObject()
    object.set("pid", process.id.rawValue)
    object.set("parent", process.parent.rawValue)
    object.set("group", process.group.rawValue)
    object.set("session", process.session.rawValue)
    setState(process.state, in: &object)
    if let status = process.leaderStatus { object.set("main_thread_status", status) }
    object.set("architecture", process.machine.shortName)
    object.set("bits", process.machine.wordSize.bytes * 8)
    object.set("byte_order", process.machine.byteOrder == .little ? "little" : "big")
    object.set("name", process.name)
    object.set("command", arguments(of: process))
    object.set("executable", process.executable.path)
    object.set("working_directory", process.workingDirectory)
    object.set("umask", process.umask)
    object.set("control_groups", process.controlGroups.map { controlGroup($0) })
    setSharing(process, in: &object)
    object.set("threads", process.threads.map { thread($0) })
    object.set("memory", memory(process))
    object.set("mappings", process.memory.regions.map { mapping($0) })
    object.set("descriptors", process.descriptors.map { descriptor($0) })
    return object
  }

  private func controlGroup(_ membership: ControlGroupMembership) -> JSONObject {
    var object = JSONObject()
    object.set("hierarchy", membership.group.hierarchy)
    object.set("path", membership.group.path)
    object.set("own", membership.isOwn)
    return object
  }

  private func setState(_ state: Process.State, in object: inout JSONObject) {
    switch state {
    case .running: object.set("state", "running")
    case .stopped(let signal):
      object.set("state", "stopped")
      object.set("signal", signal)
    case .zombie(let status):
      object.set("state", "zombie")
      object.set("wait_status", status)
    }
  }

  private func setSharing(_ process: Process, in object: inout JSONObject) {
    func set(_ name: StaticString, _ index: Int?) {
      if let index { object.set(name, snapshot.processes[index].id.rawValue) }
    }
    set("shares_memory_with", process.sharesMemoryWith)
    set("shares_descriptors_with", process.sharesDescriptorsWith)
    set("shares_directories_with", process.sharesDirectoriesWith)
  }

  private func arguments(of process: Process) -> [ByteString] {
    var words = process.commandLine.bytes.split(separator: 0, omittingEmptySubsequences: false)
    if words.last?.isEmpty == true { words.removeLast() }
    return words.map { ByteString($0) }
  }

  private func thread(_ thread: Thread) -> JSONObject {
    var object = JSONObject()
    object.set("tid", thread.id.rawValue)
    object.set("name", thread.name)
    object.set("signal_mask", "\(hex: thread.signalMask, width: 16)")
    object.set("pending_signals", thread.pendingSignals.count)
    if let user = thread.credentials.userIDs.first { object.set("user", user) }
    if let group = thread.credentials.groupIDs.first { object.set("group", group) }
    if !thread.registers.areUnderstood { return object }
    object.set("program_counter", "\(hex: thread.registers.programCounter)")
    object.set("stack_pointer", "\(hex: thread.registers.stackPointer)")
    if let call = thread.registers.currentCall { object.set("system_call", call.number) }
    return object
  }

  private func memory(_ process: Process) -> JSONObject {
    var object = JSONObject()
    var alone = snapshot
    alone.processes = [process]
    alone.sharedMemories = []
    for (kind, amount) in zip(MemoryKind.allCases, alone.memoryByKind) where amount.mapped > 0 {
      var part = JSONObject()
      part.set("mapped", amount.mapped)
      part.set("saved", amount.saved)
      object.set(kind.key, part)
    }
    return object
  }

  private func mapping(_ region: Region) -> JSONObject {
    var object = JSONObject()
    object.set("start", "\(hex: region.range.start)")
    object.set("end", "\(hex: region.range.end)")
    object.set("permissions", region.permissions)
    object.set("kind", ByteString(MemoryKind(region).key))
    object.set("offset", region.offset)
    object.set("saved", region.contents.reduce(0) { $0 + $1.count })
    switch region.backing {
    case .anonymous: if !region.name.isEmpty { object.set("name", region.name) }
    case .file(let file): object.set("path", file.path)
    case .special(let name): object.set("name", name)
    case .sharedMemory(let index): object.set("shared_memory", index)
    }
    return object
  }

  private func descriptor(_ descriptor: Descriptor) -> JSONObject {
    var object = JSONObject()
    object.set("fd", descriptor.number)
    object.set("close_on_exec", descriptor.closeOnExec)
    object.set("open_file", descriptor.openFile)
    return object
  }

  private func openFile(_ file: OpenFile) -> JSONObject {
    var object = JSONObject()
    object.set("kind", ByteString(file.kindName))
    if let path = file.path { object.set("path", path) }
    object.set("flags", file.flags)
    object.set("position", file.position)
    switch file.kind {
    case .pipe(let end), .fifo(_, let end):
      object.set("pipe", end.pipe)
      object.set("unread", end.unread.count)
    case .deleted(let deleted): object.set("size", deleted.size)
    case .eventCounter(let counter):
      object.set("count", counter.count)
      object.set("semaphore", counter.isSemaphore)
    case .timer(let timer):
      object.set("clock", timer.clock)
      object.set("remaining", timer.remaining)
      object.set("interval", timer.interval)
      object.set("expirations", timer.expirations)
    case .epoll(let entries):
      object.set("watches", entries.map { watch($0) })
    case .watches(let watches):
      object.set("watches", watches.map { watch($0) })
    case .process(let process): object.set("pid", process.rawValue)
    case .socket(let socket): describe(socket, in: &object)
    case .master(let terminal): describe(terminal, in: &object)
    case .slave(let slave):
      object.set("number", slave.number)
      object.set("hung_up", slave.isHungUp)
    case .messageQueue(let queue):
      object.set("name", queue.name)
      object.set("messages", queue.messages.count)
    case .signals(let mask): object.set("mask", "\(hex: mask, width: 16)")
    default: break
    }
    return object
  }

  private func watch(_ entry: EpollEntry) -> JSONObject {
    var object = JSONObject()
    object.set("fd", entry.number)
    object.set("events", "\(hex: entry.events)")
    object.set("data", "\(hex: entry.data)")
    object.set("open_file", entry.openFile)
    return object
  }

  private func watch(_ watch: FileWatch) -> JSONObject {
    var object = JSONObject()
    object.set("wd", watch.number)
    object.set("mask", "\(hex: watch.mask)")
    object.set("path", watch.path)
    return object
  }

  private func describe(_ terminal: PseudoTerminal, in object: inout JSONObject) {
    object.set("number", terminal.number)
    object.set("rows", terminal.window.rows)
    object.set("columns", terminal.window.columns)
    object.set("unread_input", terminal.queues.input.count + terminal.queues.typed.count)
    object.set("unread_output", terminal.queues.output.count)
  }

  private func describe(_ socket: Socket, in object: inout JSONObject) {
    object.set("family", socket.family)
    object.set("type", socket.type)
    object.set("inode", socket.inode)
    let states: [StaticString] = ["idle", "connected", "listening"]
    object.set("state", ByteString(states[Int(socket.state.rawValue)]))
    if !socket.path.isEmpty { object.set("path", socket.path) }
    if let peer = socket.peer { object.set("peer", peer) }
    object.set("messages", socket.messages.count)
    object.set("unread", socket.unread)
  }

  private func sharedMemory(_ object: SharedMemory) -> JSONObject {
    var json = JSONObject()
    json.set("kind", ByteString(object.kindName))
    json.set("size", object.size)
    json.set("saved", object.contents.reduce(0) { $0 + $1.count })
    if !object.path.isEmpty { json.set("path", object.path) }
    return json
  }
}
