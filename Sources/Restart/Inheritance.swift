// SPDX-License-Identifier: Apache-2.0
import CLinux
import Linux
import Request

/// Descriptors of ours that the restored processes inherit, at numbers that none of them wants.
///
/// Every open file is opened once, here; each process then gives it the numbers it had. Ours are
/// closed when this is gone.
final class Inheritance {
  private let wanted: Set<Int32>
  private var next: Int32
  private var numbers: [DescriptorNumber] = []

  /// `wanted`: numbers that processes of the job have; `count`: how many files there may be.
  init(outside wanted: Set<Int32>, count: Int) {
    self.wanted = wanted
    let highest = wanted.max() ?? 2
    next = max(highest + 1, 64)
    Self.raiseLimit(to: UInt64(next) + UInt64(count) + 64)
  }

  deinit { close() }

  func close() {
    for number in numbers { number.close() }
    numbers = []
  }

  /// Takes a file over; the number by which processes of the job know it.
  func adopt(_ file: consuming FileDescriptor) throws(Errno) -> DescriptorNumber {
    let number = try duplicate(DescriptorNumber(file.number))
    _ = consume file
    return number
  }

  /// Another number for something that is open already.
  func duplicate(_ file: DescriptorNumber) throws(Errno) -> DescriptorNumber {
    var least = next
    while true {
      let number: DescriptorNumber
      do throws(Errno) {
        number = try file.duplicate(atLeast: least)
      } catch {
        // Beyond the limit: a gap between the numbers of the job will do.
        guard error == .invalid || error.rawValue == EMFILE, least > 3 else { throw error }
        least = 3
        next = 3
        continue
      }
      if wanted.contains(number.rawValue) {
        number.close()
        least = number.rawValue + 1
        continue
      }
      next = number.rawValue + 1
      numbers.append(number)
      return number
    }
  }

  private static func raiseLimit(to count: UInt64) {
    guard let limit = try? resourceLimit(7, of: .own), limit.soft < count else { return }
    try? setResourceLimit(7, of: .own, soft: min(count, limit.hard), hard: limit.hard)
  }
}
