// SPDX-License-Identifier: Apache-2.0
import CLinux

/// How a terminal treats what goes through it: `struct termios2`, in the numbers of the kernel.
public struct TerminalSettings: Sendable {
  /// c_iflag, c_oflag, c_cflag, c_lflag.
  public var input: UInt32 = 0
  public var output: UInt32 = 0
  public var control: UInt32 = 0
  public var local: UInt32 = 0
  /// Bits per second.
  public var inputSpeed: UInt32 = 0
  public var outputSpeed: UInt32 = 0
  /// The line discipline; 0 is N_TTY.
  public var discipline: UInt8 = 0
  /// c_cc.
  public var characters: [UInt8] = []

  public init() {}

  init(_ settings: cr_terminal_settings) {
    input = settings.input
    output = settings.output
    control = settings.control
    local = settings.local
    inputSpeed = settings.input_speed
    outputSpeed = settings.output_speed
    discipline = settings.discipline
    characters = withUnsafeBytes(of: settings.characters) {
      Array($0.prefix(Int(settings.character_count)))
    }
  }

  var kernel: cr_terminal_settings {
    var settings = cr_terminal_settings()
    settings.input = input
    settings.output = output
    settings.control = control
    settings.local = local
    settings.input_speed = inputSpeed
    settings.output_speed = outputSpeed
    settings.discipline = discipline
    settings.character_count = UInt8(truncatingIfNeeded: characters.count)
    withUnsafeMutableBytes(of: &settings.characters) {
      for (index, byte) in characters.prefix($0.count).enumerated() { $0[index] = byte }
    }
    return settings
  }
}

/// `struct winsize`.
public struct WindowSize: Sendable {
  public var rows: UInt16 = 0
  public var columns: UInt16 = 0
  /// In pixels.
  public var width: UInt16 = 0
  public var height: UInt16 = 0

  public init() {}
}

/// A whole line of input that nobody has read.
public struct InputLine: Sendable {
  public var count: UInt32
  /// Ended by the end-of-file character, which is not among its bytes.
  public var isEndOfFile: Bool

  public init(count: UInt32, isEndOfFile: Bool) {
    self.count = count
    self.isEndOfFile = isEndOfFile
  }
}

/// What was written to one side of a pseudo-terminal and not read at the other.
public struct TerminalQueues: Sendable {
  /// What the slave can read: whole lines, and the unfinished one.
  public var input: [UInt8] = []
  /// Lengths of the whole lines; empty where the terminal keeps none (no ICANON).
  public var lines: [InputLine] = []
  /// Behind that, not looked at by the terminal yet for want of room.
  public var typed: [UInt8] = []
  /// What the master can read.
  public var output: [UInt8] = []
  /// Output is held: 0 not, 1 by a typed character (^S), 2 by tcflow(3).
  public var flow: UInt8 = 0
  /// TIOCPKT, and the TIOCPKT_* that the master was not told yet.
  public var hasPackets = false
  public var packetStatus: UInt8 = 0

  public init() {}

  public var isEmpty: Bool { input.isEmpty && lines.isEmpty && typed.isEmpty && output.isEmpty }

  /// Takes all that waits between a master and its slave, and puts it back at once.
  ///
  /// That is done by a process of its own, so that nothing is lost if this one is killed. `slave` is a
  /// descriptor of the slave for when no other one can be opened. `lost` counts bytes that could not
  /// be put back.
  public init(
    of master: DescriptorNumber, slave: DescriptorNumber?
  ) throws(Errno) {
    guard let queues = cr_pty_queues_new() else { throw .noMemory }
    defer { free(queues) }
    try checked(cr_pty_peek(master.rawValue, slave?.rawValue ?? -1, queues))
    if queues.pointee.lost > 0 { throw .io }
    input = Self.bytes(queues.pointee.input, queues.pointee.input_count)
    typed = Self.bytes(queues.pointee.typed, queues.pointee.typed_count)
    output = Self.bytes(queues.pointee.output, queues.pointee.output_count)
    for index in 0 ..< Int(queues.pointee.line_count) {
      let line = queues.pointee.lines[index]
      lines.append(
        InputLine(
          count: UInt32(line & ~UInt16(CR_PTY_LINE_END)),
          isEndOfFile: line & UInt16(CR_PTY_LINE_END) != 0))
    }
    flow = queues.pointee.flow
    hasPackets = queues.pointee.has_packets != 0
    packetStatus = queues.pointee.packet_status
  }

  private static func bytes(_ start: UnsafeMutablePointer<UInt8>, _ count: UInt32) -> [UInt8] {
    Array(UnsafeBufferPointer(start: start, count: Int(count)))
  }

  /// Fills the empty queues of a new pair, whose descriptors do not wait, and gives its slave these
  /// settings; how many bytes did not go in.
  public func fill(
    master: DescriptorNumber, slave: DescriptorNumber, _ settings: TerminalSettings
  ) throws(Errno) -> Int {
    guard let queues = cr_pty_queues_new() else { throw .noMemory }
    defer { free(queues) }
    var kernel = settings.kernel
    let room = Int(CR_PTY_INPUT)
    queues.pointee.input_count = Self.put(input, queues.pointee.input, room)
    queues.pointee.typed_count = Self.put(typed, queues.pointee.typed, Int(CR_PTY_BULK))
    queues.pointee.output_count = Self.put(output, queues.pointee.output, Int(CR_PTY_BULK))
    for line in lines.prefix(room) {
      let mark = line.isEndOfFile ? UInt16(CR_PTY_LINE_END) : 0
      queues.pointee.lines[Int(queues.pointee.line_count)] =
        UInt16(truncatingIfNeeded: line.count) & ~UInt16(CR_PTY_LINE_END) | mark
      queues.pointee.line_count += 1
    }
    queues.pointee.flow = flow
    queues.pointee.has_packets = hasPackets ? 1 : 0
    queues.pointee.packet_status = packetStatus
    cr_pty_fill(master.rawValue, slave.rawValue, &kernel, queues)
    return Int(queues.pointee.lost)
  }

  private static func put(
    _ bytes: [UInt8], _ start: UnsafeMutablePointer<UInt8>, _ room: Int
  ) -> UInt32 {
    for (index, byte) in bytes.prefix(room).enumerated() { start[index] = byte }
    return UInt32(min(bytes.count, room))
  }
}

extension KernelObjects {
  /// A new pseudo-terminal; its master.
  public static func pseudoTerminal() throws(Errno) -> FileDescriptor {
    try FileDescriptor(opening: "/dev/ptmx", flags: O_RDWR | O_NOCTTY)
  }
}

/// Calls on either side of a terminal; EIO for one that was hung up.
extension DescriptorNumber {
  public func terminalSettings() throws(Errno) -> TerminalSettings {
    var settings = cr_terminal_settings()
    try checked(cr_terminal_settings(rawValue, &settings))
    return TerminalSettings(settings)
  }

  public func windowSize() throws(Errno) -> WindowSize {
    var kernel = cr_window_size()
    try checked(cr_terminal_window(rawValue, &kernel))
    var size = WindowSize()
    size.rows = kernel.rows
    size.columns = kernel.columns
    size.width = kernel.width
    size.height = kernel.height
    return size
  }

  public func setWindowSize(_ size: WindowSize) throws(Errno) {
    var kernel = cr_window_size(
      rows: size.rows, columns: size.columns, width: size.width, height: size.height)
    try checked(cr_terminal_set_window(rawValue, &kernel))
  }

  /// The device that a terminal really is, also one that was opened as /dev/tty. Linux 2.6.39.
  public func terminalDevice() throws(Errno) -> UInt64 {
    var device: UInt64 = 0
    try checked(cr_terminal_device(rawValue, &device))
    return device
  }

  /// TIOCEXCL: nobody else may open it.
  public func isExclusive() throws(Errno) -> Bool {
    try checked(cr_terminal_exclusive(rawValue)) != 0
  }

  public func setExclusive() throws(Errno) { try checked(cr_terminal_set_exclusive(rawValue)) }

  /// The N of /dev/pts/N, of a master.
  public func pseudoTerminalNumber() throws(Errno) -> UInt32 {
    UInt32(try checked(cr_pty_number(rawValue)))
  }

  /// unlockpt(3) was not called for this master.
  public func isSlaveLocked() throws(Errno) -> Bool { try checked(cr_pty_locked(rawValue)) != 0 }

  public func setSlaveLocked(_ isLocked: Bool) throws(Errno) {
    try checked(cr_pty_set_locked(rawValue, isLocked ? 1 : 0))
  }

  /// TIOCPKT.
  public func hasTerminalPackets() throws(Errno) -> Bool {
    try checked(cr_pty_packets(rawValue)) != 0
  }

  /// Opens the slave of this master, whoever its file belongs to (TIOCGPTPEER, Linux 4.13).
  public func openSlave(flags: Int32) throws(Errno) -> FileDescriptor {
    try KernelObjects.made(Int(cr_pty_open_slave(rawValue, flags)))
  }
}
