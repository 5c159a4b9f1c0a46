// SPDX-License-Identifier: Apache-2.0
import CLinux
import Linux
import Request
import Snapshot

extension FileOpener {
  /// A new object of the kernel, with the status flags that the old one had.
  func keepObject(_ index: Int, _ object: consuming FileDescriptor) throws(Errno) {
    let flags = snapshot.openFiles[index].flags & ~UInt32(O_ASYNC)
    try keep(index, object).setStatusFlags(flags)
  }
}
