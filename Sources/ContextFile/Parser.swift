// SPDX-License-Identifier: Apache-2.0
import Architecture
import CElf
import Linux
import Request
import Snapshot

/// Reads the heads and the trailer of a context file, step by step, believing nothing.
struct Parser {
  private let file: Int32
  let name: ByteString
  private(set) var size: UInt64 = 0
  private(set) var version: (UInt16, UInt16) = (0, 0)
  private(set) var snapshot = Snapshot(job: Job(scope: 0, target: 0, requester: ProcessID(0)))
  private(set) var images: [ImageEntry] = []
  private(set) var trailer = TrailerPlace()
  /// Set in the files of a directory.
  private(set) var mark: PartMark?

  init(_ file: Int32, _ name: ByteString) {
    self.file = file
    self.name = name
  }

  /// A file that holds all of a job.
  mutating func readAll() throws(Failure) {
    let root = try readFirst()
    guard root.index == 0 else { throw onlyPart(of: root) }
    try readJob(root)
    guard mark == nil else { throw onlyPart(of: root) }
    guard images.count == trailer.heads.count else { throw unequalCounts }
    for index in images.indices.dropFirst() { try readImage(index, images[index]) }
    PipeSharing.fillRepeats(&snapshot.openFiles)
    let ends = images.map { _ in trailer.offset }
    if let flaw = Validation(snapshot, contentEnds: ends).flaw { throw damaged(flaw) }
  }

  /// Whose file it is.
  mutating func readFirst() throws(Failure) -> Start {
    try readSize()
    let first = try readStart(at: 0)
    version = (first.major, first.minor)
    return first
  }

  /// What the file of the first process says of the job, and that process.
  mutating func readJob(_ root: Start) throws(Failure) {
    try readTrailer(root)
    images = try readRoot(root)
    guard images.count == Int(root.processCount) else { throw unequalCounts }
  }

  /// The file of a further process.
  mutating func readPart(
    _ index: Int, _ start: Start, _ entry: ImageEntry, _ mark: PartMark
  ) throws(Failure) -> Process? {
    try readTrailer(start)
    guard trailer.heads.count == 1 else { throw unequalCounts }
    let notes = try notes(start, 0, at: 0)
    var job = JobNotes(order: start.machine.byteOrder)
    for note in notes where note.isOurs && note.type == NoteKind.part.type { _ = job.take(note) }
    guard job.mark == mark, start.index == UInt32(index), start.process == entry.process.rawValue,
      start.headSize <= entry.size, entry.offset == 0, entry.size <= trailer.offset
    else { throw notContextFile("it belongs to another context than the rest of the directory") }
    try readProcess(start, notes)
    return snapshot.processes.last
  }

  // MARK: Words for people

  func notContextFile(_ reason: ByteString) -> Failure {
    Failure(.invalid, "\(name) is not a context file: \(reason)")
  }

  private func onlyPart(of start: Start) -> Failure {
    Failure(
      .invalid,
      """
      \(name) holds process \(start.process) alone, one of the \(start.processCount) of a context: \
      name the directory that it was written to (--dir)
      """)
  }

  private var unequalCounts: Failure {
    damaged("the number of processes is not the same everywhere")
  }

  func damaged(_ what: ByteString) -> Failure {
    Failure(.io, "\(name) is damaged: \(what)")
  }

  func truncated(_ what: ByteString) -> Failure {
    Failure(.io, "\(name) is truncated or was never completed: \(what)")
  }

  private func otherVersion(_ start: Start) -> Failure {
    // CR_EVERSION of libcr.h.
    Failure(
      Errno(rawValue: 2357),
      """
      \(name) was written in version \(start.major).\(start.minor) of the format; this program \
      reads version \(Format.majorVersion)
      """)
  }

  private func unknownNote(_ type: UInt32, _ pid: ProcessID) -> Failure {
    Failure(
      Errno(rawValue: 2357),
      """
      \(name) holds something of process \(pid) that this program does not know and must not \
      leave out (note type 0x\(hex: type)); it was written by a newer version
      """)
  }

  // MARK: Bytes

  private mutating func readSize() throws(Failure) {
    do throws(Errno) {
      size = try borrowed().status().size
    } catch {
      throw Failure(error, "cannot read \(name): \(error)")
    }
  }

  private func borrowed() throws(Errno) -> BorrowedFile { BorrowedFile(file) }

  private func bytes(_ count: Int, at offset: UInt64) throws(Failure) -> [UInt8] {
    do throws(Errno) { return try borrowed().read(count, at: offset) } catch {
      throw Failure(error, "cannot read \(name): \(error)")
    }
  }

  // MARK: The start of an image

  /// ELF header and version note, which stands right behind it.
  struct Start {
    var machine: Machine
    var headerSize: Int
    var notes: MemoryRange = MemoryRange(start: 0, end: 0)
    var major: UInt16 = 0
    var minor: UInt16 = 0
    var processCount: UInt32 = 0
    var process: Int32 = 0
    var index: UInt32 = 0
    var totalSize: UInt64 = 0
    var trailerOffset: UInt64 = 0
    var headSize: UInt64 = 0
  }

  private func readStart(at offset: UInt64) throws(Failure) -> Start {
    let first = try bytes(256, at: offset)
    guard first.starts(with: [0x7f, 0x45, 0x4c, 0x46]) else {
      throw offset > 0
        ? damaged("no image of a process at offset \(offset)")
        : notContextFile(first.isEmpty ? "it is empty" : "it is no ELF core file")
    }
    var header = cr_elf_header()
    let result = first.withUnsafeBytes { cr_elf_get_header($0.baseAddress, $0.count, &header) }
    guard result == 0, header.type == 4,
      let word = Machine.WordSize(rawValue: header.form.class_of_words),
      let order = Machine.ByteOrder(rawValue: header.form.byte_order)
    else {
      throw first.count < 64
        ? truncated("it ends after \(size) bytes") : notContextFile("it is no ELF core file")
    }
    let machine = Machine(number: header.form.machine, wordSize: word, byteOrder: order)
    var start = Start(
      machine: machine, headerSize: cr_elf_header_size(header.form.class_of_words))
    try readVersion(&start, first)
    start.notes = try notesRange(header, start, at: offset)
    return start
  }

  private func readVersion(_ start: inout Start, _ first: [UInt8]) throws(Failure) {
    let end = start.headerSize + Image.versionNoteTotal
    let range = start.headerSize ..< min(end, first.count)
    guard range.count >= 20,
      let note = Note.all(in: first[range], start.machine.byteOrder)?.first,
      note.isOurs, note.type == NoteKind.version.type,
      note.description.count >= Format.versionNoteSize
    else {
      if first.count < end { throw truncated("it ends after \(size) bytes") }
      throw notContextFile("it is an ELF core file of another origin")
    }
    var reader = FieldReader(Array(note.description), start.machine.byteOrder)
    reader.field(&start.major)
    reader.field(&start.minor)
    guard start.major == Format.majorVersion else { throw otherVersion(start) }
    reader.field(&start.processCount)
    reader.field(&start.process)
    reader.field(&start.index)
    reader.field(&start.totalSize)
    reader.field(&start.trailerOffset)
    reader.field(&start.headSize)
    guard size >= start.totalSize else {
      throw truncated("it ends after \(size) bytes and should have \(start.totalSize)")
    }
  }

  /// The PT_NOTE segment, which is the first; it ends where the program headers begin.
  private func notesRange(
    _ header: cr_elf_header, _ start: Start, at offset: UInt64
  ) throws(Failure) -> MemoryRange {
    let size = cr_elf_segment_size(header.form.class_of_words)
    guard start.headSize <= Format.largestHead, start.headSize <= self.size - offset,
      header.program_header_offset <= start.headSize,
      start.headSize - header.program_header_offset >= UInt64(size)
    else { throw damaged("the head of the image at offset \(offset) has no sensible size") }
    let bytes = try bytes(size, at: offset + header.program_header_offset)
    var segment = cr_elf_segment()
    let result = bytes.withUnsafeBytes {
      cr_elf_get_segments(header.form, $0.baseAddress, $0.count, &segment, 1)
    }
    guard result == 0, segment.type == 4, segment.offset == UInt64(start.headerSize),
      segment.file_size <= start.headSize - segment.offset
    else { throw damaged("the program headers of the image at offset \(offset)") }
    return MemoryRange(start: segment.offset, count: segment.file_size)
  }

  // MARK: The trailer

  private mutating func readTrailer(_ root: Start) throws(Failure) {
    let order = root.machine.byteOrder
    let length = UInt64(Format.footerSize)
    guard root.totalSize == size, size > length,
      let footer = Footer(try bytes(Format.footerSize, at: size - length), order)
    else { throw truncated("there is no commit mark at its end (offset \(size - min(size, length)))") }
    guard footer.totalSize == size, footer.trailerOffset == root.trailerOffset,
      (4096 ... 1 << 30).contains(footer.blockSize), footer.blockSize & (footer.blockSize - 1) == 0,
      footer.trailerOffset < size - length, size - length - footer.trailerOffset <= 1 << 30,
      footer.blockCount == Trailer.blockCount(footer.trailerOffset, UInt64(footer.blockSize)),
      8 * (UInt64(footer.imageCount) + footer.blockCount) == size - length - footer.trailerOffset
    else { throw damaged("the trailer at offset \(size - length)") }
    let table = try bytes(
      Int(size - length - footer.trailerOffset) + Footer.hashed, at: footer.trailerOffset)
    guard hash(of: table[...]) == footer.hash else {
      throw damaged("the checksums at offset \(footer.trailerOffset)")
    }
    trailer.offset = footer.trailerOffset
    trailer.blockSize = UInt64(footer.blockSize)
    var reader = FieldReader(table, order)
    trailer.heads = Self.hashes(Int(footer.imageCount), &reader)
    trailer.blocks = Self.hashes(Int(footer.blockCount), &reader)
  }

  private static func hashes(_ count: Int, _ reader: inout FieldReader) -> [UInt64] {
    (0 ..< count).map { _ in
      var value: UInt64 = 0
      reader.field(&value)
      return value
    }
  }

  // MARK: Images

  /// The notes of an image, after its head was found to be as it was written.
  private func notes(_ start: Start, _ index: Int, at offset: UInt64) throws(Failure) -> [Note] {
    let head = try bytes(Int(start.headSize), at: offset)
    guard head.count == Int(start.headSize), hash(of: head[...]) == trailer.heads[index] else {
      throw damaged(
        """
        the records of process \(start.process) (offset \(offset) to \
        \(offset + start.headSize)) are not as they were written
        """)
    }
    let range = Int(start.notes.start) ..< Int(start.notes.end)
    guard let notes = Note.all(in: head[range], start.machine.byteOrder) else {
      throw damaged("the notes of process \(start.process)")
    }
    return notes
  }

  private mutating func readRoot(_ start: Start) throws(Failure) -> [ImageEntry] {
    guard !trailer.heads.isEmpty else { throw damaged("it holds no process") }
    let notes = try notes(start, 0, at: 0)
    try readProcess(start, notes)
    var job = JobNotes(order: start.machine.byteOrder)
    for note in notes where note.isOurs {
      guard job.take(note) else { throw damaged("the record of the job (type \(hex: note.type))") }
    }
    guard job.hasJob else { throw damaged("the record of the job is missing") }
    snapshot.job = job.job
    snapshot.openFiles = job.openFiles
    snapshot.sharedMemories = job.sharedMemories
    snapshot.systemV = job.systemV
    mark = job.mark
    return job.images
  }

  private mutating func readImage(_ index: Int, _ entry: ImageEntry) throws(Failure) {
    guard entry.offset < trailer.offset, entry.size <= trailer.offset - entry.offset else {
      throw damaged("the image of process \(entry.process) is outside the file")
    }
    let start = try readStart(at: entry.offset)
    guard start.index == UInt32(index), start.process == entry.process.rawValue,
      start.headSize <= entry.size
    else { throw damaged("the image of process \(entry.process) at offset \(entry.offset)") }
    try readProcess(start, try notes(start, index, at: entry.offset))
  }

  private mutating func readProcess(_ start: Start, _ notes: [Note]) throws(Failure) {
    let id = ProcessID(start.process)
    var reading = ProcessNotes(id, start.machine)
    for note in notes {
      if note.isOurs, note.type & Format.requiredBit != 0, NoteKind(type: note.type) == nil {
        throw unknownNote(note.type, id)
      }
      guard reading.take(note) else {
        throw damaged("a record of process \(id) (note type 0x\(hex: note.type))")
      }
    }
    guard reading.isComplete else { throw damaged("records of process \(id) are missing") }
    snapshot.processes.append(reading.process)
  }
}
