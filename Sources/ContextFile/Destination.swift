// SPDX-License-Identifier: Apache-2.0
import Linux
import Request

/// Where a context is being written, and what happens to what was there before: a file, or a directory
/// with a file for each process.
///
/// Made before anything is stopped, so that most reasons for failing are found while they cost
/// nothing. Ended by `commit`; without it what was begun is removed, and what is older is as it was
/// (except with `clobber`, which gives that up once `reserve` was called).
public struct Destination: ~Copyable {
  /// One, or in a directory one for each process from `reserve` on.
  private var files: [DestinationFile]
  private let directory: ContextDirectory?
  private let compression: Compression
  /// Whether `commit` waits for the disk.
  public let isSynchronous: Bool

  /// - Parameter isSynchronous: `commit` returns when the context would survive a power failure.
  /// - Throws: EISDIR, EEXIST (`noclobber`), EBUSY (somebody else is writing it), and what open(2)
  ///   says.
  public init(
    _ placement: Placement, _ replacement: Replacement, isSynchronous: Bool,
    compression: Compression = Compression()
  ) throws(Failure) {
    var files: [DestinationFile] = []
    var directory: ContextDirectory?
    switch placement {
    case .file(let path):
      files = [try DestinationFile(path, replacement, isSynchronous, compression)]
    case .descriptor(let number):
      files = [try DestinationFile(number, isSynchronous, compression)]
    case .directory(let path): directory = try ContextDirectory(path, replacement)
    }
    self.init(files, directory, isSynchronous, compression)
  }

  private init(
    _ files: [DestinationFile], _ directory: ContextDirectory?, _ isSynchronous: Bool,
    _ compression: Compression
  ) {
    self.files = files
    self.directory = directory
    self.isSynchronous = isSynchronous
    self.compression = compression
  }

  /// The same directory as somebody else's destination, who will give it its name: see `handOver`.
  public init(
    within number: Int32, isSynchronous: Bool, compression: Compression
  ) throws(Failure) {
    self.init([], try ContextDirectory(within: number), isSynchronous, compression)
  }

  /// Throws what `init` would throw; leaves nothing behind, and whoever waits at a FIFO waiting.
  public static func check(
    _ placement: Placement, _ replacement: Replacement
  ) throws(Failure) {
    if case .file(let path) = placement, let status = try? FileStatus.of(path), status.isPipe {
      return
    }
    // In place, a file that is there would be touched.
    var replacement = replacement
    if case .clobber = replacement { replacement = .atomic }
    _ = try Destination(placement, replacement, isSynchronous: false)
  }

  /// Where the context will be found, absolute; empty where it has no name, as in a pipe. That of a
  /// directory ends with `/.`.
  public var path: ByteString { directory.map { $0.wholePath + "/." } ?? files[0].path }

  /// Whether `commit` compresses it.
  public var isCompressed: Bool { compression.isWanted }

  /// st_dev and st_ino of the file that is being written.
  public var identity: (device: UInt64, inode: UInt64)? {
    directory == nil ? files[0].identity : nil
  }

  /// How the files of a directory will know each other; nil for a file that holds everything.
  public var mark: PartMark? { directory == nil ? nil : .random() }

  /// What the memory of the process with this index is written to; with index 0 also what belongs to
  /// no process alone.
  public func part(_ index: Int) -> DestinationFile { files[directory == nil ? 0 : index] }

  /// From now on another process writes, which looks after everything but `commit`.
  ///
  /// - Returns: a descriptor of the file, or of the directory.
  public mutating func handOver() -> Int32 {
    if let directory { return directory.handle.number }
    files[0].handOver()
    return files[0].file.number
  }

  /// Throws ENOSPC if there is no room for the context, before any of it is written.
  public mutating func reserve(_ layout: Layout) throws(Failure) {
    guard let directory else { return try files[0].reserve(layout.totalSize) }
    try directory.reserve(layout.totalSize)
    Self.allowManyFiles()
    for index in layout.parts.indices {
      let file = try DestinationFile(
        try directory.makeFile(of: layout.process(ofPart: index)),
        directory.path(of: layout.process(ofPart: index)), isSynchronous, compression)
      files.append(file)
      try file.reserve(layout.parts[index].totalSize)
    }
  }

  /// As many open files as we may have: a few for each process.
  private static func allowManyFiles() {
    let openFiles: Int32 = 7  // RLIMIT_NOFILE
    guard let limit = try? resourceLimit(openFiles, of: .own) else { return }
    // Where it is refused, opening tells.
    try? setResourceLimit(openFiles, of: .own, soft: limit.hard, hard: limit.hard)
  }

  /// Checksums of what the parts of a layout hold, to be made before that is written.
  public func sealers(of layout: Layout) throws(Failure) -> [Sealer] {
    var sealers: [Sealer] = []
    for index in layout.parts.indices {
      sealers.append(
        try Sealer(layout, part: index, part(index).file, isSynchronous: isSynchronous))
    }
    return sealers
  }

  /// Puts the context in its place: from here on it is there, whole.
  ///
  /// - Parameter onProgress: of compressing: how many further bytes are done; false calls it off.
  /// - Returns: the bytes that it takes.
  @discardableResult
  public consuming func commit(
    onProgress: (UInt64) -> Bool = { _ in true }
  ) throws(Failure) -> UInt64 {
    var size: UInt64 = 0
    for file in files { size += try file.commit(onProgress: onProgress) }
    try directory?.commit(isSynchronous: isSynchronous)
    return size
  }

  deinit {
    // Files that were begun go before the directory that they are in.
    directory?.abandon()
  }
}
