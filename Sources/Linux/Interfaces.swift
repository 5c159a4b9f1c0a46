// SPDX-License-Identifier: Apache-2.0
import CLinux

/// Network interfaces by name and index (netdevice(7)), as the network of a socket has them.
extension DescriptorNumber {
  /// ENODEV if there is none.
  public func interfaceName(_ index: UInt32) throws(Errno) -> ByteString {
    // struct ifreq: the name in 16 bytes, and the index; SIOCGIFNAME.
    var request = [UInt8](repeating: 0, count: 40)
    withUnsafeBytes(of: index) { for (place, byte) in $0.enumerated() { request[16 + place] = byte } }
    return ByteString(try asked(0x8910, request).prefix(16).prefix { $0 != 0 })
  }

  public func interfaceIndex(_ name: ByteString) throws(Errno) -> UInt32 {
    var request = [UInt8](repeating: 0, count: 40)
    for (place, byte) in name.bytes.prefix(15).enumerated() { request[place] = byte }
    // SIOCGIFINDEX.
    return try asked(0x8933, request).native(UInt32.self, at: 16)
  }

  private func asked(_ question: Int, _ request: [UInt8]) throws(Errno) -> [UInt8] {
    var request = request
    let number = Int(rawValue)
    let result = request.withUnsafeMutableBytes {
      cr_syscall(Int(SYS_ioctl), number, question, Int(bitPattern: $0.baseAddress), 0, 0, 0)
    }
    try checked(result)
    return request
  }
}
