// SPDX-License-Identifier: Apache-2.0
import CLinux
import Engine
import Linux

/// A library's control block in one of our processes; `cr_control.h` says what its fields mean.
///
/// All of it has fixed widths, so the process may be of another word size than this tool.
struct ControlBlock {
  /// Where a 32-bit field stands, by its C name.
  struct Field {
    let offset: Int
    init(_ offset: some BinaryInteger) { self.offset = Int(offset) }

    static var kind: Field { Field(CR_AT_KIND) }
    static var size: Field { Field(CR_AT_SIZE) }
    static var owner: Field { Field(CR_AT_OWNER) }
    static var wants: Field { Field(CR_AT_WANTS) }
    static var server: Field { Field(CR_AT_SERVER) }
    static var lock: Field { Field(CR_AT_LOCK) }
    static var holdInit: Field { Field(CR_AT_HOLD_INIT) }
    static var holdUninit: Field { Field(CR_AT_HOLD_UNINIT) }
    static var runners: Field { Field(CR_AT_RUNNERS) }
    static var forwardScope: Field { Field(CR_AT_FORWARD_SCOPE) }
    static var forwardTarget: Field { Field(CR_AT_FORWARD_TARGET) }
    static var arriving: Field { Field(CR_AT_ARRIVING) }
    static var displacedSize: Field { Field(CR_AT_DISPLACED_SIZE) }
    static var actionSize: Field { Field(CR_AT_ACTION_SIZE) }
    static var phase: Field { Field(CR_AT_PHASE) }
    static var outcome: Field { Field(CR_AT_OUTCOME) }
    static var error: Field { Field(CR_AT_ERROR) }
    static var forwardResult: Field { Field(CR_AT_FORWARD_RESULT) }
    static var generation: Field { Field(CR_AT_GENERATION) }
    static var answers: Field { Field(CR_AT_ANSWERS) }
    static var signal: Field { Field(CR_AT_SIGNAL) }
    static var requester: Field { Field(CR_AT_REQUESTER) }
    static var target: Field { Field(CR_AT_TARGET) }
    static var scope: Field { Field(CR_AT_SCOPE) }
    static var restartRequester: Field { Field(CR_AT_RESTART_REQUESTER) }
  }

  let process: ProcessID
  let address: UInt64
  /// The signal by which library and engine call each other.
  private(set) var number = Int32(CR_USUAL_SIGNAL)
  /// All before the paths, as it was when read last.
  private var head: [UInt8] = []

  init(
    at address: UInt64, of process: ProcessID, by engine: borrowing some Engine & ~Copyable
  ) throws(EngineError) {
    self.process = process
    self.address = address
    try refresh(by: engine)
    // Libraries were built that did not say.
    guard self[.size] >= UInt32(CR_AT_NUMBER) + 4 else { return }
    let said = try engine.read(
      MemoryRange(start: address + UInt64(CR_AT_NUMBER), count: 4), of: process)
    // A real-time signal; anything else is not what the library wrote.
    if (32 ... UInt32(CR_USUAL_SIGNAL)).contains(said.word(at: 0)) { number = Int32(said.word(at: 0)) }
  }

  mutating func refresh(by engine: borrowing some Engine & ~Copyable) throws(EngineError) {
    head = try engine.read(
      MemoryRange(start: address, count: UInt64(CR_AT_DESTINATION)), of: process)
  }

  subscript(field: Field) -> UInt32 { head.word(at: field.offset) }

  mutating func set(
    _ field: Field, to value: UInt32, by engine: inout some Engine & ~Copyable
  ) throws(EngineError) {
    let bytes = withUnsafeBytes(of: value) { Array($0) }
    head.replaceSubrange(field.offset ..< field.offset + 4, with: bytes)
    try engine.write(bytes, to: address + UInt64(field.offset), of: process)
  }

  /// Writes a path, cut to what fits, with its NUL.
  func setPath(
    at offset: Int, to path: ByteString, by engine: inout some Engine & ~Copyable
  ) throws(EngineError) {
    var bytes = Array(path.bytes.prefix(Int(CR_CONTROL_PATH) - 1))
    bytes.append(0)
    try engine.write(bytes, to: address + UInt64(offset), of: process)
  }

  /// The handler as the kernel's struct sigaction.
  var action: [UInt8] {
    let start = Int(CR_AT_ACTION)
    return Array(head[start ..< start + min(Int(self[.actionSize]), Int(CR_CONTROL_ACTION))])
  }

  /// The application's own action of the signal, while ours stands in its place.
  var displaced: [UInt8] {
    let start = Int(CR_AT_DISPLACED)
    return Array(head[start ..< start + min(Int(self[.displacedSize]), Int(CR_CONTROL_ACTION))])
  }

  /// SIG_IGN as the kernel's struct sigaction: three words, the handler first, and the mask.
  var ignoringAction: [UInt8] {
    let isWide = action.count == 3 * 8 + 8
    let handler =
      isWide
      ? withUnsafeBytes(of: UInt64(1)) { Array($0) } : withUnsafeBytes(of: UInt32(1)) { Array($0) }
    return handler + [UInt8](repeating: 0, count: action.count - handler.count)
  }

  /// Processes that the library started for requests.
  var helpers: [ProcessID] {
    (0 ..< Int(CR_CONTROL_HELPERS)).compactMap {
      let id = Int32(bitPattern: head.word(at: Int(CR_AT_HELPERS) + 4 * $0))
      return id > 0 ? ProcessID(id) : nil
    }
  }

  /// The threads that use the library.
  func threads(by engine: borrowing some Engine & ~Copyable) throws(EngineError) -> [LibraryThread] {
    var found: [LibraryThread] = []
    var address = head.long(at: Int(CR_AT_THREADS))
    // A bound, since what we follow is the program's memory.
    while address != 0, found.count < 1 << 16 {
      let bytes = try engine.read(MemoryRange(start: address, count: 24), of: process)
      found.append(
        LibraryThread(
          address: address, id: ThreadID(Int32(bitPattern: bytes.word(at: 8))),
          flags: bytes.word(at: 12), hold: bytes.word(at: 16)))
      address = bytes.long(at: 0)
    }
    return found
  }

  var isFull: Bool { self[.kind] == CR_KIND_FULL.rawValue }
  /// False in a copy of the process that the library knows nothing of.
  var isOwned: Bool { self[.owner] == UInt32(bitPattern: process.rawValue) }
  var sections: UInt32 { self[.lock] & UInt32(CR_LOCK_SECTIONS) }
  func wants(_ what: cr_control_wants) -> Bool { self[.wants] & what.rawValue != 0 }
}

/// `struct cr_control_thread`.
struct LibraryThread {
  var address: UInt64
  var id: ThreadID
  var flags: UInt32
  var hold: UInt32

  var hasCallbacks: Bool { flags & CR_THREAD_CALLBACKS.rawValue != 0 }
  var isRunningCallbacks: Bool { flags & CR_THREAD_RUNNING.rawValue != 0 }
}

extension [UInt8] {
  func word(at offset: Int) -> UInt32 {
    guard offset + 4 <= count else { return 0 }
    return withUnsafeBytes { $0.loadUnaligned(fromByteOffset: offset, as: UInt32.self) }
  }

  func long(at offset: Int) -> UInt64 {
    guard offset + 8 <= count else { return 0 }
    return withUnsafeBytes { $0.loadUnaligned(fromByteOffset: offset, as: UInt64.self) }
  }

  func half(at offset: Int) -> UInt16 {
    guard offset + 2 <= count else { return 0 }
    return withUnsafeBytes { $0.loadUnaligned(fromByteOffset: offset, as: UInt16.self) }
  }
}
