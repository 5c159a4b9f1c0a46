// SPDX-License-Identifier: Apache-2.0
import Linux

/// One file of a context, open for reading.
public final class ContextPart: Sendable {
  /// Seekable.
  public let file: FileDescriptor
  /// What messages call it.
  let name: ByteString
  /// In bytes.
  let size: UInt64
  let trailer: TrailerPlace
  /// As `Reader.isCopy`.
  let isCopy: Bool

  init(
    _ file: consuming FileDescriptor, _ name: ByteString, size: UInt64, _ trailer: TrailerPlace,
    isCopy: Bool = false
  ) {
    self.isCopy = isCopy
    self.file = file
    self.name = name
    self.size = size
    self.trailer = trailer
  }
}

/// The files that hold the contents of a context: one, or in a directory one for each process.
public struct ContextParts: Sendable {
  private let parts: [ContextPart]

  init(_ parts: [ContextPart]) { self.parts = parts }

  /// Of a file whose records are known from elsewhere.
  public init(of file: consuming FileDescriptor) {
    parts = [ContextPart(file, "the context file", size: 0, TrailerPlace())]
  }

  /// Where the memory of the process with this index is.
  public func file(ofProcess index: Int) -> ContextPart { parts.count == 1 ? parts[0] : parts[index] }

  /// Where the contents of shared memories and deleted files are.
  public var common: ContextPart { parts[0] }

  public var count: Int { parts.count }

  /// Bytes that one checksum is for, at most; 0 if there are none.
  public var blockSize: UInt64 { parts.reduce(0) { max($0, min($1.blockSize, max($1.size, 1))) } }

  var all: [ContextPart] { parts }
}
