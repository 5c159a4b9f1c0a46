// SPDX-License-Identifier: Apache-2.0
import CElf
import Linux

/// NT_GNU_BUILD_ID of an ELF file; empty if it has none, is no ELF file, or cannot be read.
///
/// Tells whether a program or library is still the one that a process was using.
public func buildID(of file: borrowing FileDescriptor) -> [UInt8] {
  let number = file.number
  return [UInt8](unsafeUninitializedCapacity: 64) { buffer, count in
    let size = cr_elf_build_id(number, buffer.baseAddress, buffer.count)
    count = max(0, min(size, buffer.count))
  }
}
