// SPDX-License-Identifier: Apache-2.0
import CLinux
import ContextFile
import Linux
import Request
import Snapshot

/// Fills the memory of restarted processes while they run: pages that they touch at once, the others
/// in the order of the file, and then it ends.
///
/// A process of its own (`start`), since it must outlive whoever made it. It has one thread: the kernel
/// then sees to it that no page is filled between a change of the memory and our hearing of it.
public final class PageServer {
  private var memories: [ServedMemory] = []
  private let buffer: BlockBuffer
  private let nothing: LowMemory
  /// Bytes that are to be served.
  public private(set) var bytes: UInt64 = 0

  /// One end of a pair of sockets; in the server nil when the other end is closed.
  private var leash: FileDescriptor?
  // In the process that was started.
  private var guardian: Guardian?
  /// Messages stand in the way of what was to be filled.
  private var isObstructed = false

  /// - Parameter blockSize: of the context's checksums.
  public init(blockSize: UInt64) throws(Errno) {
    buffer = try BlockBuffer(size: blockSize)
    nothing = try LowMemory(Int(hostPageSize), hasRights: false)
  }

  /// Memory to be served: all of it is watched by `fault`, which hears of everything
  /// (`UserFault.Features.serving`), and was never touched. What `contents` does not name is zeros.
  public func add(
    _ fault: consuming UserFault, of process: ProcessID, named name: ByteString,
    contents: [Extent], from part: ContextPart
  ) {
    bytes += contents.reduce(0) { $0 + $1.count }
    memories.append(
      ServedMemory(
        fault, part, process, "process \(process) (\(name))", MissingMemory(contents)))
  }

  /// Starts the server. Until `leash` is closed, or we end, only pages that are touched are filled.
  ///
  /// - Parameters:
  ///   - job: the processes, all held; killed when memory cannot be had.
  ///   - tell: what goes wrong later is told by this.
  public func start(
    for job: [ProcessID], _ tell: @escaping (ByteString) -> Void
  ) throws(Failure) {
    do throws(Errno) {
      let ends = try KernelObjects.socketPair(type: Int32(SOCK_STREAM.rawValue))
      // Ours is not kept there.
      if try ServerProcess.make() { run(for: job, ends.1, tell) }
      // The server's alone from now on: what it closes is to be closed.
      memories = []
      DescriptorNumber(ends.1).close()
      leash = FileDescriptor(owning: ends.0)
      try Self.hear(from: DescriptorNumber(ends.0))
    } catch {
      throw Failure(error, "cannot start the page server (--lazy): \(error)")
    }
  }

  /// By which the server is kept from filling what nobody has asked for; the caller's from now on.
  public func takeLeash() -> DescriptorNumber? {
    guard let leash = leash.take() else { return nil }
    return DescriptorNumber(leash.disown())
  }

  /// Waits until the server says that it is ready, or why it is not.
  private static func hear(from server: DescriptorNumber) throws(Errno) {
    var answer: Int32 = -1
    let count = withUnsafeMutablePointer(to: &answer) { cr_read_waiting(server.rawValue, $0, 4) }
    guard try checked(count) == 4 else { throw .io }
    if answer != 0 { throw Errno(rawValue: answer) }
  }

  // MARK: In the server

  private func run(
    for processes: [ProcessID], _ line: Int32, _ tell: @escaping (ByteString) -> Void
  ) -> Never {
    let kept = memories.flatMap { [$0.fault.number.rawValue, $0.part.file.number] }
    ServerProcess.settle(named: "cr_page_server", keeping: kept + [line])
    ServerProcess.askForIndulgence()
    // Who would write a checkpoint into the very file is told that it is in use.
    for memory in memories {
      _ = memory.part.file.tryLockShared()
      memory.setMark()
    }
    var failure: Int32 = 0
    var job: Job?
    do throws(Errno) {
      let processes = try Job(processes)
      guardian = try Guardian(of: processes, tell)
      try guardian?.post()
      job = processes
    } catch {
      failure = error.rawValue
    }
    _ = withUnsafePointer(to: failure) { cr_write_quietly(line, $0, 4) }
    guard let job else { ServerProcess.end() }
    leash = FileDescriptor(owning: line)
    serve(job, tell)
  }

  private func serve(_ job: Job, _ tell: (ByteString) -> Void) -> Never {
    do throws(Failure) {
      while !memories.isEmpty { try turn() }
    } catch {
      job.kill()
      tell("\(error.message): the job was killed")
      LastResort.run()
    }
    guardian?.dismiss()
    ServerProcess.end()
  }

  /// Hears, answers, and fills something if there is nobody to be answered.
  private func turn() throws(Failure) {
    try hear()
    isObstructed = false
    var isAsked = false
    for memory in memories {
      let waiting = memory.waiting
      memory.waiting = []
      for page in waiting where !memory.isGone {
        isAsked = true
        guard let piece = memory.missing.piece(at: page) else {
          keep(page, of: memory, unless: try memory.giveZeros(page))
          continue
        }
        try memory.load(piece, into: buffer)
        let limit = ServedMemory.neighbourhood
        keep(page, of: memory, unless: try memory.give(piece, from: buffer, limit: limit))
        try useBuffer()
      }
    }
    if !isAsked, leash == nil { try fillNext() }
    retire()
  }

  private func hear() throws(Failure) {
    var files = memories.map { $0.fault.number.rawValue }
    files.append(leash?.number ?? -1)
    files.append(guardian?.descriptor?.rawValue ?? -1)
    // The sender of a message that was read goes on in its own time.
    let patience: Int32 = isObstructed ? 1 : leash == nil ? 0 : -1
    let isReadable = ServerProcess.readable(files, milliseconds: patience)
    let count = memories.count
    for index in 0 ..< count where isReadable[index] { memories += try memories[index].hear() }
    if isReadable[count] { leash = nil }
    if isReadable[count + 1] {
      do throws(Errno) { try guardian?.post() } catch {
        throw Failure(error, "cannot make another guardian of the page server: \(error)")
      }
    }
  }

  private func keep(_ page: UInt64, of memory: ServedMemory, unless isAnswered: Bool) {
    if isAnswered { return }
    memory.waiting.append(page)
    isObstructed = true
  }

  /// The next block of the file that somebody lacks something of.
  private func fillNext() throws(Failure) {
    for memory in memories {
      guard let piece = memory.missing.firstInFile else { continue }
      try memory.load(piece, into: buffer)
      try useBuffer()
      return
    }
  }

  /// A block that was read and verified goes to all who lack something of it.
  private func useBuffer() throws(Failure) {
    for memory in memories where memory.part === buffer.part && !memory.isGone {
      for piece in memory.missing.pieces(inFile: buffer.range) {
        if try memory.give(piece, from: buffer, limit: piece.count) { continue }
        isObstructed = true
        break
      }
    }
  }

  /// Lets go of memory that is complete. Not while something is under way: a child of fork(2) that we
  /// have not heard of yet may lack pages that its parent has by now.
  private func retire() {
    var isChanging = false
    // They go last: whoever sees no mark must not see watched memory.
    let marks = memories.map { $0.mark }
    defer { withExtendedLifetime(marks) {} }
    memories.removeAll { memory in
      if memory.isGone { return true }
      if !memory.missing.isEmpty || !memory.waiting.isEmpty { return false }
      switch memory.fault.state(offering: UnsafeRawBufferPointer(nothing.bytes)) {
      case .quiet, .gone: return true
      case .changing:
        isChanging = true
        return false
      }
    }
    if isChanging { isObstructed = true }
  }
}
