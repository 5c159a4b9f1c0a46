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

  init(
    _ file: consuming FileDescriptor, _ name: ByteString, size: UInt64, _ trailer: TrailerPlace
  ) {
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

  var all: [ContextPart] { parts }
}
