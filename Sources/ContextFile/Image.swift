// SPDX-License-Identifier: Apache-2.0
import Architecture
import CElf
import Linux
import Snapshot

/// The head of one process's image: ELF header, notes and program headers, padded to a page.
struct Image {
  let index: Int
  /// Whether it has notes of ours; without them it is a core file and nothing else.
  private let isContext: Bool
  /// Of the files of a directory.
  private let mark: PartMark?
  let machine: Machine
  /// Bytes of all notes but the version's.
  private let otherNotesSize: Int
  /// PT_NOTE and the PT_LOADs.
  private let segmentCount: Int
  /// Where the image begins in the file; of the head: its padded size in bytes.
  var offset: UInt64 = 0
  private(set) var headSize: UInt64 = 0
  /// Up to the end of its runs of pages.
  var size: UInt64 = 0

  init(
    of snapshot: Snapshot, _ index: Int, alignment: UInt64, isContext: Bool, _ mark: PartMark?
  ) {
    self.index = index
    self.isContext = isContext
    self.mark = mark
    machine = snapshot.processes[index].machine
    var notes = NoteWriter(machine.byteOrder, measuring: true)
    Self.addFixedNotes(of: snapshot, index, isContext: isContext, to: &notes)
    if isContext {
      Self.addMark(mark, to: &notes)
      Self.addPlacedNotes(of: snapshot, index, imageTable: [], to: &notes)
    }
    otherNotesSize =
      notes.count
      + (isContext && index == 0 ? snapshot.processes.count * Self.imageEntrySize : 0)
    segmentCount =
      1
      + Segments(
        snapshot: snapshot, index: index, showsShared: index == 0 || mark == nil, imageOffset: 0,
        emptyPlace: 0
      ).loads().count
    headSize = aligned(UInt64(unpaddedSize), to: alignment)
  }

  private var headerSize: Int { cr_elf_header_size(machine.wordSize.rawValue) }
  private var notesSize: Int {
    (isContext ? Self.versionNoteTotal : 0) + otherNotesSize
  }
  private var segmentsOffset: Int { Int(aligned(UInt64(headerSize + notesSize), to: 8)) }
  private var sectionOffset: Int {
    segmentsOffset + segmentCount * cr_elf_segment_size(machine.wordSize.rawValue)
  }
  /// Only with PN_XNUM is there a section header.
  private var hasSection: Bool { segmentCount >= 0xffff }
  private var unpaddedSize: Int {
    sectionOffset + (hasSection ? cr_elf_section_size(machine.wordSize.rawValue) : 0)
  }

  /// Header, owner and description of the version note.
  static let versionNoteTotal = 12 + 8 + Format.versionNoteSize
  /// A record of the image table: its size, pid, offset, size.
  private static let imageEntrySize = 4 + 4 + 8 + 8

  // MARK: Notes

  /// Notes that do not depend on any place in the file.
  private static func addFixedNotes(
    of snapshot: Snapshot, _ index: Int, isContext: Bool, to notes: inout NoteWriter
  ) {
    var process = snapshot.processes[index]
    let core = CoreNotes(of: process)
    for (number, thread) in process.threads.enumerated() {
      core.add(thread, to: &notes)
      // The kernel's order: the leader's registers, the process, further threads.
      if number == 0 { core.addProcess(to: &notes) }
      guard isContext else { continue }
      var record = ThreadRecord(thread)
      notes.add(.thread) { record.walk(&$0) }
    }
    if process.threads.isEmpty { core.addProcess(to: &notes) }
    guard isContext else { return }
    notes.add(.process) { process.walk(&$0) }
    addTables(of: &process, to: &notes)
    if index == 0 {
      var job = snapshot.job
      notes.add(.job) { job.walk(&$0) }
      var systemV = snapshot.systemV
      if !systemV.isEmpty { notes.add(.systemV) { systemV.walk(&$0) } }
    }
  }

  /// Tables that most processes have; an empty one is not written.
  private static func addTables(of process: inout Process, to notes: inout NoteWriter) {
    var (actions, descriptors, locks) =
      (process.signalActions, process.descriptors, process.fileLocks)
    if !actions.isEmpty {
      let empty = SignalAction(signal: 0, handler: 0, flags: 0, restorer: 0, mask: 0)
      notes.add(.signalActions) { $0.list(&actions, empty: empty) { $0.walk(&$1) } }
    }
    if !descriptors.isEmpty {
      let empty = Descriptor(number: 0, closeOnExec: false, openFile: 0)
      notes.add(.descriptors) { $0.list(&descriptors, empty: empty) { $0.walk(&$1) } }
    }
    if !locks.isEmpty {
      let empty = FileLock(kind: .posix, descriptor: 0, isExclusive: false)
      notes.add(.fileLocks) { $0.list(&locks, empty: empty) { $0.walk(&$1) } }
    }
  }

  /// Notes that hold file offsets. Their size does not depend on the offsets' values.
  private static func addPlacedNotes(
    of snapshot: Snapshot, _ index: Int, imageTable: [ImageEntry], to notes: inout NoteWriter
  ) {
    var memory = snapshot.processes[index].memory
    notes.add(.memory) { memory.walk(&$0) }
    guard index == 0 else { return }
    var table = imageTable
    notes.add(.images) { $0.list(&table, empty: ImageEntry()) { $0.walk(&$1) } }
    if !snapshot.openFiles.isEmpty {
      var files = snapshot.openFiles
      PipeSharing.dropRepeats(&files)
      notes.add(.openFiles) { $0.list(&files, empty: .unknown) { $0.walk(&$1) } }
    }
    if !snapshot.sharedMemories.isEmpty {
      var objects = snapshot.sharedMemories
      let empty = SharedMemory(kind: .anonymous, size: 0)
      notes.add(.sharedMemories) { $0.list(&objects, empty: empty) { $0.walk(&$1) } }
    }
  }

  private static func addMark(_ mark: PartMark?, to notes: inout NoteWriter) {
    guard var mark else { return }
    notes.add(.part) { mark.walk(&$0) }
  }

  private func addVersionNote(
    _ snapshot: Snapshot, _ part: Layout.Part, to notes: inout NoteWriter
  ) {
    notes.add(.version) { out in
      out.put(Format.majorVersion)
      out.put(Format.minorVersion)
      out.put(UInt32(snapshot.processes.count))
      out.put(snapshot.processes[index].id.rawValue)
      out.put(UInt32(index))
      out.put(part.totalSize)
      out.put(part.trailerOffset)
      out.put(headSize)
    }
  }

  // MARK: The head

  /// All of it, once every place in the file is known.
  func head(_ snapshot: Snapshot, _ part: Layout.Part, imageTable: [ImageEntry]) -> [UInt8] {
    var head = FieldWriter(machine.byteOrder)
    head.put(raw: header())
    var notes = NoteWriter(machine.byteOrder)
    if isContext { addVersionNote(snapshot, part, to: &notes) }
    Self.addFixedNotes(of: snapshot, index, isContext: isContext, to: &notes)
    if isContext {
      Self.addMark(mark, to: &notes)
      Self.addPlacedNotes(of: snapshot, index, imageTable: imageTable, to: &notes)
    }
    head.put(raw: notes.bytes)
    head.put(zeros: segmentsOffset - head.count)
    head.put(raw: segments(snapshot, part))
    if hasSection { head.put(raw: countSection()) }
    head.put(zeros: Int(headSize) - head.count)
    return head.bytes
  }

  private var form: cr_elf_form {
    cr_elf_form(
      class_of_words: machine.wordSize.rawValue, byte_order: machine.byteOrder.rawValue,
      machine: machine.number)
  }

  private var elfHeader: cr_elf_header {
    var header = cr_elf_header()
    header.form = form
    header.type = 4  // ET_CORE
    header.program_header_offset = UInt64(segmentsOffset)
    header.section_header_offset = UInt64(sectionOffset)
    header.program_header_count = UInt32(segmentCount)
    return header
  }

  private func header() -> [UInt8] {
    var header = elfHeader
    return encoded(headerSize) { cr_elf_put_header(&header, $0) }
  }

  private func countSection() -> [UInt8] {
    var header = elfHeader
    return encoded(cr_elf_section_size(machine.wordSize.rawValue)) {
      cr_elf_put_count_section(&header, $0)
    }
  }

  /// The first run, or where there is none the trailer: no place that begins with an ELF header of
  /// ours.
  private func emptyPlace(_ part: Layout.Part) -> UInt64 {
    let trailer = part.trailerOffset - offset
    let isReachable = machine.wordSize == .bits64 || trailer <= UInt64(UInt32.max)
    return size > headSize || !isReachable ? headSize : trailer
  }

  private func segments(_ snapshot: Snapshot, _ part: Layout.Part) -> [UInt8] {
    var note = cr_elf_segment()
    note.type = 4  // PT_NOTE
    note.offset = UInt64(headerSize)
    note.file_size = UInt64(notesSize)
    note.alignment = 4
    let all =
      [note]
      + Segments(
        snapshot: snapshot, index: index, showsShared: index == 0 || mark == nil,
        imageOffset: offset, emptyPlace: emptyPlace(part)
      ).loads()
    return encoded(all.count * cr_elf_segment_size(machine.wordSize.rawValue)) { out in
      all.withUnsafeBufferPointer { cr_elf_put_segments(form, $0.baseAddress, $0.count, out) }
    }
  }

  private func encoded(_ size: Int, _ body: (UnsafeMutableRawPointer) -> Int32) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: size)
    let result = bytes.withUnsafeMutableBytes { body($0.baseAddress!) }
    precondition(result == 0, "a snapshot holds addresses that its processor does not have")
    return bytes
  }
}

/// Where the image of a process is, in the root's note `images`.
struct ImageEntry {
  var process = ProcessID(0)
  var offset: UInt64 = 0
  var size: UInt64 = 0

  mutating func walk<C: FieldCoder>(_ coder: inout C) {
    coder.field(&process)
    coder.field(&offset)
    coder.field(&size)
  }
}

extension ThreadRecord {
  init(_ thread: Thread) {
    self.thread = thread
    generalRegistersSize = UInt32(thread.registers.generalRegisters.count)
    registerSets = thread.registerSets.map { $0.noteType }
  }
}

extension OpenFile {
  /// What a reader fills in.
  static var unknown: OpenFile { OpenFile(kind: .directory(path: ""), flags: 0, position: 0) }
}

/// The next multiple of a power of two.
func aligned(_ value: UInt64, to alignment: UInt64) -> UInt64 {
  (value + alignment - 1) & ~(alignment - 1)
}
