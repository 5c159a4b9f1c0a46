// SPDX-License-Identifier: Apache-2.0
import Engine
import Linux
import Request

extension Errno {
  /// CR_ENOSUPPORT of blcr_errcodes.h.
  static var doesNotTakePart: Errno { Errno(rawValue: 2356) }
}

/// Whether a process has one of our libraries, found out while it runs: `--check` of a request that
/// asks for one.
public struct LibrarySearch {
  let process: ProcessID

  public init(process: ProcessID) { self.process = process }

  /// - Throws: CR_ENOSUPPORT if it has none, or is not to be looked at.
  public func demand() throws(Failure) {
    // What cannot be read has no library.
    let found = try? NoteSearch(process: process).addresses { (range) throws(EngineError) in
      var bytes = [UInt8](repeating: 0, count: Int(range.count))
      let count = bytes.withUnsafeMutableBytes {
        (try? ProcessMemory.read(process, at: range.start, into: $0)) ?? 0
      }
      return count == bytes.count ? bytes : nil
    }
    if found?.isEmpty ?? true { throw hasNoLibrary(process) }
  }
}

func hasNoLibrary(_ process: ProcessID) -> Failure {
  let name = (try? ProcessFiles(process).read("comm")).map { ByteString($0.prefix { $0 != 10 }) }
  return Failure(
    .doesNotTakePart,
    "process \(process) (\(name ?? "?")) has not loaded libcr: start it with cr_run, or do without"
      + " --require-libcr")
}

/// It has callbacks or a critical section, and no handler of the kernel's to call it by.
func cannotBeCalled(_ process: ProcessID) -> Failure {
  Failure(
    .doesNotTakePart,
    "process \(process) runs under valgrind, where nobody but valgrind can call its callbacks: "
      + "run it without")
}
