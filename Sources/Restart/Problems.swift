// SPDX-License-Identifier: Apache-2.0
import Engine
import Linux
import Request

/// Everything that stands in the way of a restart, gathered so that it is told at once.
struct Problems {
  private(set) var found: [Failure] = []
  private static var shown: Int { 8 }

  mutating func add(_ errno: Errno, _ sentence: ByteString) {
    // Many descriptors and mappings refer to one file, and it is missing only once.
    if found.contains(where: { $0.message == sentence }) { return }
    found.append(Failure(errno, sentence))
  }

  /// nil when nothing stands in the way. The first problem gives the error number.
  var failure: Failure? {
    guard let first = found.first else { return nil }
    var message = first.message
    for problem in found.prefix(Self.shown).dropFirst() { message += "\n" + problem.message }
    if found.count > Self.shown { message += "\n… and \(found.count - Self.shown) more" }
    return Failure(first.errno, message)
  }
}

extension Failure {
  /// `cannot STEP of process 12 (name): No such process`
  init(_ step: StaticString, _ process: ProcessID, _ name: ByteString, _ errno: Errno) {
    self.init(errno, "cannot \(step) of process \(process) (\(name)): \(errno)")
  }

  init(_ error: EngineError) {
    if error.errno == .interrupted {
      self.init(.interrupted, "called off")
      return
    }
    let whom: ByteString = error.process.rawValue == 0 ? "" : " \(error.process)"
    self.init(error.errno, "cannot \(error.step)" + whom + ": \(error.errno)")
  }
}

/// Does something through the engine; its error becomes a sentence.
func engaging<Value: ~Copyable>(
  _ body: () throws(EngineError) -> Value
) throws(Failure) -> Value {
  do throws(EngineError) { return try body() } catch { throw Failure(error) }
}
