// SPDX-License-Identifier: Apache-2.0
import Architecture
import Linux
import Snapshot

/// Puts the job together from the notes of the root's image.
struct JobNotes {
  let order: Machine.ByteOrder
  private(set) var job = Job(scope: 0, target: 0, requester: ProcessID(0))
  private(set) var images: [ImageEntry] = []
  private(set) var openFiles: [OpenFile] = []
  private(set) var sharedMemories: [SharedMemory] = []
  private(set) var systemV = SystemV()
  /// Nil in a file that holds all of its job.
  private(set) var mark: PartMark?
  private(set) var hasJob = false

  init(order: Machine.ByteOrder) { self.order = order }

  /// False if the note makes no sense.
  mutating func take(_ note: Note) -> Bool {
    guard let kind = NoteKind(type: note.type) else { return true }
    var reader = FieldReader(Array(note.description), order)
    switch kind {
    case .job:
      job.walk(&reader)
      hasJob = true
    case .images:
      reader.list(&images, empty: ImageEntry()) { $0.walk(&$1) }
    case .openFiles:
      reader.list(&openFiles, empty: .unknown) { $0.walk(&$1) }
    case .sharedMemories:
      let empty = SharedMemory(kind: .anonymous, size: 0)
      reader.list(&sharedMemories, empty: empty) { $0.walk(&$1) }
    case .systemV:
      systemV.walk(&reader)
    case .part:
      var mark = PartMark()
      mark.walk(&reader)
      self.mark = mark
    default:
      break
    }
    return !reader.isMalformed
  }
}

/// Puts a process together from the notes of its image, in their order.
struct ProcessNotes {
  private(set) var process: Process
  private let machine: Machine
  private var hasRecord = false
  private var hasMemory = false
  /// Standard notes since the last thread's own note: registers, by note type.
  private var pending: [(type: UInt32, bytes: ArraySlice<UInt8>)] = []

  init(_ id: ProcessID, _ machine: Machine) {
    self.machine = machine
    process = Process(id: id, parent: ProcessID(0), machine: machine)
  }

  /// What every process has is there.
  var isComplete: Bool { hasRecord && hasMemory }

  /// False if the note makes no sense. Optional notes that are not known are passed over.
  mutating func take(_ note: Note) -> Bool {
    guard note.isOurs else {
      takeStandard(note)
      return true
    }
    guard let kind = NoteKind(type: note.type) else { return true }
    var reader = FieldReader(Array(note.description), machine.byteOrder)
    switch kind {
    case .process:
      let id = process.id
      process.walk(&reader)
      hasRecord = true
      guard process.id == id else { return false }
    case .thread:
      return takeThread(&reader)
    case .memory:
      let vector = process.memory.auxiliaryVector
      process.memory.walk(&reader)
      process.memory.auxiliaryVector = vector
      hasMemory = true
    case .signalActions:
      let empty = SignalAction(signal: 0, handler: 0, flags: 0, restorer: 0, mask: 0)
      reader.list(&process.signalActions, empty: empty) { $0.walk(&$1) }
    case .descriptors:
      let empty = Descriptor(number: 0, closeOnExec: false, openFile: 0)
      reader.list(&process.descriptors, empty: empty) { $0.walk(&$1) }
    case .fileLocks:
      let empty = FileLock(kind: .posix, descriptor: 0, isExclusive: false)
      reader.list(&process.fileLocks, empty: empty) { $0.walk(&$1) }
    case .version, .job, .images, .openFiles, .sharedMemories, .systemV, .part:
      break
    }
    return !reader.isMalformed
  }

  private mutating func takeStandard(_ note: Note) {
    if note.type == CoreNote.auxiliaryVector {
      process.memory.auxiliaryVector = Array(note.description)
    } else {
      pending.append((note.type, note.description))
    }
  }

  /// A thread's own note follows its registers.
  private mutating func takeThread(_ reader: inout FieldReader) -> Bool {
    let none = Registers(stored: [], machine: machine)
    var record = ThreadRecord(
      thread: Thread(id: ThreadID(0), registers: none), generalRegistersSize: 0, registerSets: [])
    record.walk(&reader)
    guard !reader.isMalformed, let status = pendingBytes(CoreNote.status) else { return false }
    let head = CoreNotes.statusHeadSize(machine.wordSize)
    let size = Int(record.generalRegistersSize)
    guard size >= 0, status.count >= head, size <= status.count - head else { return false }
    record.thread.registers = Registers(
      stored: Array(status.dropFirst(head).prefix(size)), machine: machine)
    for type in record.registerSets {
      guard let bytes = pendingBytes(type) else { return false }
      record.thread.registerSets.append(RegisterSet(noteType: type, bytes: Array(bytes)))
    }
    pending = []
    process.threads.append(record.thread)
    return true
  }

  /// The last note of a type: where a regset and a note derived from another have the same type
  /// (NT_FPREGSET), the regset is written last.
  private func pendingBytes(_ type: UInt32) -> ArraySlice<UInt8>? {
    pending.last { $0.type == type }?.bytes
  }
}
