// SPDX-License-Identifier: Apache-2.0
import CLinux
import Linux

/// Directories in place of ones that were deleted while processes worked in them: there until all have
/// entered them. Nothing can be made in a deleted directory, so there is nothing in them.
final class LostDirectories {
  /// Where they are, by where they were.
  private var made: [ByteString: ByteString] = [:]

  deinit { forget() }

  func make(_ path: ByteString, mode: UInt32) throws(Errno) -> ByteString {
    if let present = made[path] { return present }
    let other: ByteString = ".cr_restart.\(ProcessID.own).\(Clock.monotonic.reading)"
    var failure = Errno.noEntry
    for candidate in [path, path + other, "/tmp/" + other] {
      do throws(Errno) {
        try makeDirectory(candidate, mode: mode & 0o7777)
        made[path] = candidate
        return candidate
      } catch { failure = error }
    }
    throw failure
  }

  func forget() {
    for path in made.values { try? removeDirectory(path) }
    made = [:]
  }
}
