// SPDX-License-Identifier: Apache-2.0
import CLinux

/// Signals of this process, taken one by one instead of by handlers.
public struct SignalQueue: Sendable {
  /// One signal that arrived (siginfo_t).
  public struct Arrival: Sendable {
    public var number: Int32
    /// si_code: SI_USER 0, SI_KERNEL 128, SI_QUEUE −1, SI_TKILL −6; CLD_* for SIGCHLD.
    public var code: Int32
    /// Who sent it; of SIGCHLD the child; 0 for the kernel.
    public var sender: ProcessID
    /// What sigqueue(3) gave along.
    public var value: Int

    public init(number: Int32, code: Int32, sender: ProcessID, value: Int = 0) {
      self.number = number
      self.code = code
      self.sender = sender
      self.value = value
    }
  }

  /// Bit n−1 for signal n.
  public let signals: UInt64
  /// What was held back before.
  public let before: UInt64

  /// Holds these signals back from now on, until they are taken or `stop()` is called.
  public init(holding signals: UInt64) {
    self.signals = signals
    var old: UInt64 = 0
    _ = cr_block_signals(signals, &old)
    before = old
  }

  /// Puts the mask back that was there before; what waits is delivered now.
  public func stop() { _ = cr_set_signal_mask(before) }

  /// The signals that this thread holds back now.
  public static var mask: UInt64 {
    var now: UInt64 = 0
    _ = cr_block_signals(0, &now)
    return now
  }

  /// The next signal; nil when `milliseconds` passed (negative: never) or the wait was disturbed.
  public func take(milliseconds: Int32 = -1) -> Arrival? {
    var signal = cr_signal()
    guard cr_take_signal(signals, milliseconds, &signal) == 0 else { return nil }
    return Arrival(
      number: signal.number, code: signal.code, sender: ProcessID(signal.sender),
      value: signal.value)
  }

  /// All that can be held back, but for some.
  public static func all(but some: Int32...) -> UInt64 {
    some.reduce(.max) { $0 & ~(1 << UInt64($1 - 1)) }
  }
}

extension ProcessID {
  /// kill(2); signal 0 asks only whether that would be allowed.
  public func send(_ signal: Int32) throws(Errno) {
    try checked(cr_syscall(Int(SYS_kill), Int(rawValue), Int(signal), 0, 0, 0, 0))
  }

  /// sigqueue(3): a signal with a value.
  public func send(_ signal: Int32, value: Int) throws(Errno) {
    try checked(Int(cr_queue_signal(rawValue, signal, value)))
  }

  /// getpgid(2).
  public func group() throws(Errno) -> ProcessID {
    ProcessID(Int32(try checked(cr_syscall(Int(SYS_getpgid), Int(rawValue), 0, 0, 0, 0, 0))))
  }

  /// setpgid(2) for this process.
  public static func joinGroup(_ group: ProcessID) throws(Errno) {
    _ = try checked(cr_syscall(Int(SYS_setpgid), 0, Int(group.rawValue), 0, 0, 0, 0))
  }

  /// getsid(2).
  public func session() throws(Errno) -> ProcessID {
    ProcessID(Int32(try checked(cr_syscall(Int(SYS_getsid), Int(rawValue), 0, 0, 0, 0, 0))))
  }

  /// This process.
  public static var own: ProcessID {
    ProcessID(Int32(cr_syscall(Int(SYS_getpid), 0, 0, 0, 0, 0, 0)))
  }

  /// Makes sure that this process leaves no core file, however it ends.
  public static func forbidOwnCore() { cr_forbid_core() }

  /// Lets this process wait for its children, also if it was started with SIGCHLD ignored, which
  /// makes them vanish unseen.
  public static func keepEndedChildren() { cr_set_signal_ignored(SIGCHLD, 0) }

  /// A write past RLIMIT_FSIZE, or into a pipe that nobody reads, is then an error (EFBIG, EPIPE) to
  /// be told and not the end of this process. Programs executed later inherit it.
  public static func survivesFailingWrites() {
    cr_set_signal_ignored(SIGXFSZ, 1)
    cr_set_signal_ignored(SIGPIPE, 1)
  }

  /// Has so many bytes of memory at hand before anybody is stopped, so that none has to be asked of
  /// the kernel while they are.
  public static func reservesMemory(_ bytes: Int) { cr_reserve_heap(UInt(bytes)) }

  /// Stops or ends this process as the signal does by default. Returns when it did neither (a stop
  /// in an orphaned process group), or after the process was continued.
  public static func suffer(_ signal: Int32) { cr_suffer_signal(signal) }
}

/// A user's wish to call off what is under way: SIGHUP, SIGINT, SIGQUIT or SIGTERM.
///
/// Asked for between steps. The second signal of a kind ends the process at once.
public enum Interrupt {
  public static func watch() { cr_note_interrupts() }
  /// Nil if nobody has asked.
  public static var signal: Int32? {
    let number = cr_interrupt_noted()
    return number == 0 ? nil : number
  }
}
