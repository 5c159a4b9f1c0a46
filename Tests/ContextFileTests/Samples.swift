// SPDX-License-Identifier: Apache-2.0
import Architecture
import Linux
import Snapshot

@testable import ContextFile

/// Every combination of word size and byte order, and the two i386-sized oddities of 16-bit ids.
let machines: [Machine] = [
  .x86_64, .i386, .arm, .aarch64, .powerpc, .powerpc64, .powerpc64le,
]

/// Snapshots with something in every field, made up of numbers that differ from each other.
struct Sample {
  let machine: Machine
  /// The number that was given out last.
  private var last: UInt64 = 0

  init(_ machine: Machine) { self.machine = machine }

  /// A number that no other field has.
  private mutating func number() -> UInt64 {
    last += 1
    return last
  }

  private mutating func small() -> UInt32 { UInt32(number()) }
  private mutating func signed() -> Int32 { Int32(number()) }

  private mutating func time() -> TimeValue {
    TimeValue(seconds: Int64(number()), nanoseconds: Int64(number()))
  }

  private mutating func identity(_ path: ByteString) -> FileIdentity {
    var identity = FileIdentity(path: path)
    identity.device = number()
    identity.inode = number()
    identity.size = number()
    identity.mode = small()
    identity.modified = time()
    identity.buildID = [1, 2, 3, 0xff]
    return identity
  }

  private var registersSize: Int {
    switch machine.number {
    case 62: 27 * 8
    case 3: 17 * 4
    case 40: 18 * 4
    case 183: 34 * 8
    default: 48 * machine.wordSize.bytes
    }
  }

  private mutating func thread(_ id: Int32) -> Thread {
    let bytes = (0 ..< registersSize).map { UInt8(truncatingIfNeeded: $0 + Int(id)) }
    var thread = Thread(id: ThreadID(id), registers: Registers(stored: bytes, machine: machine))
    var state = [UInt8](repeating: UInt8(truncatingIfNeeded: id), count: 2688)
    // What the kernel says there of the parts that are in use (XCR0): gdb goes by it.
    state.replaceSubrange(464 ..< 472, with: [0xe7, 0, 0, 0, 0, 0, 0, 0])
    thread.registerSets =
      machine == .x86_64
      ? [RegisterSet(noteType: 0x202, bytes: state)]
      : [
        RegisterSet(noteType: 2, bytes: Array(state.prefix(264))),
        RegisterSet(noteType: 0x100, bytes: [9, 8, 7]),
      ]
    thread.signalMask = 0x8000_0000_0000_0000 | number()
    thread.pendingSignals = [[UInt8](repeating: 7, count: 128)]
    thread.alternateStack = AlternateStack(address: number(), size: number(), flags: small())
    thread.robustList = number()
    thread.robustListLength = number()
    thread.clearChildTID = number()
    thread.rseqArea = number()
    thread.rseqLength = small()
    thread.rseqSignature = small()
    thread.name = "worker \(id)"
    thread.scheduling.policy = small()
    thread.scheduling.flags = number()
    thread.scheduling.nice = -5
    thread.scheduling.priority = small()
    thread.scheduling.runtime = number()
    thread.scheduling.deadline = number()
    thread.scheduling.period = number()
    thread.scheduling.affinity = [3, 0, 1]
    thread.scheduling.ioPriority = small()
    thread.credentials.userIDs = [70_000, small(), small(), small()]
    thread.credentials.groupIDs = [small(), small(), small(), small()]
    thread.credentials.groups = [4, 5, 6, 7, 8]
    thread.credentials.inheritable = number()
    thread.credentials.permitted = number()
    thread.credentials.effective = number()
    thread.credentials.bounding = number()
    thread.credentials.ambient = number()
    thread.credentials.secureBits = small()
    thread.parentDeathSignal = signed()
    thread.noNewPrivileges = true
    thread.timerSlack = number()
    thread.seccompMode = small()
    thread.seccompFilters = [1, 0]
    return thread
  }

  private mutating func regions(_ page: UInt64) -> [Region] {
    let base: UInt64 = 0x40_0000
    func range(_ first: UInt64, _ count: UInt64) -> MemoryRange {
      MemoryRange(start: base + first * page, count: count * page)
    }
    var program = Region(
      range: range(0, 4), protection: 5, isShared: false, backing: .file(identity("/bin/a b")))
    program.offset = page
    program.flags = "rd ex mr mw me"
    program.contents = [Extent(position: base + page, count: page)]
    var heap = Region(range: range(16, 8), protection: 3, isShared: false, backing: .anonymous)
    heap.name = "[heap]"
    heap.protectionKey = small()
    heap.contents = [
      Extent(position: base + 16 * page, count: 2 * page),
      Extent(position: base + 20 * page, count: page),
    ]
    var shared = Region(
      range: range(32, 4), protection: 3, isShared: true, backing: .sharedMemory(0))
    shared.offset = page
    let gone = Region(range: range(40, 1), protection: 1, isShared: false, backing: .sharedMemory(1))
    let clock = Region(
      range: range(48, 1), protection: 1, isShared: false, backing: .special("[vvar]"))
    var stack = Region(range: range(64, 32), protection: 3, isShared: false, backing: .anonymous)
    stack.growsDown = true
    stack.name = "[stack]"
    stack.contents = [Extent(position: base + 95 * page, count: page)]
    return [program, heap, shared, gone, clock, stack]
  }

  private mutating func process(_ id: Int32, parent: Int32, threads: Int32) -> Process {
    var process = Process(id: ProcessID(id), parent: ProcessID(parent), machine: machine)
    process.group = ProcessID(signed())
    process.session = ProcessID(signed())
    process.exitSignal = signed()
    process.name = "compute"
    process.commandLine = ByteString(Array("compute\u{0}--long\u{0}".utf8) + [0xff, 0])
    process.executable = identity("/bin/compute")
    process.threads = (0 ..< threads).map { thread(id + $0) }
    process.memory.pageSize = machine == .powerpc64 ? 65536 : 4096
    process.memory.lockFuture = small()
    process.memory.layout.code = MemoryRange(start: number(), end: number())
    process.memory.layout.data = MemoryRange(start: number(), end: number())
    process.memory.layout.heap = MemoryRange(start: number(), end: number())
    process.memory.layout.stackStart = number()
    process.memory.layout.arguments = MemoryRange(start: number(), end: number())
    process.memory.layout.environment = MemoryRange(start: number(), end: number())
    process.memory.auxiliaryVector = [UInt8](repeating: 0, count: 4 * machine.wordSize.bytes)
    process.memory.regions = regions(process.memory.pageSize)
    process.signalActions = [
      SignalAction(
        signal: 2, handler: number(), flags: number(), restorer: number(), mask: .max),
      SignalAction(signal: 64, handler: 1, flags: 0, restorer: 0, mask: 0),
    ]
    process.pendingSignals = [[UInt8](repeating: 1, count: 128), []]
    process.intervalTimers = (0 ..< 3).map { _ in
      IntervalTimer(remaining: number(), interval: number())
    }
    process.descriptors = (0 ..< 8).map { index in
      Descriptor(number: Int32(index * 3), closeOnExec: index % 2 == 0, openFile: index)
    }
    process.fileLocks = [
      FileLock(kind: .openFileDescription, descriptor: 3, isExclusive: true, start: 5, count: 6)
    ]
    process.workingDirectory = "/home/\u{e9}"
    process.rootDirectory = "/jail"
    process.umask = 0o27
    process.limits = (0 ..< 16).map { _ in ResourceLimit(soft: number(), hard: .max) }
    process.personality = small()
    process.dumpable = small()
    process.isChildSubreaper = true
    process.hugePagesDisabled = true
    process.oomScoreAdjustment = -17
    process.coredumpFilter = small()
    process.controlGroups = [
      ControlGroupMembership(ControlGroup(hierarchy: "cpu,cpuacct", path: "/a b"), isOwn: true)
    ]
    process.membarrierCommands = 0x28
    process.seccompFilters = (1 ... 2).map {
      SeccompFilter(flags: UInt32($0), instructions: [UInt8](repeating: UInt8($0), count: 16))
    }
    process.controllingTerminal = number()
    process.foregroundGroup = ProcessID(signed())
    return process
  }

  private mutating func openFiles() -> [OpenFile] {
    let end = PipeEnd(pipe: 77, capacity: 65536, unread: [1, 2, 3, 4, 5])
    var gone = DeletedFile(path: "/tmp/gone", mode: 0o600, size: 10_005, device: 1, inode: 2)
    gone.contents = [
      Extent(position: 0, count: 4096), Extent(position: 8192, count: 10_005 - 8192),
    ]
    var same = DeletedFile(path: "/tmp/gone", mode: 0o600, size: 10_005, device: 1, inode: 2)
    same.sameFileAs = 1
    same.sharedMemory = 1
    let kinds: [OpenFile.Kind] = [
      .regular(identity("/data/in put\n")), .deleted(gone), .directory(path: "/etc"), .pipe(end),
      .fifo(path: "/tmp/fifo", end), .characterDevice(path: "/dev/null", device: number()),
      .terminal(path: "/dev/pts/3", device: number()), .deleted(same),
    ]
    return kinds.map { kind in
      var file = OpenFile(kind: kind, flags: small(), position: number())
      file.ownerType = signed()
      file.owner = -3
      file.signal = signed()
      return file
    }
  }

  private mutating func sharedMemories(_ page: UInt64) -> [SharedMemory] {
    var anonymous = SharedMemory(kind: .anonymous, size: 8 * page)
    anonymous.contents = [Extent(position: 0, count: 3 * page)]
    var deleted = SharedMemory(kind: .deletedFile, size: page)
    deleted.path = "/dev/shm/x"
    deleted.mode = 0o640
    deleted.device = number()
    deleted.inode = number()
    deleted.contents = [Extent(position: 0, count: page)]
    return [anonymous, deleted]
  }

  /// Three processes: a root with two threads, a stopped child that shares its memory, a zombie.
  mutating func snapshot() -> Snapshot {
    var job = Job(scope: 3, target: 4711, requester: ProcessID(99))
    job.time = time()
    job.monotonic = time()
    job.bootTime = time()
    job.host = "node17"
    job.kernelRelease = "6.1.0"
    job.kernelVersion = "#1 SMP"
    job.machineName = "machine"
    job.toolVersion = "0.9"
    job.warnings = ["one", ""]
    var snapshot = Snapshot(job: job)
    let root = process(4711, parent: 1, threads: 2)
    var child = process(4800, parent: 4711, threads: 1)
    child.memory.regions = []
    child.descriptors = []
    child.state = .stopped(signal: 19)
    child.sharesMemoryWith = 0
    child.sharesDescriptorsWith = 0
    child.sharesDirectoriesWith = 0
    var zombie = Process(id: ProcessID(4900), parent: ProcessID(4711), machine: machine)
    zombie.state = .zombie(waitStatus: 0x300)
    snapshot.processes = [root, child, zombie]
    snapshot.openFiles = openFiles()
    snapshot.sharedMemories = sharedMemories(root.memory.pageSize)
    return snapshot
  }
}

extension Sample {
  /// With few contents, for files that are kept.
  mutating func small() -> Snapshot {
    var small = snapshot()
    let page: UInt64 = 4096
    for process in small.processes.indices {
      small.processes[process].memory.pageSize = page
      for region in small.processes[process].memory.regions.indices where region != 1 {
        small.processes[process].memory.regions[region].contents = []
      }
      for thread in small.processes[process].threads.indices {
        for set in small.processes[process].threads[thread].registerSets.indices {
          let bytes = small.processes[process].threads[thread].registerSets[set].bytes
          small.processes[process].threads[thread].registerSets[set].bytes =
            Array(bytes.prefix(576))
        }
      }
    }
    small.processes[0].memory.regions[1].contents.removeLast()
    small.processes[0].memory.regions[1].contents[0].count = page
    small.sharedMemories[0].contents = []
    small.sharedMemories[1].contents = []
    return small
  }
}

/// Everything in a value, in words: equal for equal values.
func description<Value>(_ value: Value) -> String {
  var text = ""
  dump(value, to: &text)
  return text
}
