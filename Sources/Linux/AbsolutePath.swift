// SPDX-License-Identifier: Apache-2.0

/// A path from the root on, as the program names it: links are not followed.
public func absolutePath(_ path: ByteString) -> ByteString {
  guard !path.hasPrefix("/"), let here = try? readLink("/proc/self/cwd") else { return path }
  return here == "/" ? "/" + path : "\(here)/\(path)"
}
