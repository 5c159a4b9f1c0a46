// SPDX-License-Identifier: Apache-2.0
import CLinux

/// A message that waits in a socket.
public struct WaitingMessage: Sendable {
  public var bytes: [UInt8]
  /// `struct sockaddr`; empty if the sender has no name.
  public var sender: [UInt8]
  /// Descriptors that travel with it (SCM_RIGHTS): ours now, to be closed by whoever asked.
  public var descriptors: [Int32]
  /// There are more, which we were not given.
  public var lacksDescriptors: Bool
  /// Who has sent it, where the socket tells (SO_PASSCRED).
  public var credentials: MessageCredentials?
}

/// SCM_CREDENTIALS: the process that has sent a message, its user and its group.
public struct MessageCredentials: Hashable, Sendable {
  public var process: ProcessID
  public var user: UInt32
  public var group: UInt32

  public init(process: ProcessID, user: UInt32, group: UInt32) {
    self.process = process
    self.user = user
    self.group = group
  }
}

extension DescriptorNumber {
  /// What waits, up to `count` bytes, without taking it; nil if nothing does.
  ///
  /// - Parameter packets: the socket keeps messages apart; a longer one is cut (EMSGSIZE).
  public func peek(_ count: Int, packets: Bool) throws(Errno) -> WaitingMessage? {
    let number = rawValue
    var message = cr_message()
    var result = 0
    let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
      result = cr_socket_peek(number, buffer.baseAddress, count, packets ? 1 : 0, &message)
      initialized = max(0, min(result, count))
    }
    if result == -Int(EAGAIN) { return nil }
    try checked(result)
    let sender = withUnsafeBytes(of: message.sender) { Array($0.prefix(Int(message.sender_size))) }
    let descriptors = withUnsafeBytes(of: message.descriptors) { numbers in
      (0 ..< Int(message.descriptor_count)).map {
        numbers.loadUnaligned(fromByteOffset: 4 * $0, as: Int32.self)
      }
    }
    if result > count {
      for descriptor in descriptors { DescriptorNumber(descriptor).close() }
      throw .messageTooLong
    }
    var waiting = WaitingMessage(
      bytes: bytes, sender: sender, descriptors: descriptors,
      lacksDescriptors: message.lacks_descriptors != 0)
    if message.has_credentials != 0 {
      waiting.credentials = MessageCredentials(
        process: ProcessID(message.process), user: message.user, group: message.group)
    }
    return waiting
  }

  /// How many bytes the messages of a stream have that fit into less than `count`, from SO_PEEK_OFF on.
  public func bytesOfWholeMessages(below count: Int) throws(Errno) -> Int {
    if count <= 1 { return 0 }
    let number = rawValue
    do throws(Errno) {
      return try bytesFilled(count: count - 1) { buffer in
        cr_socket_peek_whole(number, UnsafeMutableRawPointer(bitPattern: buffer), count - 1)
      }.0
    } catch {
      if error == .fault { return 0 }
      throw error
    }
  }

  /// sendmsg(2) without waiting and without SIGPIPE; to the peer if there is no address. How much
  /// was sent: what travels with it went with the first byte.
  public func send(
    _ bytes: ArraySlice<UInt8>, to address: [UInt8] = [], with descriptors: [DescriptorNumber],
    as credentials: MessageCredentials? = nil
  ) throws(Errno) -> Int {
    guard descriptors.count <= Int(CR_MAX_DESCRIPTORS), address.count <= 128 else {
      throw .messageTooLong
    }
    var message = cr_message()
    message.sender_size = UInt32(address.count)
    withUnsafeMutableBytes(of: &message.sender) { $0.copyBytes(from: address) }
    message.descriptor_count = Int32(descriptors.count)
    withUnsafeMutableBytes(of: &message.descriptors) { numbers in
      for (place, descriptor) in descriptors.enumerated() {
        numbers.storeBytes(of: descriptor.rawValue, toByteOffset: 4 * place, as: Int32.self)
      }
    }
    if let credentials {
      message.has_credentials = 1
      message.process = credentials.process.rawValue
      message.user = credentials.user
      message.group = credentials.group
    }
    let number = rawValue
    return try checked(
      bytes.withUnsafeBytes { cr_socket_send(number, $0.baseAddress, $0.count, &message) })
  }
}
