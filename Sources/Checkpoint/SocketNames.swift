// SPDX-License-Identifier: Apache-2.0
import Linux

/// Says for a person which socket a descriptor is, from the tables in /proc/PID/net.
enum SocketNames {
  /// `TCP 127.0.0.1:80 to 127.0.0.1:4711`, `UNIX /run/x`, or `inode 12` if no table has it.
  static func describe(_ seen: SeenDescriptor) -> ByteString {
    let inode = seen.status.inode
    guard let files = try? ProcessFiles(seen.reach) else { return "inode \(inode)" }
    let tables: [(StaticString, StaticString)] = [
      ("tcp", "TCP"), ("tcp6", "TCP"), ("udp", "UDP"), ("udp6", "UDP"), ("raw", "RAW"),
    ]
    for (table, name) in tables {
      guard let text = try? files.read("net/\(table)") else { continue }
      if let words = internet(text, inode) { return "\(name) " + words }
    }
    if let text = try? files.read("net/unix"), let words = local(text, inode) { return words }
    return "inode \(inode)"
  }

  /// `process 12 (name)`, whoever has the socket with this inode open; as far as we may look.
  static func holder(of inode: UInt32) -> ByteString {
    let link: ByteString = "socket:[\(inode)]"
    for process in (try? allProcesses()) ?? [] {
      guard let files = try? ProcessFiles(process),
        let numbers = try? files.numbers(in: "fd")
      else { continue }
      for number in numbers where (try? files.link("fd/\(number)")) == link {
        let name = ProcessStat(of: process)?.name ?? ""
        return "process \(process) (\(name))"
      }
    }
    return "another process"
  }

  /// Likewise, of those that are not in the job; nil if there is none.
  static func holder(of inode: UInt64, besides job: Set<Int32>) -> ByteString? {
    let link: ByteString = "socket:[\(inode)]"
    for process in (try? allProcesses()) ?? []
    where !job.contains(process.rawValue) && process != ProcessID.own {
      guard let files = try? ProcessFiles(process), let numbers = try? files.numbers(in: "fd"),
        numbers.contains(where: { (try? files.link("fd/\($0)")) == link })
      else { continue }
      return "process \(process) (\(ProcessStat(of: process)?.name ?? ""))"
    }
    return nil
  }

  /// A line is `sl local:port remote:port st tx:rx tr:when retransmits uid timeout inode`.
  static func internet(_ text: [UInt8], _ inode: UInt64) -> ByteString? {
    var scanner = TextScanner(text)
    scanner.skipLine()
    while !scanner.isAtEnd {
      _ = scanner.word()
      let local = scanner.word()
      let remote = scanner.word()
      for _ in 0 ..< 6 { _ = scanner.word() }
      if scanner.number() == inode {
        guard let near = address(local), let far = address(remote) else { return nil }
        return remote.hasSuffix(":0000") ? near : near + " to " + far
      }
      scanner.skipLine()
    }
    return nil
  }

  /// A line is `num: refs protocol flags type state inode [path]`.
  static func local(_ text: [UInt8], _ inode: UInt64) -> ByteString? {
    var scanner = TextScanner(text)
    scanner.skipLine()
    while !scanner.isAtEnd {
      for _ in 0 ..< 6 { _ = scanner.word() }
      if scanner.number() == inode {
        let path = scanner.word()
        return path.isEmpty ? "UNIX, unnamed" : "UNIX " + path
      }
      scanner.skipLine()
    }
    return nil
  }

  /// `0100007F:0050` is 127.0.0.1:80: words of this machine's byte order that hold network order.
  static func address(_ text: ByteString) -> ByteString? {
    guard let colon = text.bytes.firstIndex(of: UInt8(ascii: ":")), colon % 8 == 0 else {
      return nil
    }
    var port = TextScanner(Array(text.bytes[(colon + 1)...]))
    let portNumber = port.number(radix: 16)
    var bytes: [UInt8] = []
    for start in stride(from: 0, to: colon, by: 8) {
      var word = TextScanner(Array(text.bytes[start ..< start + 8]))
      let value = UInt32(truncatingIfNeeded: word.number(radix: 16))
      withUnsafeBytes(of: value) { bytes.append(contentsOf: $0) }
    }
    if bytes.count == 4 { return "\(bytes[0]).\(bytes[1]).\(bytes[2]).\(bytes[3]):\(portNumber)" }
    var result: ByteString = "["
    for index in stride(from: 0, to: bytes.count, by: 2) {
      if index > 0 { result += ":" }
      result += "\(hex: UInt16(bytes[index]) << 8 | UInt16(bytes[index + 1]))"
    }
    return result + "]:\(portNumber)"
  }
}
