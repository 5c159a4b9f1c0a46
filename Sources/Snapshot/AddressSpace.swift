// SPDX-License-Identifier: Apache-2.0
import Linux

/// The memory of a process: its regions, and the kernel's notes about them.
public struct AddressSpace: Sendable {
  /// In rising order, not overlapping.
  public var regions: [Region]
  /// prctl(PR_SET_MM_MAP): where code, data, heap, stack, arguments and environment are.
  public var layout: MemoryLayout
  /// The auxiliary vector as /proc/PID/auxv gives it, in the target's own words.
  public var auxiliaryVector: [UInt8]
  /// Page size of the target's kernel in bytes.
  public var pageSize: UInt64
  /// mlockall(2) MCL_* flags that will lock future mappings.
  public var lockFuture: UInt32

  public init() {
    regions = []
    layout = MemoryLayout()
    auxiliaryVector = []
    pageSize = 4096
    lockFuture = 0
  }
}

/// The fields of `struct prctl_mm_map` (linux/prctl.h) that are addresses.
public struct MemoryLayout: Sendable {
  public var code = MemoryRange(start: 0, end: 0)
  public var data = MemoryRange(start: 0, end: 0)
  /// start_brk and the present break.
  public var heap = MemoryRange(start: 0, end: 0)
  public var stackStart: UInt64 = 0
  public var arguments = MemoryRange(start: 0, end: 0)
  public var environment = MemoryRange(start: 0, end: 0)

  public init() {}
}

/// One mapping (VMA).
public struct Region: Sendable {
  public enum Backing: Sendable {
    case anonymous
    /// A file that can be opened again by its path.
    case file(FileIdentity)
    /// Index into `Snapshot.sharedMemories`: shared anonymous memory, deleted file,
    /// System V segment (which `Snapshot.systemV` tells).
    case sharedMemory(Int)
    /// Made by the kernel for every process: [vdso], [vvar], [vvar_vclock], [vsyscall], [uprobes].
    case special(ByteString)
  }

  /// PROT_READ 1, PROT_WRITE 2, PROT_EXEC 4, as mmap(2).
  public var protection: UInt32
  public var range: MemoryRange
  public var isShared: Bool
  /// MAP_GROWSDOWN.
  public var growsDown: Bool
  public var backing: Backing
  /// Offset in the backing object, in bytes.
  public var offset: UInt64
  /// The two-letter words of VmFlags in /proc/PID/smaps, separated by single spaces.
  public var flags: ByteString
  /// ProtectionKey of smaps.
  public var protectionKey: UInt32
  /// [heap], [stack], [anon:NAME] … as /proc/PID/maps shows it, for anonymous memory.
  public var name: ByteString
  /// The parts whose contents are in the context file, in rising order. Everything else is zero
  /// (anonymous), or as it is in the file.
  public var contents: [Extent]
  /// Pages that fault whatever the protection (MADV_GUARD_INSTALL), in rising order.
  public var guards: [MemoryRange] = []
  /// Bytes of a page of hugetlbfs (MAP_HUGETLB) of anonymous memory; 0 for ordinary pages.
  public var hugePageSize: UInt64 = 0

  public init(range: MemoryRange, protection: UInt32, isShared: Bool, backing: Backing) {
    self.range = range
    self.protection = protection
    self.isShared = isShared
    self.backing = backing
    growsDown = false
    offset = 0
    flags = ""
    protectionKey = 0
    name = ""
    contents = []
  }
}

/// A run of saved bytes: `count` bytes at `position` (an address for a region, an offset for an
/// object) stand at `fileOffset` of the context file. Offsets are known before anything is written.
public struct Extent: Hashable, Sendable {
  public var position: UInt64
  public var count: UInt64
  public var fileOffset: UInt64

  public init(position: UInt64, count: UInt64, fileOffset: UInt64 = 0) {
    self.position = position
    self.count = count
    self.fileOffset = fileOffset
  }
}

/// Memory that several mappings see and that no path leads to, or none that is to be followed.
public struct SharedMemory: Sendable {
  public enum Kind: UInt32, Sendable {
    /// mmap(MAP_SHARED | MAP_ANONYMOUS), /dev/zero.
    case anonymous = 0
    /// A file that was deleted after it was mapped (also when mapped privately).
    case deletedFile = 1
    /// A file that still had its name, of which everything that is mapped was asked to be saved.
    case savedFile = 2
    /// POSIX shared memory, which still had its name.
    case namedMemory = 3
  }

  public var kind: Kind
  /// Bytes.
  public var size: UInt64
  /// Of a file: where it was, and its mode.
  public var path: ByteString
  public var mode: UInt32
  /// Device and inode it had, for people and for joining with `OpenFile`s of the same file.
  public var device: UInt64
  public var inode: UInt64
  public var contents: [Extent]
  /// As those of `DeletedFile`.
  public var seals: UInt32 = 1
  /// Bytes of a page of hugetlbfs; 0 for ordinary pages.
  public var hugePageSize: UInt64 = 0
  /// Of POSIX shared memory.
  public var user: UInt32 = 0
  public var group: UInt32 = 0

  /// The bytes that a mapping of the whole shows: those of a System V segment in huge pages go on to the
  /// end of its last page.
  public var span: UInt64 { hugePageSize == 0 ? size : size.roundedUp(to: hugePageSize) }

  public init(kind: Kind, size: UInt64) {
    self.kind = kind
    self.size = size
    path = ""
    mode = 0o600
    device = 0
    inode = 0
    contents = []
  }
}
