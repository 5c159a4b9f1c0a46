// SPDX-License-Identifier: Apache-2.0
import CLinux
import Engine
import Linux

/// Finds the libraries of ours in a process, by the ELF note that each of them bears.
///
/// Read from the process's memory, never from files: what is loaded counts, not what the disk has
/// now, and a static program is found as well as a library of any name.
struct NoteSearch {
  let process: ProcessID

  /// Addresses of the control blocks, of whichever kinds.
  ///
  /// - Parameter read: the process's memory; nil for what nobody can read: beyond the end of a mapped
  ///   file, or of a lost one.
  func addresses(
    _ read: (MemoryRange) throws(EngineError) -> [UInt8]?
  ) throws(EngineError) -> [UInt64] {
    guard let text = process.memoryMap else { return [] }
    let machine = ownMachine
    var found: [UInt64] = []
    for region in MappedRegion.parse(text) {
      // An ELF file is mapped from its beginning on, readable.
      guard region.offset == 0, region.inode != 0, region.protection & 1 != 0, !region.isShared
      else { continue }
      found += try notes(from: region.range, of: machine, read)
    }
    return found
  }

  /// The control blocks.
  ///
  /// Memory that cannot be read has none; any other failure of the engine is the caller's to know,
  /// for a program whose library was overlooked would be saved without its callbacks.
  func blocks(
    by engine: borrowing some Engine & ~Copyable
  ) throws(EngineError) -> [ControlBlock] {
    let addresses = try addresses { (range) throws(EngineError) in
      do throws(EngineError) {
        return try engine.read(range, of: process)
      } catch {
        if error.isOfUnreadableMemory { return nil }
        throw error
      }
    }
    var found: [ControlBlock] = []
    for address in addresses {
      do throws(EngineError) {
        found.append(try ControlBlock(at: address, of: process, by: engine))
      } catch {
        if !error.isOfUnreadableMemory { throw error }
      }
    }
    return found
  }

  /// `e_machine` of the program that it executes.
  private var ownMachine: UInt16? {
    guard let file = try? ProcessFiles(process.reachable).open("exe"), let head = try? file.read(20, at: 0),
      head.count == 20
    else { return nil }
    return head.half(at: 18)
  }

  /// What the notes in one ELF image lead to.
  private func notes(
    from range: MemoryRange, of machine: UInt16?, _ read: (MemoryRange) throws(EngineError) -> [UInt8]?
  ) throws(EngineError) -> [UInt64] {
    let head = MemoryRange(start: range.start, count: min(range.count, 1024))
    guard let bytes = try read(head), bytes.word(at: 0) == 0x464c_457f else {
      return []
    }
    // What an emulator has loaded for its guest is none of the process's own.
    if let machine, bytes.half(at: 18) != machine { return [] }
    let isWide = bytes[4] == 2
    let table = isWide ? Int(bytes.long(at: 32)) : Int(bytes.word(at: 28))
    let size = Int(bytes.half(at: isWide ? 54 : 42))
    let count = Int(bytes.half(at: isWide ? 56 : 44))
    guard table > 0, size > 0, table + size * count <= bytes.count else { return [] }
    var found: [UInt64] = []
    for index in 0 ..< count {
      let entry = table + index * size
      // PT_NOTE; offset and size in the file, which is mapped from its beginning here.
      guard bytes.word(at: entry) == 4 else { continue }
      let offset = isWide ? bytes.long(at: entry + 8) : UInt64(bytes.word(at: entry + 4))
      let length = isWide ? bytes.long(at: entry + 32) : UInt64(bytes.word(at: entry + 16))
      guard length < 4096, offset + length <= range.count else { continue }
      let start = range.start + offset
      guard let notes = try read(MemoryRange(start: start, count: length)) else { continue }
      found += Self.blocks(in: notes, at: start)
    }
    return found
  }

  private static func blocks(in notes: [UInt8], at start: UInt64) -> [UInt64] {
    var found: [UInt64] = []
    var place = 0
    while place + 12 <= notes.count {
      let nameSize = Int(notes.word(at: place))
      let size = Int(notes.word(at: place + 4))
      let kind = notes.word(at: place + 8)
      let description = place + 12 + (nameSize + 3) & ~3
      // "BLCR" and its NUL.
      if kind == UInt32(CR_CONTROL_NOTE_TYPE), nameSize == 5, size == 12,
        notes.word(at: place + 12) == 0x5243_4c42,
        notes.word(at: description) == UInt32(CR_CONTROL_VERSION)
      {
        let field = start + UInt64(description) + 8
        let distance = Int32(bitPattern: notes.word(at: description + 8))
        found.append(field &+ UInt64(bitPattern: Int64(distance)))
      }
      place = description + (size + 3) & ~3
    }
    return found
  }
}

extension EngineError {
  fileprivate var isOfUnreadableMemory: Bool { errno == .fault || errno == .io }
}
