// SPDX-License-Identifier: Apache-2.0
import Linux
import Testing

@testable import CommandLine

@Suite struct PreloadListTests {
  @Test(arguments: [
    ("", "libcr_run.so.0"),
    ("libfoo.so", "libcr_run.so.0:libfoo.so"),
    ("a.so:b.so", "libcr_run.so.0:a.so:b.so"),
    ("a.so b.so", "libcr_run.so.0:a.so:b.so"),
    ("::a.so: :b.so:", "libcr_run.so.0:a.so:b.so"),
    ("libcr_run.so.0:a.so", "libcr_run.so.0:a.so"),
    ("a.so:libcr_omit.so.0", "libcr_run.so.0:a.so"),
    ("/opt/lib/libcr_run.so.0.5.5:a.so", "libcr_run.so.0:a.so"),
    ("/opt/lib/libcr_omit.so:a.so", "libcr_run.so.0:a.so"),
    ("libcr_runner.so:libcr.so.0", "libcr_run.so.0:libcr_runner.so:libcr.so.0"),
    ("/libcr_run.so.0/a.so", "libcr_run.so.0:/libcr_run.so.0/a.so"),
  ])
  func `our stub comes first, an earlier one goes, the rest stays in order`(
    before: String, after: String
  ) {
    var list = PreloadList(ByteString(before))
    list.putFirst("libcr_run.so.0")
    #expect(list.value == ByteString(after))
  }

  @Test func `a path that the dynamic linker would split is known`() {
    #expect(PreloadList.canHold("/opt/lib/x.so"))
    #expect(!PreloadList.canHold("/opt/my lib/x.so"))
    #expect(!PreloadList.canHold("/opt:1/x.so"))
  }
}
