// SPDX-License-Identifier: Apache-2.0
import Architecture
import Linux
import Snapshot

// What each record consists of, in the order of its fields; see FieldCoder. APPEND ONLY.

extension TimeValue {
  mutating func walk<C: FieldCoder>(_ coder: inout C) {
    coder.field(&seconds)
    coder.field(&nanoseconds)
  }
}

extension Job {
  mutating func walk<C: FieldCoder>(_ coder: inout C) {
    coder.field(&scope)
    coder.field(&target)
    coder.field(&requester)
    time.walk(&coder)
    monotonic.walk(&coder)
    bootTime.walk(&coder)
    coder.field(&host)
    coder.field(&kernelRelease)
    coder.field(&kernelVersion)
    coder.field(&machineName)
    coder.field(&toolVersion)
    coder.list(&warnings, empty: "") { $1.field(&$0) }
  }
}

extension Extent {
  mutating func walk<C: FieldCoder>(_ coder: inout C) {
    coder.field(&position)
    coder.field(&count)
    coder.field(&fileOffset)
  }
}

extension FileIdentity {
  mutating func walk<C: FieldCoder>(_ coder: inout C) {
    coder.field(&path)
    coder.field(&device)
    coder.field(&inode)
    coder.field(&size)
    coder.field(&mode)
    modified.walk(&coder)
    coder.field(&buildID)
  }
}

extension PosixTimer {
  mutating func walk<C: FieldCoder>(_ coder: inout C) {
    coder.field(&id)
    coder.field(&clock)
    coder.field(&notify)
    coder.field(&signal)
    coder.field(&value)
    coder.field(&thread)
    coder.field(&remaining)
    coder.field(&interval)
  }
}

extension Process {
  /// What is not in notes of its own.
  mutating func walk<C: FieldCoder>(_ coder: inout C) {
    coder.field(&id)
    coder.field(&parent)
    coder.field(&group)
    coder.field(&session)
    walkState(&coder)
    coder.field(&exitSignal)
    coder.field(&name)
    coder.field(&commandLine)
    coder.record(&executable) { $0.walk(&$1) }
    coder.field(&sharesMemoryWith)
    coder.field(&sharesDescriptorsWith)
    coder.field(&sharesDirectoriesWith)
    coder.list(&pendingSignals, empty: []) { $1.field(&$0) }
    coder.list(&intervalTimers, empty: IntervalTimer(remaining: 0, interval: 0)) {
      $1.field(&$0.remaining)
      $1.field(&$0.interval)
    }
    coder.field(&workingDirectory)
    coder.field(&rootDirectory)
    coder.field(&umask)
    coder.list(&limits, empty: ResourceLimit(soft: 0, hard: 0)) {
      $1.field(&$0.soft)
      $1.field(&$0.hard)
    }
    coder.field(&personality)
    coder.field(&dumpable)
    coder.field(&isChildSubreaper)
    coder.field(&hugePagesDisabled)
    coder.field(&oomScoreAdjustment)
    coder.field(&coredumpFilter)
    coder.field(&controllingTerminal)
    coder.field(&foregroundGroup)
    coder.list(&posixTimers, empty: PosixTimer(id: 0, clock: 0)) { $0.walk(&$1) }
    coder.list(&seccompFilters, empty: SeccompFilter(flags: 0, instructions: [])) {
      $1.field(&$0.flags)
      $1.field(&$0.instructions)
    }
    let group = ControlGroup(hierarchy: "", path: "")
    coder.list(&controlGroups, empty: ControlGroupMembership(group, isOwn: false)) {
      $1.field(&$0.group.hierarchy)
      $1.field(&$0.group.path)
      $1.field(&$0.isOwn)
    }
    coder.field(&membarrierCommands)
    coder.field(&lostDirectoryMode)
    // Of no meaning where the state does not say that the main thread has ended.
    var status = leaderStatus ?? 0
    coder.field(&status)
    if leaderStatus != nil { leaderStatus = status }
  }

  private mutating func walkState<C: FieldCoder>(_ coder: inout C) {
    var kind: UInt32 = 0
    var value: Int32 = 0
    switch state {
    case .running: break
    case .stopped(let signal): (kind, value) = (1, signal)
    case .zombie(let waitStatus): (kind, value) = (2, waitStatus)
    }
    if leaderStatus != nil { kind |= 4 }
    coder.field(&kind)
    coder.field(&value)
    // A reader that does not know this must not bring it back to life.
    leaderStatus = kind & 4 == 0 ? nil : leaderStatus ?? 0
    switch kind & ~4 {
    case 0: state = .running
    case 1: state = .stopped(signal: value)
    case 2: state = .zombie(waitStatus: value)
    default: coder.refuse()
    }
  }
}

extension SignalAction {
  mutating func walk<C: FieldCoder>(_ coder: inout C) {
    coder.field(&signal)
    coder.field(&handler)
    coder.field(&flags)
    coder.field(&restorer)
    coder.field(&mask)
  }
}

extension Descriptor {
  mutating func walk<C: FieldCoder>(_ coder: inout C) {
    coder.field(&number)
    coder.field(&closeOnExec)
    coder.field(&openFile)
  }
}

extension FileLock {
  mutating func walk<C: FieldCoder>(_ coder: inout C) {
    var number = kind.rawValue
    coder.field(&number)
    if let known = Kind(rawValue: number) { kind = known } else { coder.refuse() }
    coder.field(&descriptor)
    coder.field(&isExclusive)
    coder.field(&start)
    coder.field(&count)
  }
}

extension AddressSpace {
  /// All but the auxiliary vector, which is NT_AUXV.
  mutating func walk<C: FieldCoder>(_ coder: inout C) {
    coder.field(&pageSize)
    coder.field(&lockFuture)
    coder.field(&layout.code)
    coder.field(&layout.data)
    coder.field(&layout.heap)
    coder.field(&layout.stackStart)
    coder.field(&layout.arguments)
    coder.field(&layout.environment)
    let none = Region(
      range: MemoryRange(start: 0, end: 0), protection: 0, isShared: false, backing: .anonymous)
    coder.list(&regions, empty: none) { $0.walk(&$1) }
  }
}

extension Region {
  mutating func walk<C: FieldCoder>(_ coder: inout C) {
    coder.field(&range)
    coder.field(&protection)
    coder.field(&isShared)
    coder.field(&growsDown)
    walkBacking(&coder)
    coder.field(&offset)
    coder.field(&flags)
    coder.field(&protectionKey)
    coder.field(&name)
    coder.list(&contents, empty: Extent(position: 0, count: 0)) { $0.walk(&$1) }
    coder.field(&hugePageSize)
    coder.list(&guards, empty: MemoryRange(start: 0, end: 0)) { $1.field(&$0) }
  }

  private mutating func walkBacking<C: FieldCoder>(_ coder: inout C) {
    var kind: UInt32
    var file = FileIdentity(path: "")
    var index = 0
    var special: ByteString = ""
    switch backing {
    case .anonymous: kind = 0
    case .file(let identity): (kind, file) = (1, identity)
    case .sharedMemory(let number): (kind, index) = (2, number)
    case .special(let name): (kind, special) = (3, name)
    }
    coder.field(&kind)
    switch kind {
    case 0:
      backing = .anonymous
    case 1:
      coder.record(&file) { $0.walk(&$1) }
      backing = .file(file)
    case 2:
      coder.field(&index)
      backing = .sharedMemory(index)
    case 3:
      coder.field(&special)
      backing = .special(special)
    default:
      coder.refuse()
    }
  }
}

extension SharedMemory {
  mutating func walk<C: FieldCoder>(_ coder: inout C) {
    var number = kind.rawValue
    coder.field(&number)
    if let known = Kind(rawValue: number) { kind = known } else { coder.refuse() }
    coder.field(&size)
    coder.field(&path)
    coder.field(&mode)
    coder.field(&device)
    coder.field(&inode)
    coder.list(&contents, empty: Extent(position: 0, count: 0)) { $0.walk(&$1) }
    coder.field(&seals)
    coder.field(&user)
    coder.field(&group)
    coder.field(&hugePageSize)
  }
}
