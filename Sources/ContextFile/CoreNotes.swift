// SPDX-License-Identifier: Apache-2.0
import Architecture
import Linux
import Snapshot

/// The notes that every Linux core file has, so that debuggers understand a context file.
///
/// Layouts are those of the kernel's linux/elfcore.h and elfcore-compat.h with the target's own
/// word size; the registers inside are as PTRACE_GETREGSET gave them.
struct CoreNotes {
  let process: Process
  private var machine: Machine { process.machine }
  private var word: Machine.WordSize { machine.wordSize }

  init(of process: Process) { self.process = process }

  private func writer() -> FieldWriter { FieldWriter(machine.byteOrder) }

  /// NT_PRSTATUS, NT_FPREGSET and further regsets of one thread.
  func add(_ thread: Thread, to notes: inout NoteWriter) {
    notes.add("CORE", CoreNote.status) { put(statusOf: thread, into: &$0) }
    let floatingPoint = thread.registers.floatingPointNote { type in
      thread.registerSets.first { $0.noteType == type }?.bytes ?? []
    }
    if !floatingPoint.isEmpty {
      notes.add("CORE", CoreNote.floatingPoint, floatingPoint)
    }
    for set in thread.registerSets {
      notes.add(CoreNote.owner(ofRegisterSet: set.noteType), set.noteType, set.bytes)
    }
  }

  /// `struct elf_prstatus` up to pr_reg: three integers and a short of signal information, two
  /// signal masks, four ids, four times.
  static func statusHeadSize(_ word: Machine.WordSize) -> Int { word == .bits64 ? 112 : 72 }

  private func put(statusOf thread: Thread, into out: inout FieldWriter) {
    let start = out.count
    // What stopped the process, for "terminated with signal": only a job-control stop did.
    var stopSignal: Int32 = 0
    if case .stopped(let signal) = process.state { stopSignal = signal }
    out.put(stopSignal)
    out.put(zeros: 8)
    out.put(Int16(truncatingIfNeeded: stopSignal))
    out.pad(to: word.bytes, from: start)
    out.put(word: signalSet(thread.pendingSignals + process.pendingSignals), word)
    out.put(word: thread.signalMask, word)
    out.put(thread.id.rawValue)
    out.put(process.parent.rawValue)
    out.put(process.group.rawValue)
    out.put(process.session.rawValue)
    // User, system and children's times: not kept.
    out.put(zeros: 8 * word.bytes)
    out.put(raw: thread.registers.generalRegisters)
    // pr_fpvalid
    out.put(Int32(thread.registerSets.isEmpty ? 0 : 1))
    out.pad(to: word.bytes, from: start)
  }

  /// The signal numbers of `siginfo_t` records, which begin with si_signo, as a set.
  private func signalSet(_ records: [[UInt8]]) -> UInt64 {
    var set: UInt64 = 0
    for record in records where record.count >= 4 {
      let number = Note.word(record[...], 0, machine.byteOrder)
      if (1 ... 64).contains(number) { set |= 1 << UInt64(number - 1) }
    }
    return set
  }

  /// NT_PRPSINFO, NT_SIGINFO, NT_AUXV and NT_FILE.
  func addProcess(to notes: inout NoteWriter) {
    notes.add("CORE", CoreNote.processInfo, processInfo())
    notes.add("CORE", CoreNote.signalInfo, [UInt8](repeating: 0, count: 128))
    if !process.memory.auxiliaryVector.isEmpty {
      notes.add("CORE", CoreNote.auxiliaryVector, process.memory.auxiliaryVector)
    }
    let files = mappedFiles()
    if !files.isEmpty { notes.add("CORE", CoreNote.mappedFiles, files) }
  }

  /// `struct elf_prpsinfo`.
  private func processInfo() -> [UInt8] {
    var out = writer()
    let (number, letter): (UInt8, StaticString) =
      switch process.state {
      case .running: (0, "R")
      case .stopped: (3, "T")
      case .zombie: (4, "Z")
      }
    let leader = process.threads.first
    out.put(number)
    out.put(raw: ByteString(letter).bytes)
    out.put(UInt8(number == 4 ? 1 : 0))
    out.put(Int8(truncatingIfNeeded: leader?.scheduling.nice ?? 0))
    out.pad(to: word.bytes)
    // pr_flag, the kernel's PF_* bits: not kept.
    out.put(word: 0, word)
    for ids in [leader?.credentials.userIDs, leader?.credentials.groupIDs] {
      let id = ids?.first ?? 0
      if machine.coreUserIDSize == 2 {
        // overflowuid, as the kernel's high2lowuid() does.
        out.put(UInt16(exactly: id) ?? 65534)
      } else {
        out.put(id)
      }
    }
    out.put(process.id.rawValue)
    out.put(process.parent.rawValue)
    out.put(process.group.rawValue)
    out.put(process.session.rawValue)
    out.put(raw: fixed(process.name.bytes, 16))
    out.put(raw: fixed(process.commandLine.bytes.map { $0 == 0 ? 0x20 : $0 }, 80))
    out.pad(to: word.bytes)
    return out.bytes
  }

  /// A NUL-terminated field of `size` bytes.
  private func fixed(_ bytes: [UInt8], _ size: Int) -> [UInt8] {
    let text = bytes.prefix(size - 1)
    return text + [UInt8](repeating: 0, count: size - text.count)
  }

  /// NT_FILE: count, page size, then start, end and page offset of each mapping, then the names.
  private func mappedFiles() -> [UInt8] {
    var out = writer()
    var names: [UInt8] = []
    var count: UInt64 = 0
    let page = process.memory.pageSize
    var ranges = writer()
    for region in process.memory.regions {
      guard case .file(let file) = region.backing else { continue }
      count += 1
      ranges.put(word: region.range.start, word)
      ranges.put(word: region.range.end, word)
      ranges.put(word: region.offset / page, word)
      names += file.path.bytes + [0]
    }
    if count == 0 { return [] }
    out.put(word: count, word)
    out.put(word: page, word)
    out.put(raw: ranges.bytes)
    out.put(raw: names)
    return out.bytes
  }
}
