// SPDX-License-Identifier: Apache-2.0
import Architecture
import Linux

/// Places in a program's own code that let it make calls for us: nothing is ever injected.
struct Landmarks {
  /// Where calls are made from.
  var systemCall: UInt64
  /// Code that makes the rt_sigreturn call; nil if calls must do without a lifeline.
  var signalReturn: UInt64?
  /// The main thread's stack, for the one call that has to be made before there is scratch memory.
  var stack: MemoryRange?
  /// Whose instructions they are.
  var machine: Machine

  /// What is found before a process is stopped, most probably still true afterwards; see `find`.
  static func expected(in process: ProcessID) -> Landmarks? {
    guard let native = Registers.native else { return nil }
    return try? find(in: process, like: native)
  }

  /// Looks through the code of a process: the dynamic loader and the vdso first, since they are
  /// small and nearly always enough, then everything else.
  static func find(
    in process: ProcessID, like registers: Registers,
    outside ours: MemoryRange = MemoryRange(start: 0, end: 0), expecting: Landmarks? = nil
  ) throws(Errno) -> Landmarks {
    let regions = MappedRegion.parse(try ProcessFiles(process).read("maps"))
    let stack = regions.first { $0.name == "[stack]" && $0.protection & 3 == 3 }?.range
    var search = Search(process: process, registers: registers)
    let code = regions.filter {
      $0.protection & 5 == 5 && !$0.isImmovable && !$0.range.overlaps(ours)
    }
    if var expecting, expecting.machine == registers.machine, search.confirms(expecting, in: code) {
      expecting.stack = stack
      return expecting
    }
    // One page, which only ARM has.
    for region in code where region.name == "[sigpage]" { search.look(at: region) }
    for region in code where isLoader(region.name) && !search.isComplete { search.look(at: region) }
    for region in code where region.name == "[vdso]" && !search.isComplete {
      search.look(at: region)
    }
    // Enough to call from, but not to return by: worth a longer search.
    for region in code where !search.isComplete && !isLoader(region.name) {
      if search.looked > 64 << 20 { break }
      search.look(at: region)
    }
    if let returning = search.returning, let signalReturn = search.signalReturn {
      return Landmarks(
        systemCall: returning, signalReturn: signalReturn, stack: stack,
        machine: registers.machine)
    }
    guard let systemCall = search.plain ?? search.returning else { throw .notSupported }
    return Landmarks(
      systemCall: systemCall, signalReturn: nil, stack: stack, machine: registers.machine)
  }

  private static func isLoader(_ name: ByteString) -> Bool {
    // ld-linux-x86-64.so.2, ld-musl-x86_64.so.1
    guard let slash = name.bytes.lastIndex(of: UInt8(ascii: "/")) else { return false }
    return ByteString(name.bytes[(slash + 1)...]).hasPrefix("ld-")
  }
}

extension Landmarks {
  private struct Search {
    let process: ProcessID
    let plainPattern: BytePattern
    let returningPatterns: [BytePattern]
    let signalReturnPatterns: [BytePattern]
    var plain: UInt64?
    var returning: UInt64?
    var signalReturn: UInt64?
    var looked = 0
    private var buffer: [UInt8] = []

    init(process: ProcessID, registers: Registers) {
      self.process = process
      plainPattern = BytePattern(registers.systemCallInstruction)
      returningPatterns = registers.returningSystemCalls.map { BytePattern($0) }
      signalReturnPatterns = registers.signalReturns.map { BytePattern($0) }
    }

    var isComplete: Bool { returning != nil && signalReturn != nil }

    /// Whether both places still hold what they should, in memory that can be executed.
    func confirms(_ landmarks: Landmarks, in code: [MappedRegion]) -> Bool {
      guard let signalReturn = landmarks.signalReturn else { return false }
      return holds(returningPatterns, at: landmarks.systemCall, in: code)
        && holds(signalReturnPatterns, at: signalReturn, in: code)
    }

    private func holds(
      _ patterns: [BytePattern], at address: UInt64, in code: [MappedRegion]
    ) -> Bool {
      patterns.contains { pattern in
        let count = pattern.bytes.count
        let range = MemoryRange(start: address, count: UInt64(count))
        guard
          code.contains(where: { $0.range.start <= range.start && range.end <= $0.range.end })
        else { return false }
        var bytes = [UInt8](repeating: 0, count: count)
        let got = bytes.withUnsafeMutableBytes {
          (try? ProcessMemory.read(process, at: address, into: $0)) ?? 0
        }
        return got == count && bytes == pattern.bytes
      }
    }

    mutating func look(at region: MappedRegion) {
      let step: UInt64 = 32 << 10
      let overlap: UInt64 = 32
      if buffer.isEmpty { buffer = [UInt8](repeating: 0, count: Int(step)) }
      var start = region.range.start
      while start < region.range.end, !isComplete {
        let count = Int(min(step, region.range.end - start))
        let process = process
        let got = buffer.withUnsafeMutableBytes { bytes in
          (try? ProcessMemory.read(
            process, at: start, into: UnsafeMutableRawBufferPointer(rebasing: bytes[..<count]))) ?? 0
        }
        buffer.withUnsafeBytes { bytes in
          search(UnsafeRawBufferPointer(rebasing: bytes[..<got]), from: start)
        }
        looked += count
        if UInt64(count) < step { return }
        start += step - overlap
      }
    }

    private mutating func search(_ bytes: UnsafeRawBufferPointer, from start: UInt64) {
      for pattern in returningPatterns where returning == nil {
        returning = pattern.firstOffset(in: bytes).map { start + UInt64($0) }
      }
      if plain == nil { plain = plainPattern.firstOffset(in: bytes).map { start + UInt64($0) } }
      for pattern in signalReturnPatterns where signalReturn == nil {
        signalReturn = pattern.firstOffset(in: bytes).map { start + UInt64($0) }
      }
    }
  }
}
