// SPDX-License-Identifier: Apache-2.0
import Linux

/// A pseudo-terminal whose master the job has open; all that belongs to the pair is here.
public struct PseudoTerminal: Sendable {
  /// Whether its slave is open anywhere.
  public enum SlaveState: UInt32, Sendable {
    /// It never was: the master waits.
    case unopened = 0
    case open = 1
    /// It was: the master finds the end behind what waits for it.
    case closed = 2
  }

  /// By which the master was opened: /dev/ptmx or /dev/pts/ptmx.
  public var path: ByteString
  /// The N of /dev/pts/N.
  public var number: UInt32
  public var slaveState = SlaveState.open
  /// unlockpt(3) was not called yet.
  public var isLocked = false
  /// TIOCEXCL of the slave.
  public var isExclusive = false
  public var window = WindowSize()
  public var settings = TerminalSettings()
  public var queues = TerminalQueues()
  /// Of /dev/pts/N.
  public var mode: UInt32 = 0
  public var user: UInt32 = 0
  public var group: UInt32 = 0

  public init(path: ByteString, number: UInt32) {
    self.path = path
    self.number = number
  }

  /// st_rdev of its slave.
  public var device: UInt64 { Self.device(number) }

  /// Linux gives all of them one major number (include/uapi/linux/major.h, UNIX98_PTY_SLAVE_MAJOR).
  public static func device(_ number: UInt32) -> UInt64 {
    deviceNumber(major: 136, minor: number)
  }
}

/// An open slave of a pseudo-terminal of the job, or of one that is gone.
public struct TerminalSlave: Sendable {
  /// /dev/pts/N, or /dev/tty.
  public var path: ByteString
  /// The N of /dev/pts/N.
  public var number: UInt32
  /// Its master was closed (or vhangup(2) was called): nothing comes and nothing goes any more.
  public var isHungUp: Bool

  public init(path: ByteString, number: UInt32, isHungUp: Bool) {
    self.path = path
    self.number = number
    self.isHungUp = isHungUp
  }
}
