// SPDX-License-Identifier: Apache-2.0
import Linux
import Request
import Snapshot

/// Reads the files of a context that was written to a directory: which belong together, whether all
/// are there, and what they say.
struct DirectoryParser {
  private let path: ByteString
  private(set) var snapshot = Snapshot(job: Job(scope: 0, target: 0, requester: ProcessID(0)))
  private(set) var version: (UInt16, UInt16) = (0, 0)
  private(set) var images: [ImageEntry] = []
  /// In the order of the processes.
  private(set) var parts: [ContextPart] = []

  init(_ path: ByteString) { self.path = path }

  mutating func readAll() throws(Failure) {
    let root = try readRoot()
    guard let mark = root.mark else {
      throw Failure(
        .invalid, "\(root.name) is a whole context and none of a directory's files: name that file")
    }
    snapshot = root.snapshot
    version = root.version
    images = root.images
    var ends = [root.trailer.offset]
    for index in images.indices.dropFirst() { ends.append(try read(index, mark)) }
    PipeSharing.fillRepeats(&snapshot.openFiles)
    if let flaw = Validation(snapshot, contentEnds: ends).flaw {
      throw Failure(.io, "\(path) is damaged: \(flaw)")
    }
  }

  /// The file of a process.
  private func name(of process: Int32) -> ByteString { "\(path)/\(ContextDirectory.name(of: process))" }

  /// Finds the file of the first process among all, and reads what it says of the job.
  private mutating func readRoot() throws(Failure) -> Parser {
    var root: Parser?
    let numbers = try numbers()
    for number in numbers {
      let source = try Reader.open(name(of: number))
      let isCopy = source.isCopy
      let file = source.file
      var parser = Parser(file.number, name(of: number))
      let start = try parser.readFirst()
      guard start.index == 0 else { continue }
      if let root {
        throw Failure(
          .invalid,
          "\(path) holds files of several contexts: \(root.name) and \(parser.name) are both the "
            + "first of one")
      }
      try parser.readJob(start)
      parts = [
        ContextPart(file, parser.name, size: parser.size, parser.trailer, isCopy: isCopy)
      ]
      root = parser
    }
    if let root { return root }
    throw Failure(
      .noEntry,
      numbers.isEmpty
        ? "there is no context in \(path): it holds no file named context.PID"
        : "the context in \(path) is incomplete: the file of its first process is missing")
  }

  /// Pids of the files there.
  private func numbers() throws(Failure) -> [Int32] {
    do throws(Errno) { return try ContextDirectory.processes(in: path) } catch {
      throw Failure(error, "cannot read the directory \(path): \(error)")
    }
  }

  /// Returns where the contents of its file end.
  private mutating func read(_ index: Int, _ mark: PartMark) throws(Failure) -> UInt64 {
    let entry = images[index]
    let name = name(of: entry.process.rawValue)
    let source: Reader.Source
    do throws(Failure) { source = try Reader.open(name) } catch {
      guard error.errno == .noEntry else { throw error }
      throw Failure(
        .noEntry,
        "the context in \(path) is incomplete: \(name) is missing, one of \(images.count) files")
    }
    let isCopy = source.isCopy
    let file = source.file
    var parser = Parser(file.number, name)
    let start = try parser.readFirst()
    guard let process = try parser.readPart(index, start, entry, mark) else {
      throw parser.damaged("there is no process in it")
    }
    snapshot.processes.append(process)
    parts.append(
      ContextPart(file, name, size: parser.size, parser.trailer, isCopy: isCopy))
    return parser.trailer.offset
  }
}
