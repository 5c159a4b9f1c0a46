// SPDX-License-Identifier: Apache-2.0
import Linux

/// Reads from a descriptor that somebody else owns and keeps open.
struct BorrowedFile {
  private let number: Int32

  init(_ number: Int32) { self.number = number }

  func status() throws(Errno) -> FileStatus {
    let file = FileDescriptor(owning: number)
    let result: Result<FileStatus, Errno>
    do throws(Errno) { result = .success(try file.status()) } catch { result = .failure(error) }
    _ = file.disown()
    return try result.get()
  }

  /// Fills the buffer; fewer bytes only at the end of the file.
  func read(into buffer: UnsafeMutableRawBufferPointer, at offset: UInt64) throws(Errno) -> Int {
    let file = FileDescriptor(owning: number)
    let result: Result<Int, Errno>
    do throws(Errno) { result = .success(try file.read(into: buffer, at: offset)) } catch {
      result = .failure(error)
    }
    _ = file.disown()
    return try result.get()
  }

  func read(_ count: Int, at offset: UInt64) throws(Errno) -> [UInt8] {
    let file = FileDescriptor(owning: number)
    let result: Result<[UInt8], Errno>
    do throws(Errno) { result = .success(try file.read(count, at: offset)) } catch {
      result = .failure(error)
    }
    _ = file.disown()
    return try result.get()
  }
}
