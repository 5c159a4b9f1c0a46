// SPDX-License-Identifier: Apache-2.0
import Linux
import Testing

/// Files that are longer than a word of 32 bits counts, on whatever processor this runs.
struct LargeFileTests {
  @Test func `five gibibytes are written to, measured and read`() throws {
    let file = try FileDescriptor(inMemoryNamed: "large")
    let place: UInt64 = 5 << 30
    try file.write([1, 2, 3], at: place)
    #expect(try file.status().size == 5 << 30 + 3)
    #expect(try file.read(3, at: place) == [1, 2, 3])
    #expect(try file.read(3, at: place & 0xffff_ffff) == [0, 0, 0])
  }
}
