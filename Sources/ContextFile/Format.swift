// SPDX-License-Identifier: Apache-2.0
import Architecture
import Linux

/// The constants of the context file; Docs/ContextFile.md tells the whole layout.
///
///     image of the root     ELF header | version note, notes | program headers | runs of pages
///     image of each further process, the same, page-aligned
///     contents of shared memories and deleted files, page-aligned
///     trailer               checksums | commit mark (the last bytes of the file)
///
/// In a directory each image is in a file of its own, with a trailer of its own.
public enum Format {
  /// A reader refuses another major version; within one, older and newer files are both readable.
  public static let majorVersion: UInt16 = 1
  public static let minorVersion: UInt16 = 1

  /// Bytes that share a checksum.
  static let blockSize = 1 << 20
  /// Nobody's notes are that long; a head that claims more is not believed.
  static let largestHead: UInt64 = 1 << 30
  static let versionNoteSize = 40
  static let footerSize = 64
  static let commitMark: StaticString = "BLCR-COMMITTED\r\n"

  static let owner: StaticString = "BLCR"
  /// Note types of ours start here, far from those that the kernel gives to CORE and LINUX: gdb
  /// takes a note of an unknown owner for the kernel's own.
  static let noteBase: UInt32 = 0x4243_0000
  /// A reader that does not know a note with this bit must not go on.
  static let requiredBit: UInt32 = 0x8000
}

/// The notes of owner BLCR.
enum NoteKind: UInt32 {
  case version = 1
  // Of the job, in the root's image only.
  case job = 2
  case images = 3
  case openFiles = 4
  case sharedMemories = 5
  case systemV = 6
  /// In each image of a context that is in a directory.
  case part = 7
  // Of one process.
  case process = 16
  case thread = 17
  case memory = 18
  case signalActions = 19
  case descriptors = 20
  case fileLocks = 21

  /// Without any of these a restart would go wrong, so all are required so far.
  var type: UInt32 { Format.noteBase | Format.requiredBit | rawValue }

  init?(type: UInt32) {
    guard type & ~Format.requiredBit & 0xffff_0000 == Format.noteBase else { return nil }
    self.init(rawValue: type & 0x7fff)
  }
}

/// Types of the kernel's own notes, from <elf.h>; their owner is CORE, or LINUX for newer regsets.
enum CoreNote {
  static let status: UInt32 = 1
  static let floatingPoint: UInt32 = 2
  static let processInfo: UInt32 = 3
  static let auxiliaryVector: UInt32 = 6
  static let signalInfo: UInt32 = 0x5349_4749
  static let mappedFiles: UInt32 = 0x4649_4c45

  /// The kernel gives regsets older than its naming by number to CORE (fs/binfmt_elf.c).
  static func owner(ofRegisterSet type: UInt32) -> StaticString {
    type == floatingPoint ? "CORE" : "LINUX"
  }
}

/// Notes one after another, as a PT_NOTE segment holds them: four-byte aligned in both classes.
struct NoteWriter {
  private var writer: FieldWriter

  init(_ order: Machine.ByteOrder, measuring: Bool = false) {
    writer = FieldWriter(order, measuring: measuring)
  }

  var order: Machine.ByteOrder { writer.order }
  var bytes: [UInt8] { writer.bytes }
  var count: Int { writer.count }

  mutating func add(_ owner: StaticString, _ type: UInt32, _ description: [UInt8]) {
    add(owner, type) { $0.put(raw: description) }
  }

  /// A note of ours; `body` walks its fields.
  mutating func add(_ kind: NoteKind, _ body: (inout FieldWriter) -> Void) {
    add(Format.owner, kind.type, body)
  }

  mutating func add(
    _ owner: StaticString, _ type: UInt32, _ body: (inout FieldWriter) -> Void
  ) {
    writer.put(UInt32(owner.utf8CodeUnitCount + 1))
    let size = writer.count
    writer.put(UInt32(0))
    writer.put(type)
    writer.put(raw: ByteString(owner).bytes)
    writer.put(UInt8(0))
    writer.pad(to: 4)
    let start = writer.count
    body(&writer)
    writer.store(UInt32(writer.count - start), at: size)
    writer.pad(to: 4)
  }
}

/// A note as it stands in a file.
struct Note {
  var owner: ArraySlice<UInt8>
  var type: UInt32
  var description: ArraySlice<UInt8>

  var isOurs: Bool { owner.elementsEqual([0x42, 0x4c, 0x43, 0x52]) }

  /// The notes of a segment, or nil if a length in it is beyond the end.
  static func all(in bytes: ArraySlice<UInt8>, _ order: Machine.ByteOrder) -> [Note]? {
    var notes: [Note] = []
    var rest = bytes
    while !rest.isEmpty {
      guard let note = first(in: &rest, order) else { return nil }
      notes.append(note)
    }
    return notes
  }

  private static func first(in rest: inout ArraySlice<UInt8>, _ order: Machine.ByteOrder) -> Note? {
    guard rest.count >= 12 else { return nil }
    let ownerSize = word(rest, 0, order)
    let size = word(rest, 4, order)
    let type = word(rest, 8, order)
    rest = rest.dropFirst(12)
    guard let owner = take(ownerSize, from: &rest), let description = take(size, from: &rest)
    else { return nil }
    return Note(owner: owner.prefix { $0 != 0 }, type: type, description: description)
  }

  /// `count` bytes and their padding to four.
  private static func take(_ count: UInt32, from rest: inout ArraySlice<UInt8>) -> ArraySlice<UInt8>? {
    guard UInt64(count) <= UInt64(rest.count) else { return nil }
    let taken = rest.prefix(Int(count))
    // The padding of the last note may be missing.
    rest = rest.dropFirst((Int(count) + 3) & ~3)
    return taken
  }

  static func word(
    _ bytes: ArraySlice<UInt8>, _ offset: Int, _ order: Machine.ByteOrder
  ) -> UInt32 {
    let start = bytes.startIndex + offset
    let value = (0 ..< 4).reduce(UInt32(0)) { $0 | UInt32(bytes[start + $1]) << UInt32(8 * $1) }
    return order == .little ? value : value.byteSwapped
  }
}
