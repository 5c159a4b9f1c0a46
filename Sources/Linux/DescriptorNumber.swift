// SPDX-License-Identifier: Apache-2.0
import CLinux

/// A descriptor of this process by its number; somebody else owns it and closes it.
public struct DescriptorNumber: Hashable, Sendable {
  public let rawValue: Int32
  public init(_ rawValue: Int32) { self.rawValue = rawValue }

  /// fstat(2); EBADF if it is not open.
  public func status() throws(Errno) -> FileStatus {
    let borrowed = FileDescriptor(owning: rawValue)
    let result: Result<FileStatus, Errno>
    do throws(Errno) { result = .success(try borrowed.status()) } catch { result = .failure(error) }
    _ = borrowed.disown()
    return try result.get()
  }

  /// The lowest number from `least` on that is free, for the same open file description; inherited
  /// over exec(2). EINVAL where `least` is beyond RLIMIT_NOFILE.
  public func duplicate(atLeast least: Int32) throws(Errno) -> DescriptorNumber {
    DescriptorNumber(Int32(try checked(control(F_DUPFD, Int(least)))))
  }

  public func close() { _ = cr_syscall(Int(SYS_close), Int(rawValue), 0, 0, 0, 0, 0) }

  /// lseek(2), SEEK_SET.
  public func seek(to position: UInt64) throws(Errno) {
    let result = cr_seek(rawValue, Int64(bitPattern: position), SEEK_SET)
    guard result >= 0 else { throw Errno(rawValue: Int32(-result)) }
  }

  /// ftruncate(2).
  public func setSize(_ size: UInt64) throws(Errno) {
    try checked(cr_truncate(rawValue, Int64(size)))
  }

  /// fchmod(2).
  public func setMode(_ mode: UInt32) throws(Errno) {
    try checked(cr_syscall(Int(SYS_fchmod), Int(rawValue), Int(mode), 0, 0, 0, 0))
  }

  /// fchown(2).
  public func setOwnership(user: UInt32, group: UInt32) throws(Errno) {
    try checked(cr_syscall(Int(SYS_fchown), Int(rawValue), Int(user), Int(group), 0, 0, 0))
  }

  /// F_SETFL: O_APPEND, O_ASYNC, O_DIRECT, O_NOATIME and O_NONBLOCK are taken from `flags`.
  public func setStatusFlags(_ flags: UInt32) throws(Errno) {
    _ = try control(F_SETFL, Int(flags))
  }

  public func statusFlags() throws(Errno) -> UInt32 {
    UInt32(truncatingIfNeeded: try control(F_GETFL, 0))
  }

  /// F_SETPIPE_SZ in bytes; EPERM above fs.pipe-max-size without CAP_SYS_RESOURCE.
  public func setPipeCapacity(_ capacity: UInt64) throws(Errno) {
    _ = try control(F_SETPIPE_SZ, Int(capacity))
  }

  /// F_ADD_SEALS; EBUSY while it may be written to through a mapping.
  public func addSeals(_ seals: UInt32) throws(Errno) {
    _ = try control(F_ADD_SEALS, Int(seals))
  }

  /// F_SETOWN_EX and F_SETSIG: who is told of input and output, and by which signal.
  public func setOwner(_ owner: SignalOwner) throws(Errno) {
    var bytes = [owner.type, owner.id]
    let number = rawValue
    let result = bytes.withUnsafeMutableBytes {
      cr_syscall(
        Int(SYS_fcntl), Int(number), Int(F_SETOWN_EX), Int(bitPattern: $0.baseAddress!), 0, 0, 0)
    }
    try checked(result)
    _ = try control(F_SETSIG, Int(owner.signal))
  }

  /// Bytes that can be read at once (FIONREAD).
  public func bytesWaiting() throws(Errno) -> UInt32 {
    let (_, bytes) = try bytesFilled(count: 4) { buffer in
      cr_syscall(Int(SYS_ioctl), Int(rawValue), Int(CR_FIONREAD), buffer, 0, 0, 0)
    }
    return bytes.native(UInt32.self, at: 0)
  }

  /// write(2), once.
  public func write(_ bytes: ArraySlice<UInt8>) throws(Errno) -> Int {
    let result = bytes.withUnsafeBytes {
      cr_syscall(
        Int(SYS_write), Int(rawValue), Int(bitPattern: $0.baseAddress), $0.count, 0, 0, 0)
    }
    return try checked(result)
  }

  /// flock(2) without waiting; EAGAIN while another open file description has a lock.
  public func lock(exclusive: Bool) throws(Errno) {
    let operation = (exclusive ? LOCK_EX : LOCK_SH) | LOCK_NB
    try checked(cr_syscall(Int(SYS_flock), Int(rawValue), Int(operation), 0, 0, 0, 0))
  }

  /// F_OFD_SETLK: a lock of the open file description on part of a file.
  public func lock(exclusive: Bool, start: UInt64, count: UInt64) throws(Errno) {
    var lock = cr_file_lock(start: start, count: count, exclusive: exclusive ? 1 : 0)
    try checked(cr_lock_description(rawValue, &lock))
  }

  private func control(_ command: Int32, _ argument: Int) throws(Errno) -> Int {
    try checked(cr_syscall(Int(SYS_fcntl), Int(rawValue), Int(command), argument, 0, 0, 0))
  }
}

/// pipe2(2): both ends, with O_CLOEXEC and `flags`.
public func makePipe(flags: UInt32) throws(Errno) -> (read: Int32, write: Int32) {
  let (_, ends) = try bytesFilled(count: 8) { buffer in
    cr_syscall(Int(SYS_pipe2), buffer, Int(O_CLOEXEC) | Int(flags), 0, 0, 0, 0)
  }
  return (ends.native(Int32.self, at: 0), ends.native(Int32.self, at: 4))
}

extension SignalOwner {
  public init(type: Int32, id: Int32, signal: Int32) {
    self.type = type
    self.id = id
    self.signal = signal
  }
}
