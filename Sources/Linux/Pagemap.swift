// SPDX-License-Identifier: Apache-2.0
import CLinux

/// Which pages of a process have contents of their own: /proc/PID/pagemap.
///
/// PAGEMAP_SCAN (Linux 6.7) where the kernel has it, else one word per page is read.
@frozen public struct Pagemap: ~Copyable {
  /// What makes a page worth saving.
  public enum Wanted: Sendable {
    /// In memory or in swap, and not the kernel's page of zeros.
    case anonymous
    /// In memory or in swap, and no longer a page of the file it was mapped from.
    case modifiedFile
  }

  private let file: FileDescriptor
  private let pageSize: UInt64
  private var canScan: Bool
  private var vector: [cr_page_region]
  /// Whether the kernel tells guard regions (MADV_GUARD_INSTALL) from others: Linux 6.16.
  private var knowsGuards: Bool
  /// Those that `runs` has met, in rising order.
  public private(set) var guards: [MemoryRange] = []

  public init(_ process: borrowing ProcessFiles, pageSize: UInt64) throws(Errno) {
    file = try process.open("pagemap")
    self.pageSize = pageSize
    canScan = true
    knowsGuards = true
    vector = [cr_page_region](repeating: cr_page_region(), count: 512)
  }

  /// For tests of the fallback.
  init(_ process: borrowing ProcessFiles, pageSize: UInt64, canScan: Bool) throws(Errno) {
    try self.init(process, pageSize: pageSize)
    self.canScan = canScan
  }

  /// Runs of wanted pages in `ranges`, which rise; the runs rise too and do not touch each other.
  /// There may be more in the holes between the ranges.
  public mutating func runs(
    of wanted: Wanted, in ranges: [MemoryRange]
  ) throws(Errno) -> [MemoryRange] {
    guard let first = ranges.first, let last = ranges.last else { return [] }
    if canScan {
      do {
        // The kernel passes over holes at no cost, and each call has one.
        return try scan(wanted, MemoryRange(start: first.start, end: last.end))
      } catch {
        guard error.rawValue == ENOTTY || error == .invalid else { throw error }
        canScan = false
      }
    }
    // There is a word for each page of a hole as well, of which there may be terabytes.
    var runs: [MemoryRange] = []
    for range in ranges { try readWords(wanted, range, &runs) }
    return runs
  }

  // PAGE_IS_* of linux/fs.h.
  private static var isFile: UInt64 { 1 << 2 }
  private static var isPresent: UInt64 { 1 << 3 }
  private static var isSwapped: UInt64 { 1 << 4 }
  private static var isZero: UInt64 { 1 << 5 }

  private static var isGuard: UInt64 { 1 << 8 }

  private mutating func scan(_ wanted: Wanted, _ range: MemoryRange) throws(Errno) -> [MemoryRange] {
    if !knowsGuards { return try scan(wanted, range, telling: 0) }
    do throws(Errno) { return try scan(wanted, range, telling: Self.isGuard) } catch {
      guard error == .invalid else { throw error }
      // It does not know that word.
      knowsGuards = false
      return try scan(wanted, range, telling: 0)
    }
  }

  private mutating func scan(
    _ wanted: Wanted, _ range: MemoryRange, telling extra: UInt64
  ) throws(Errno) -> [MemoryRange] {
    // Asking whether a page is the file's costs eight times as much: only where it matters.
    let excluded = wanted == .anonymous ? Self.isZero : Self.isZero | Self.isFile
    var argument = cr_pm_scan_arg()
    argument.size = UInt64(MemoryLayout<cr_pm_scan_arg>.size)
    argument.end = range.end
    argument.vec_len = UInt64(vector.count)
    argument.category_inverted = excluded
    argument.category_mask = excluded
    argument.category_anyof_mask = Self.isPresent | Self.isSwapped
    argument.return_mask = excluded | extra
    var runs: [MemoryRange] = []
    var start = range.start
    while start < range.end {
      argument.start = start
      let count = try scanOnce(&argument)
      for region in vector[..<count] {
        let run = MemoryRange(start: region.start, end: region.end)
        // To the kernel they are something in swap.
        if region.categories & extra != 0 { guards.appendRun(run) } else { runs.appendRun(run) }
      }
      guard argument.walk_end > start else { break }
      start = argument.walk_end
    }
    return runs
  }

  private mutating func scanOnce(_ argument: inout cr_pm_scan_arg) throws(Errno) -> Int {
    // _IOWR('f', 16, struct pm_scan_arg)
    let request = Int(bitPattern: 0xc060_6610)
    let number = Int(file.number)
    let count = vector.withUnsafeMutableBytes { buffer in
      argument.vec = UInt64(UInt(bitPattern: buffer.baseAddress!))
      return withUnsafeMutablePointer(to: &argument) { pointer in
        cr_syscall(Int(SYS_ioctl), number, request, Int(bitPattern: pointer), 0, 0, 0)
      }
    }
    return try checked(count)
  }

  /// Documentation/admin-guide/mm/pagemap.rst: bit 63 present, 62 swapped, 61 file or shared.
  private func readWords(
    _ wanted: Wanted, _ range: MemoryRange, _ runs: inout [MemoryRange]
  ) throws(Errno) {
    var address = range.start
    while address < range.end {
      let pages = min(8192, Int((range.end - address) / pageSize))
      let number = Int(file.number)
      let offset = Int(address / pageSize * 8)
      let (count, bytes) = try bytesFilled(count: pages * 8) { buffer in
        cr_pread(Int32(number), UnsafeMutableRawPointer(bitPattern: buffer), pages * 8, Int64(offset))
      }
      if count < 8 { break }
      for page in 0 ..< count / 8 {
        let word = bytes.native(UInt64.self, at: page * 8)
        let isHere = word & (3 << 62) != 0
        // Without PAGEMAP_SCAN the page of zeros cannot be told from others: it is saved.
        if isHere, wanted == .anonymous || word & (1 << 61) == 0 {
          runs.appendRun(MemoryRange(start: address, count: pageSize))
        }
        address += pageSize
      }
    }
  }
}

extension [MemoryRange] {
  /// Adds a run behind all others, joined to the last one if they touch.
  mutating func appendRun(_ run: MemoryRange) {
    if let last, last.end == run.start {
      self[count - 1].end = run.end
    } else {
      append(run)
    }
  }
}
