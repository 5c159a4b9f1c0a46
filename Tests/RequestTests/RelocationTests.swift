// SPDX-License-Identifier: Apache-2.0
import Linux
import Testing

@testable import Request

@Suite struct RelocationTests {
  private func fault(of text: ByteString) -> Relocation.Fault? {
    do throws(Relocation.Fault) {
      _ = try Relocation(parsing: text)
      return nil
    } catch {
      return error
    }
  }

  @Test func `a pair is split at its one plain equals sign`() throws {
    let relocation = try Relocation(parsing: "/old/place=/new")
    #expect(relocation.old == "/old/place")
    #expect(relocation.new == "/new")
  }

  @Test func `escapes stand for an equals sign and a backslash`() throws {
    let relocation = try Relocation(parsing: "/a\\=b=/c\\\\d")
    #expect(relocation.old == "/a=b")
    #expect(relocation.new == "/c\\d")
  }

  @Test func `trailing slashes do not count`() throws {
    let relocation = try Relocation(parsing: "/a//=/b/")
    #expect(relocation.old == "/a")
    #expect(relocation.new == "/b")
    #expect(try Relocation(parsing: "/a/=/a").isIdentity)
  }

  @Test(arguments: ["/a", "/a=/b=/c", "/a\\=/b", ""])
  func `anything but one pair is refused`(text: String) {
    #expect(fault(of: ByteString(text)) == .notAPair)
  }

  @Test(arguments: ["/a\\n=/b", "/a=/b\\"])
  func `an unknown escape is refused`(text: String) {
    #expect(fault(of: ByteString(text)) == .badEscape)
  }

  @Test(arguments: ["a=/b", "/a=b", "=/b", "/a="])
  func `both paths must be absolute`(text: String) {
    #expect(fault(of: ByteString(text)) == .notAbsolute)
  }

  @Test func `whole leading components are replaced and nothing else`() throws {
    let relocation = try Relocation(parsing: "/a/b=/x")
    #expect(relocation.applied(to: "/a/b") == "/x")
    #expect(relocation.applied(to: "/a/b/c") == "/x/c")
    #expect(relocation.applied(to: "/a/bc") == nil)
    #expect(relocation.applied(to: "/a") == nil)
    #expect(relocation.applied(to: "a/b") == nil)
    #expect(relocation.applied(to: "pipe:[1]") == nil)
  }

  @Test func `the root directory can be moved from and to`() throws {
    let down = try Relocation(parsing: "/=/mnt")
    #expect(down.applied(to: "/etc/passwd") == "/mnt/etc/passwd")
    #expect(down.applied(to: "/") == "/mnt")
    let up = try Relocation(parsing: "/mnt=/")
    #expect(up.applied(to: "/mnt/etc") == "/etc")
    #expect(up.applied(to: "/mnt") == "/")
  }

  @Test func `the first that fits wins`() throws {
    let relocations = [
      try Relocation(parsing: "/a/b=/first"), try Relocation(parsing: "/a=/second"),
    ]
    #expect(relocations.applied(to: "/a/b/c") == "/first/c")
    #expect(relocations.applied(to: "/a/c") == "/second/c")
    #expect(relocations.applied(to: "/z") == "/z")
  }
}
