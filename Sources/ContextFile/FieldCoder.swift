// SPDX-License-Identifier: Apache-2.0
import Architecture
import Linux

/// Walks the fields of a record, either writing them down or filling them in.
///
/// Every record kind is described once, by a function generic over this protocol, so that the two
/// directions cannot differ. Fields are only ever appended to such a function: a reader finds the
/// ones it knows at the front of a longer record, and leaves what a shorter one lacks as it was
/// initialised.
protocol FieldCoder {
  mutating func field<Value: FixedWidthInteger>(_ value: inout Value)
  /// A count and the bytes.
  mutating func field(_ bytes: inout [UInt8])
  /// Its size and the fields that `body` walks.
  mutating func record<Value>(_ value: inout Value, _ body: (inout Value, inout Self) -> Void)
  /// A count and a record each; `empty` is what a reader fills in.
  mutating func list<Value>(
    _ values: inout [Value], empty: @autoclosure () -> Value,
    _ body: (inout Value, inout Self) -> Void)
  /// What was read makes no sense to this reader. Never happens while writing.
  mutating func refuse()
}

extension FieldCoder {
  mutating func field(_ value: inout Bool) {
    var number: UInt8 = value ? 1 : 0
    field(&number)
    value = number != 0
  }

  mutating func field(_ value: inout ByteString) { field(&value.bytes) }

  mutating func field(_ value: inout ProcessID) { field(&value.rawValue) }

  mutating func field(_ value: inout ThreadID) { field(&value.rawValue) }

  mutating func field(_ value: inout MemoryRange) {
    field(&value.start)
    field(&value.end)
  }

  /// An index, or none: all bits set.
  mutating func field(_ value: inout Int?) {
    var number = value.map { UInt32($0) } ?? .max
    field(&number)
    if number == .max { value = nil } else { value = index(number) }
  }

  /// An index that is always there.
  mutating func field(_ value: inout Int) {
    var number = UInt32(value)
    field(&number)
    value = index(number)
  }

  private mutating func index(_ number: UInt32) -> Int {
    // Fits an Int of 32 bits too; no table is that long.
    guard number < 1 << 31 else {
      refuse()
      return 0
    }
    return Int(number)
  }

  mutating func numbers(_ values: inout [UInt32]) {
    list(&values, empty: 0) { value, coder in coder.field(&value) }
  }
}

/// Writes fields down, in the byte order of the file.
struct FieldWriter: FieldCoder {
  let order: Machine.ByteOrder
  /// Counts the bytes and keeps none of them.
  private let isMeasuring: Bool
  /// Grown in big steps and filled by whole numbers: a thousand threads are written while they
  /// stand still.
  private var storage: [UInt8] = []
  private(set) var count = 0

  init(_ order: Machine.ByteOrder, measuring: Bool = false) {
    self.order = order
    isMeasuring = measuring
  }

  /// What was written; of a measuring one there is only the count.
  var bytes: [UInt8] { copy(count) }

  /// The first bytes, and zeros behind them; by whole blocks, as Array's own methods do not in
  /// Embedded Swift.
  private func copy(_ size: Int) -> [UInt8] {
    let (storage, count) = (storage, count)
    return [UInt8](unsafeUninitializedCapacity: size) { buffer, initialized in
      let target = UnsafeMutableRawBufferPointer(buffer)
      let kept = min(size, count)
      storage.withUnsafeBytes { source in
        target.copyMemory(from: UnsafeRawBufferPointer(rebasing: source[..<kept]))
      }
      if size > kept {
        UnsafeMutableRawBufferPointer(rebasing: target[kept ..< size])
          .initializeMemory(as: UInt8.self, repeating: 0)
      }
      initialized = size
    }
  }

  /// Makes room for `size` more bytes, all zero, and returns where they begin.
  private mutating func extend(_ size: Int) -> Int {
    if !isMeasuring, count + size > storage.count {
      storage = copy(max(count + size, 2 * storage.count, 256))
    }
    defer { count += size }
    return count
  }

  mutating func field<Value: FixedWidthInteger>(_ value: inout Value) { put(value) }

  mutating func put<Value: FixedWidthInteger>(_ value: Value) {
    store(value, at: extend(Value.bitWidth / 8))
  }

  /// Replaces a number that was put before.
  mutating func store<Value: FixedWidthInteger>(_ value: Value, at offset: Int) {
    if isMeasuring { return }
    let ordered = order == .little ? value.littleEndian : value.bigEndian
    storage.withUnsafeMutableBytes {
      $0.storeBytes(of: ordered, toByteOffset: offset, as: Value.self)
    }
  }

  /// An integer of the target's word size.
  mutating func put(word: UInt64, _ size: Machine.WordSize) {
    if size == .bits64 { put(word) } else { put(UInt32(truncatingIfNeeded: word)) }
  }

  mutating func field(_ value: inout [UInt8]) {
    put(UInt32(value.count))
    put(raw: value)
  }

  mutating func put(raw: [UInt8]) {
    let start = extend(raw.count)
    if isMeasuring { return }
    storage.withUnsafeMutableBytes { target in
      raw.withUnsafeBytes { source in
        UnsafeMutableRawBufferPointer(rebasing: target[start...]).copyMemory(from: source)
      }
    }
  }

  mutating func put(zeros count: Int) { _ = extend(count) }

  /// Up to a multiple of `alignment` behind `start`.
  mutating func pad(to alignment: Int, from start: Int = 0) {
    put(zeros: (alignment - (count - start) % alignment) % alignment)
  }

  mutating func record<Value>(_ value: inout Value, _ body: (inout Value, inout Self) -> Void) {
    let start = extend(4)
    body(&value, &self)
    store(UInt32(count - start - 4), at: start)
  }

  mutating func list<Value>(
    _ values: inout [Value], empty: @autoclosure () -> Value,
    _ body: (inout Value, inout Self) -> Void
  ) {
    put(UInt32(values.count))
    for var value in values { record(&value, body) }
  }

  mutating func refuse() { preconditionFailure("a value that cannot be written down") }
}

/// Fills fields in from bytes that nobody vouches for.
///
/// After anything that does not fit, everything reads as missing and `isMalformed` is set, so that
/// the walk ends by itself; nobody may look at its result then.
struct FieldReader: FieldCoder {
  let order: Machine.ByteOrder
  private let bytes: [UInt8]
  private var next: Int
  private var end: Int
  private(set) var isMalformed = false

  init(_ bytes: [UInt8], _ order: Machine.ByteOrder) {
    self.bytes = bytes
    self.order = order
    next = 0
    end = bytes.count
  }

  private mutating func take<Value: FixedWidthInteger>() -> Value? {
    let size = Value.bitWidth / 8
    // Nothing left: an older writer did not know this field.
    if next == end { return nil }
    guard end - next >= size else {
      refuse()
      return nil
    }
    let start = next
    let value = bytes.withUnsafeBytes {
      $0.loadUnaligned(fromByteOffset: start, as: Value.self)
    }
    next += size
    return order == .little ? Value(littleEndian: value) : Value(bigEndian: value)
  }

  mutating func field<Value: FixedWidthInteger>(_ value: inout Value) {
    if let taken: Value = take() { value = taken }
  }

  mutating func field(_ value: inout [UInt8]) {
    guard let count: UInt32 = take() else { return }
    guard UInt64(count) <= UInt64(end - next) else { return refuse() }
    value = Array(bytes[next ..< (next + Int(count))])
    next += Int(count)
  }

  mutating func record<Value>(_ value: inout Value, _ body: (inout Value, inout Self) -> Void) {
    guard let size: UInt32 = take() else { return }
    guard UInt64(size) <= UInt64(end - next) else { return refuse() }
    let outer = end
    end = next + Int(size)
    let after = end
    body(&value, &self)
    if isMalformed { return }
    end = outer
    next = after
  }

  mutating func list<Value>(
    _ values: inout [Value], empty: @autoclosure () -> Value,
    _ body: (inout Value, inout Self) -> Void
  ) {
    guard let count: UInt32 = take() else { return }
    // Each record takes the four bytes of its size at least.
    guard UInt64(count) <= UInt64((end - next) / 4) else { return refuse() }
    values = []
    values.reserveCapacity(Int(count))
    for _ in 0 ..< count {
      var value = empty()
      record(&value, body)
      if isMalformed { return }
      values.append(value)
    }
  }

  mutating func refuse() {
    isMalformed = true
    next = end
  }
}
