// SPDX-License-Identifier: Apache-2.0
import CLinux
import Linux
import Engine
import Snapshot

/// The mmap(2) call that makes a region.
struct Mapping {
  var arguments: [UInt64]

  /// nil for what the kernel makes by itself.
  init?(_ region: Region, _ file: DescriptorNumber?) {
    if case .special = region.backing { return nil }
    // MAP_FIXED_NOREPLACE: over something that we forgot would be worse than a failure. The values
    // are those of this machine, whose processes these are.
    var flags = UInt64(MAP_FIXED_NOREPLACE)
    flags |= UInt64(region.isShared ? MAP_SHARED : MAP_PRIVATE)
    var number = UInt64.max
    if let file, !region.isAnonymous {
      number = UInt64(file.rawValue)
    } else {
      flags |= UInt64(MAP_ANONYMOUS)
    }
    if region.hugePageSize > 0 {
      flags |= UInt64(MAP_HUGETLB) | UInt64(region.hugePageSize.trailingZeroBitCount) << 26
    }
    if region.growsDown { flags |= UInt64(MAP_GROWSDOWN) }
    if region.hasFlag("nr") { flags |= UInt64(MAP_NORESERVE) }
    arguments = [
      region.range.start, region.range.count, UInt64(region.fillProtection), flags, number,
      region.isAnonymous ? 0 : region.offset,
    ]
  }
}

extension Region {
  var isAnonymous: Bool {
    if case .anonymous = backing { return true }
    return false
  }

  /// While it is filled: writable where there is something to write.
  var fillProtection: UInt32 { contents.isEmpty ? protection : 3 }

  /// Areas that want huge pages must not be filled page by page.
  var loadKind: LoadPiece.Kind {
    isAnonymous && !isShared && !hasFlag("hg") && !growsDown && hugePageSize == 0 ? .anonymous : .mapped
  }

  /// VmFlags that madvise(2) sets (fs/proc/task_mmu.c), but for huge pages, which come first.
  static var advices: [(StaticString, UInt64)] {
    [
      ("rr", UInt64(MADV_RANDOM)), ("sr", UInt64(MADV_SEQUENTIAL)), ("dc", UInt64(MADV_DONTFORK)),
      ("dd", UInt64(MADV_DONTDUMP)), ("wf", UInt64(MADV_WIPEONFORK)),
      ("nh", UInt64(MADV_NOHUGEPAGE)), ("mg", UInt64(MADV_MERGEABLE)),
    ]
  }

  /// For messages.
  var describedBacking: ByteString {
    switch backing {
    case .anonymous where hugePageSize > 0: "huge pages of hugetlbfs"
    case .anonymous: name.isEmpty ? "anonymous" : name
    case .file(let identity): identity.path
    case .sharedMemory: "shared memory"
    case .special(let name): name
    }
  }
}
