// SPDX-License-Identifier: Apache-2.0
import CLinux
import ContextFile
import Linux
import Request
import Snapshot

/// The memory of one process (or of several that share it) that is filled while the process runs.
final class ServedMemory {
  let fault: UserFault
  let part: ContextPart
  /// Nil for a child that was born meanwhile.
  let process: ProcessID?
  /// For messages: `process 12 (name)`.
  let owner: ByteString
  /// To be kept for as long as anything is watched.
  private(set) var mark: Mark?
  private(set) var missing: MissingMemory
  /// Pages that threads of it wait for.
  var waiting: [UInt64] = []
  /// exit(2), or exec(2).
  private(set) var isGone = false

  init(
    _ fault: consuming UserFault, _ part: ContextPart, _ process: ProcessID?, _ owner: ByteString,
    _ missing: MissingMemory
  ) {
    self.fault = fault
    self.part = part
    self.process = process
    self.owner = owner
    self.missing = missing
  }

  /// Lets others know; by the process that will serve it.
  func setMark() { mark = process.flatMap { try? Mark($0) } }

  final class Mark {
    private let mark: LoadingMark
    init(_ process: ProcessID) throws(Errno) { mark = try LoadingMark(process) }
  }

  /// What a fault brings first, from its page on.
  static var neighbourhood: UInt64 { 64 << 10 }

  /// Some seconds.
  private static var patience: Int { 10_000 }

  // MARK: Messages

  /// Hears what the process does; the memories of children that it has made since.
  func hear() throws(Failure) -> [ServedMemory] {
    var children: [ServedMemory] = []
    let messages: [UserFault.Message]
    do throws(Errno) { messages = try fault.messages() } catch {
      throw Failure(error, "cannot hear of the page faults of \(owner): \(error)")
    }
    for message in messages {
      switch message {
      case .fault(let address, _): waiting.append(address / hostPageSize * hostPageSize)
      case .fork(let number): children.append(child(number))
      case .move(let range, let address): missing.move(range, to: address)
      case .removal(let range), .unmapping(let range): missing.remove(range)
      }
    }
    return children
  }

  /// fork(2) has copied the pages that were there; the others are missing in the child as well.
  private func child(_ number: DescriptorNumber) -> ServedMemory {
    var inherited = missing
    // madvise(2), MADV_WIPEONFORK: the one thing about memory that nobody tells us, and that counts.
    if let process, let files = try? ProcessFiles(process), let text = try? files.read("smaps") {
      for region in MappedRegion.parse(text) where region.hasFlag("wf") {
        inherited.remove(region.range)
      }
    }
    return ServedMemory(
      UserFault(of: number), part, nil, process == nil ? owner : "a child of \(owner)", inherited)
  }

  // MARK: Pages

  /// - Throws: what is wrong with the file, and whose memory it would have been.
  func load(_ piece: Extent, into buffer: BlockBuffer) throws(Failure) {
    do throws(Failure) { try buffer.load(piece.fileOffset, of: part) } catch {
      throw Failure(
        error.errno, "\(error.message); there is memory of \(owner), at \(hex: piece.position) and behind")
    }
  }

  /// Fills in what the buffer holds of a piece, up to `limit` bytes; false if there are messages to be
  /// heard first.
  func give(_ piece: Extent, from buffer: BlockBuffer, limit: UInt64) throws(Failure) -> Bool {
    let all = buffer.bytes(of: piece)
    let bytes = UnsafeRawBufferPointer(rebasing: all[..<min(all.count, Int(limit))])
    return try fill(MemoryRange(start: piece.position, count: UInt64(bytes.count))) { range in
      let done = range.start - piece.position
      let some = UnsafeRawBufferPointer(rebasing: bytes[Int(done) ..< Int(done + range.count)])
      return self.fault.fill(some, at: range.start)
    }
  }

  /// What the file has nothing for, up to the next page that it has.
  func giveZeros(_ page: UInt64) throws(Failure) -> Bool {
    let end = page / Self.neighbourhood * Self.neighbourhood + max(Self.neighbourhood, hostPageSize)
    let range = MemoryRange(start: page, end: min(end, missing.start(from: page) ?? end))
    let (count, failure) = fault.fillWithZeros(range)
    if failure == nil || count > 0 { return true }
    // Its mapping may be shorter than that.
    return try fill(MemoryRange(start: page, count: hostPageSize)) { self.fault.fillWithZeros($0) }
  }

  /// Fills a range step by step, past what is there already or is no memory any more.
  private func fill(
    _ range: MemoryRange, _ step: (MemoryRange) -> (count: UInt64, failure: Errno?)
  ) throws(Failure) -> Bool {
    var rest = range
    var limit = range.count
    var patience = Self.patience
    while rest.count > 0 {
      let (count, failure) = step(MemoryRange(start: rest.start, count: min(limit, rest.count)))
      take(&rest, count)
      if count > 0 { continue }
      switch failure {
      case .tryAgain?: return false
      case .noProcess?:
        isGone = true
        return true
      case .exists?: skip(&rest)
      case .noEntry?:
        // Several mappings, or one that is not watched: which, is found out page by page.
        if limit > hostPageSize { limit = hostPageSize } else { skip(&rest) }
      case .noMemory? where patience > 0:
        patience -= 1
        pauseBriefly()
      default:
        let reason = failure ?? .io
        throw Failure(
          reason, "cannot give \(owner) its memory at \(hex: rest.start): \(reason)")
      }
    }
    return true
  }

  private func take(_ rest: inout MemoryRange, _ count: UInt64) {
    missing.remove(MemoryRange(start: rest.start, count: count))
    rest.start += count
  }

  /// A page that is not to be filled; whoever waits for it looks again.
  private func skip(_ rest: inout MemoryRange) {
    fault.wake(MemoryRange(start: rest.start, count: hostPageSize))
    take(&rest, min(hostPageSize, rest.count))
  }
}
