// SPDX-License-Identifier: Apache-2.0
import Linux
import Testing

@testable import Request

@Suite struct OmissionTests {
  private func omission(_ path: String) -> Omission? {
    let text = """
      55d0c0000000-55d0c0001000 r--p 00000000 fe:00 1234                       /usr/bin/sleep
      7f0000000000-7f0000001000 r--s 00000000 00:01 2048                       \(path)
      7ffc00000000-7ffc00001000 rw-p 00000000 00:00 0                          [stack]

      """
    return Omission(maps: Array(text.utf8))
  }

  @Test func `a page of cr_restart says what it wants`() {
    #expect(omission("/memfd:cr_restart-omit-maybe (deleted)") == .maybe)
    #expect(omission("/memfd:cr_restart-omit-always (deleted)") == .always)
    #expect(omission("/memfd:cr_restart-omit-never (deleted)") == .never)
  }

  @Test(arguments: ["/opt/lib/libcr_omit.so.0.5.5", "/libcr_omit.so", "/lib/libcr_omit.so.0"])
  func `the library says it for the program and what it starts`(path: String) {
    #expect(omission(path) == .withDescendants)
  }

  @Test(arguments: [
    "/lib/libcr_run.so.0", "/lib/libcr_omit.so.d/libc.so.6", "/lib/libcr_omit.sox",
    "/home/cr_restart-omit-always", "/lib/libc.so.6",
  ])
  func `nobody else says anything`(path: String) { #expect(omission(path) == nil) }

  @Test func `a mark is found in this very process`() throws {
    #expect(Omission(of: .own) == nil)
    try Omission.never.mark()
    #expect(Omission(of: .own) == .never)
  }
}
