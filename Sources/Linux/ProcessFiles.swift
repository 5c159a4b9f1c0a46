// SPDX-License-Identifier: Apache-2.0
import CLinux

/// The directory /proc/PID (or /proc/PID/task/TID) of one task, kept open.
///
/// While it is open, a later task that gets the same number is not taken for this one: every read
/// then fails with ESRCH.
@frozen public struct ProcessFiles: ~Copyable {
  private let directory: FileDescriptor

  /// Throws ENOENT if there is no such process.
  public init(_ process: ProcessID) throws(Errno) {
    directory = try FileDescriptor(opening: "/proc/\(process)", flags: O_PATH | O_DIRECTORY)
  }

  public init(_ thread: ThreadID, of process: ProcessID) throws(Errno) {
    directory = try FileDescriptor(opening: "/proc/\(process)/task/\(thread)", flags: O_PATH | O_DIRECTORY)
  }

  public func open(_ name: ByteString, flags: Int32 = O_RDONLY) throws(Errno) -> FileDescriptor {
    try FileDescriptor(opening: name, at: directory.number, flags: flags)
  }

  /// - Parameter expected: bytes to ask for at first; a long file is read faster with more.
  public func read(_ name: ByteString, expecting expected: Int = 4096) throws(Errno) -> [UInt8] {
    try open(name).readToEnd(expecting: expected)
  }

  /// readlinkat(2).
  public func link(_ name: ByteString) throws(Errno) -> ByteString {
    try readLink(name, at: directory.number)
  }

  /// The state of the file that `name` leads to; of the directory itself if empty.
  public func status(of name: ByteString) throws(Errno) -> FileStatus {
    try FileStatus(of: name, at: directory.number)
  }

  /// The entries of a directory that are numbers, such as `fd` and `task`, in rising order.
  public func numbers(in name: ByteString) throws(Errno) -> [Int32] {
    try directoryNumbers(open(name, flags: O_RDONLY | O_DIRECTORY))
  }
}

extension ProcessID {
  /// By what number /proc shows memory and files of a process: those of a main thread that has ended are gone,
  /// and the other threads have them. (/proc/TID leads to a thread, though it is not listed.)
  public var reachable: ProcessID {
    guard let files = try? ProcessFiles(self), let text = try? files.read("stat"),
      ProcessStat(text)?.hasLostLeader == true, let threads = try? files.numbers(in: "task"),
      let other = threads.first(where: { $0 != rawValue })
    else { return self }
    return ProcessID(other)
  }

  /// /proc/PID/maps; nil if that cannot be read.
  public var memoryMap: [UInt8]? {
    guard let text = try? ProcessFiles(self).read("maps") else { return nil }
    if !text.isEmpty { return text }
    return try? ProcessFiles(reachable).read("maps")
  }
}

/// readlinkat(2), up to PATH_MAX bytes.
public func readLink(
  _ path: ByteString, at directory: Int32 = AT_FDCWD
) throws(Errno) -> ByteString {
  let (count, bytes) = try bytesFilled(count: 4096) { buffer in
    path.withCString { name in
      cr_syscall(
        Int(SYS_readlinkat), Int(directory), Int(bitPattern: name), buffer, 4096, 0, 0)
    }
  }
  return ByteString(bytes[..<count])
}

/// The number that the task made last in this pid namespace got, of /proc/loadavg: as long as it
/// stays the same, no process and no thread has been made.
///
/// nil where that file is not the kernel's own (containers put one of theirs there).
public func lastTaskMade() -> UInt64? {
  let path: ByteString = "/proc/loadavg"
  // PROC_SUPER_MAGIC
  guard (try? FileStatus.fileSystemType(of: path)) == 0x9fa0,
    let text = try? FileDescriptor(opening: path, flags: 0).readToEnd()
  else { return nil }
  // 0.20 0.18 0.12 1/80 11206
  var scanner = TextScanner(text)
  for _ in 0 ..< 4 {
    _ = scanner.word()
    scanner.skipBlanks()
  }
  let number = scanner.number()
  return number == 0 ? nil : number
}

/// The ids of all processes of this pid namespace.
public func allProcesses() throws(Errno) -> [ProcessID] {
  try directoryNumbers(FileDescriptor(opening: "/proc", flags: O_RDONLY | O_DIRECTORY)).map { ProcessID($0) }
}

/// The names in a directory that are decimal numbers, in rising order.
func directoryNumbers(_ directory: consuming FileDescriptor) throws(Errno) -> [Int32] {
  var numbers: [Int32] = []
  try forEachEntry(of: directory) { name, _ in
    if let number = name.decimalNumber { numbers.append(number) }
  }
  return numbers.sorted()
}

/// An entry of a directory with this inode number; nil if there is none.
public func nameInDirectory(_ path: ByteString, of inode: UInt64) throws(Errno) -> ByteString? {
  var found: ByteString?
  try forEachEntry(of: FileDescriptor(opening: path, flags: O_RDONLY | O_DIRECTORY)) {
    if $1 == inode { found = $0 }
  }
  return found
}

/// getdents64(2): names and inode numbers.
func forEachEntry(
  of directory: consuming FileDescriptor, _ body: (ByteString, UInt64) -> Void
) throws(Errno) {
  let descriptor = directory.number
  while true {
    let (count, bytes) = try bytesFilled(count: 32768) { buffer in
      cr_syscall(Int(SYS_getdents64), Int(descriptor), buffer, 32768, 0, 0, 0)
    }
    if count == 0 { break }
    var offset = 0
    while offset < count {
      // struct linux_dirent64: u64 inode, s64 offset, u16 record length, u8 type, name
      let length = Int(bytes.native(UInt16.self, at: offset + 16))
      let name = bytes[(offset + 19) ..< (offset + length)].prefix { $0 != 0 }
      body(ByteString(name), bytes.native(UInt64.self, at: offset))
      offset += length
    }
  }
}
