// SPDX-License-Identifier: Apache-2.0
import CLinux

/// Calls on a socket; addresses are `struct sockaddr` as this machine has them.
extension DescriptorNumber {
  /// getsockname(2) and getpeername(2); ENOTCONN.
  public func socketAddress() throws(Errno) -> [UInt8] { try address(Int(SYS_getsockname)) }
  public func peerAddress() throws(Errno) -> [UInt8] { try address(Int(SYS_getpeername)) }

  private func address(_ call: Int) throws(Errno) -> [UInt8] {
    let number = Int(rawValue)
    var size = UInt32(128)
    let (_, bytes) = try bytesFilled(count: 128) { buffer in
      withUnsafeMutablePointer(to: &size) {
        cr_syscall(call, number, buffer, Int(bitPattern: $0), 0, 0, 0)
      }
    }
    return Array(bytes.prefix(Int(size)))
  }

  /// getsockopt(2), at most `count` bytes of it.
  public func option(
    _ level: Int32, _ name: Int32, count: Int = 16
  ) throws(Errno) -> [UInt8] {
    let number = Int(rawValue)
    var size = UInt32(count)
    let (_, bytes) = try bytesFilled(count: count) { buffer in
      withUnsafeMutablePointer(to: &size) {
        cr_syscall(
          Int(SYS_getsockopt), number, Int(level), Int(name), buffer, Int(bitPattern: $0), 0)
      }
    }
    return Array(bytes.prefix(Int(size)))
  }

  public func intOption(_ level: Int32, _ name: Int32) throws(Errno) -> Int32 {
    let bytes = try option(level, name)
    guard bytes.count >= 4 else { throw .invalid }
    return bytes.native(Int32.self, at: 0)
  }

  public func setOption(_ level: Int32, _ name: Int32, _ value: [UInt8]) throws(Errno) {
    let number = Int(rawValue)
    let result = value.withUnsafeBytes {
      cr_syscall(
        Int(SYS_setsockopt), number, Int(level), Int(name), Int(bitPattern: $0.baseAddress),
        $0.count, 0)
    }
    try checked(result)
  }

  public func setOption(_ level: Int32, _ name: Int32, _ value: Int32) throws(Errno) {
    try setOption(level, name, withUnsafeBytes(of: value) { Array($0) })
  }

  public func bind(_ address: [UInt8]) throws(Errno) { try call(Int(SYS_bind), address) }
  /// Never waits on a socket that does not block: EINPROGRESS, EAGAIN.
  public func connect(_ address: [UInt8]) throws(Errno) { try call(Int(SYS_connect), address) }

  private func call(_ call: Int, _ address: [UInt8]) throws(Errno) {
    let number = Int(rawValue)
    let result = address.withUnsafeBytes {
      cr_syscall(call, number, Int(bitPattern: $0.baseAddress), $0.count, 0, 0, 0)
    }
    try checked(result)
  }

  public func listen(backlog: UInt32) throws(Errno) {
    try checked(cr_syscall(Int(SYS_listen), Int(rawValue), Int(backlog), 0, 0, 0, 0))
  }

  public func accept() throws(Errno) -> FileDescriptor {
    try KernelObjects.made(
      cr_syscall(Int(SYS_accept4), Int(rawValue), 0, 0, Int(O_CLOEXEC), 0, 0))
  }

  /// SHUT_RD 0, SHUT_WR 1, SHUT_RDWR 2.
  public func shutDown(_ how: Int32) throws(Errno) {
    try checked(cr_syscall(Int(SYS_shutdown), Int(rawValue), Int(how), 0, 0, 0, 0))
  }

  /// sendto(2) without waiting and without SIGPIPE; to the peer if there is no address.
  public func send(_ bytes: ArraySlice<UInt8>, to address: [UInt8] = []) throws(Errno) -> Int {
    let number = Int(rawValue)
    let flags = Int(MSG_DONTWAIT | MSG_NOSIGNAL)
    let result = bytes.withUnsafeBytes { bytes in
      address.withUnsafeBytes { address in
        cr_syscall(
          Int(SYS_sendto), number, Int(bitPattern: bytes.baseAddress), bytes.count, flags,
          address.isEmpty ? 0 : Int(bitPattern: address.baseAddress), address.count)
      }
    }
    return try checked(result)
  }

  /// POLLERR: the next call would report an error. Looking does not take it away.
  public func hasError() throws(Errno) -> Bool { try pollEvents() & POLLERR != 0 }

  /// Which of POLLIN, POLLRDHUP (0x2000), POLLERR and POLLHUP are so at the moment.
  public func pollEvents() throws(Errno) -> Int32 {
    var entry = pollfd(fd: rawValue, events: Int16(POLLIN | 0x2000), revents: 0)
    var noTime = (0, 0)
    let result = withUnsafeMutablePointer(to: &entry) { entryPointer in
      withUnsafeMutablePointer(to: &noTime) { timePointer in
        cr_syscall(
          Int(SYS_ppoll), Int(bitPattern: entryPointer), 1, Int(bitPattern: timePointer), 0, 0, 0)
      }
    }
    try checked(result)
    return Int32(entry.revents)
  }

  /// Whether the mark of urgent data stands in what waits in a TCP connection, also when the byte itself was
  /// read already (MSG_OOB). Without SO_OOBINLINE the kernel counts, and shows, only what is before the
  /// mark; with it a look ends there, and is too short.
  public func hasUrgentMark() throws(Errno) -> Bool {
    if try ask(0x8905) != 0 { return true }  // SIOCATMARK
    if try intOption(SOL_SOCKET, SO_OOBINLINE) != 0 { return false }
    let count = try bytesWaiting()
    try setOption(SOL_SOCKET, SO_OOBINLINE, 1)
    defer { try? setOption(SOL_SOCKET, SO_OOBINLINE, 0) }
    return try bytesWaiting() != count
  }

  /// Bytes that were sent and that nobody has received yet (SIOCOUTQ).
  public func bytesUnderWay() throws(Errno) -> UInt32 {
    try ask(Int(CR_TIOCOUTQ))
  }

  /// ioctl(2) that answers with a number.
  private func ask(_ request: Int) throws(Errno) -> UInt32 {
    let number = Int(rawValue)
    let (_, bytes) = try bytesFilled(count: 4) { buffer in
      cr_syscall(Int(SYS_ioctl), number, request, buffer, 0, 0, 0)
    }
    return bytes.native(UInt32.self, at: 0)
  }
}

extension KernelObjects {
  /// socket(2); `type` without flags.
  public static func socket(
    family: Int32, type: Int32, protocol number: Int32
  ) throws(Errno) -> FileDescriptor {
    try made(
      cr_syscall(Int(SYS_socket), Int(family), Int(type | O_CLOEXEC), Int(number), 0, 0, 0))
  }

  /// socketpair(2) of AF_UNIX.
  public static func socketPair(type: Int32) throws(Errno) -> (Int32, Int32) {
    let (_, ends) = try bytesFilled(count: 8) { buffer in
      cr_syscall(Int(SYS_socketpair), Int(AF_UNIX), Int(type | O_CLOEXEC), 0, buffer, 0, 0)
    }
    return (ends.native(Int32.self, at: 0), ends.native(Int32.self, at: 4))
  }
}
