// SPDX-License-Identifier: Apache-2.0
import Engine
import Linux
import Request

/// The error numbers of libcr.h that this trip answers with.
enum AnswerCode {
  static let traced = Errno(rawValue: 2360)
  static let tracer = Errno(rawValue: 2361)
}

extension Failure {
  /// `cannot STEP of process 12: No such process`
  init(_ step: ByteString, _ process: ProcessID, _ errno: Errno) {
    self.init(errno, "cannot \(step) of process \(process): \(errno)")
  }

  init(_ error: EngineError) { self.init("\(error.step)", error.process, error.errno) }
}

/// Does something of ours about a process; its errno becomes a sentence.
func reading<Value: ~Copyable>(
  _ what: StaticString, of process: ProcessID, _ body: () throws(Errno) -> Value
) throws(Failure) -> Value {
  do throws(Errno) { return try body() } catch {
    // The directory of a process that is gone answers ENOENT or ESRCH; people know one of them.
    throw Failure("read the \(what)", process, error == .noEntry ? .noProcess : error)
  }
}

/// Does something through the engine; its error becomes a sentence.
func engaging<Value>(_ body: () throws(EngineError) -> Value) throws(Failure) -> Value {
  do throws(EngineError) { return try body() } catch { throw Failure(error) }
}

/// Everything that stands in the way of a checkpoint, gathered so that it is told at once.
struct Problems {
  private(set) var lines: [ByteString] = []
  private static var shown: Int { 8 }

  mutating func add(_ line: ByteString) { lines.append(line) }

  /// nil when nothing stands in the way.
  var failure: Failure? {
    guard !lines.isEmpty else { return nil }
    var message: ByteString = ""
    for (index, line) in lines.prefix(Self.shown).enumerated() {
      if index > 0 { message += "\n" }
      message += line
    }
    if lines.count > Self.shown { message += "\n… and \(lines.count - Self.shown) more" }
    return Failure(.notSupported, message)
  }
}
