// SPDX-License-Identifier: Apache-2.0
import Linux

/// What the kernel will do with a system call that the stop interrupted.
///
/// The four codes are kernel-internal (include/linux/errno.h: 512, 513, 514, 516) and are visible
/// only to a tracer.
public enum InterruptedCall: Sendable {
  /// ERESTARTNOINTR, ERESTARTSYS, ERESTARTNOHAND: the same call is made again.
  case again
  /// ERESTART_RESTARTBLOCK: continued with restart_syscall(2) in the same process; its state lives
  /// in the kernel and is gone after a restart from a file.
  case withRestartBlock
}

/// How a thread is given back where setting its registers alone does not do: one last call, made with
/// the registers `before`, and at its end the registers `after` and one more regset.
public struct Farewell<State: Sendable>: Sendable {
  public var call: SystemCall
  public var before: State
  public var after: State
  public var set: (noteType: UInt32, bytes: [UInt8])
}

/// The questions that every processor answers. A backend computes and touches nothing.
public protocol Architecture: Sendable {
  static var machine: Machine { get }

  /// The number of a call on this processor; nil where the kernel has none.
  static func number(of name: SystemCallName) -> UInt64?

  /// The bytes of the instruction that enters the kernel.
  static var systemCallInstruction: [UInt8] { get }

  /// The same instruction, directly followed by a return to where `hang` says: any of these.
  static var returningSystemCalls: [[UInt8]] { get }
  /// Code of C libraries that makes the rt_sigreturn call: any of these.
  static var signalReturns: [[UInt8]] { get }

  /// Bytes for a stack whose top is `address`: its return address leads to `signalReturn` and from
  /// there back into exactly this state. nil if the state cannot be written so; without extended
  /// state (empty) the thread has a fresh one.
  func lifeline(
    at address: UInt64, signalReturn: UInt64, mask: UInt64, extendedState: [UInt8]
  ) -> [UInt8]?

  /// The same for a stop on the way to a lifeline that stands already, whose extended state the
  /// thread keeps. nil where a frame must hold that itself.
  func link(
    at address: UInt64, signalReturn: UInt64, mask: UInt64, toLifeline lifeline: UInt64
  ) -> [UInt8]?

  /// From the bytes of NT_PRSTATUS's pr_reg as PTRACE_GETREGSET gives them; nil if too short.
  init?(generalRegisters: [UInt8])
  /// The same layout back.
  var generalRegisters: [UInt8] { get }

  var programCounter: UInt64 { get set }
  var stackPointer: UInt64 { get set }

  /// Puts the stack at a lifeline, where the instruction behind a call finds its way to `signalReturn`.
  mutating func hang(on lifeline: UInt64, signalReturn: UInt64)

  /// Loads a call so that executing the instruction at `instruction` makes it.
  mutating func prepare(_ call: SystemCall, at instruction: UInt64)
  /// The result of the call just made.
  var outcome: Result<UInt64, Errno> { get }
  /// Makes the call that the thread is stopped in, or has just left, return `value`.
  mutating func setResult(_ value: Int64)

  /// Whether the registers alone do not tell if the thread stands at a call: then `stand` is asked, with as many bytes
  /// from the program counter on as `systemCallInstruction` has, before the questions below.
  var wantsInstruction: Bool { get }
  mutating func stand(at instruction: [UInt8])

  /// The system call the thread was in when it was stopped, if any: its number and arguments.
  var currentCall: SystemCall? { get }
  /// Whether that call was interrupted, and how the kernel would continue it.
  var interruptedCall: InterruptedCall? { get }
  /// Makes the interrupted call happen again from the start with its original arguments.
  mutating func repeatInterruptedCall()
  /// The same with other arguments, all of them.
  mutating func repeatInterruptedCall(with arguments: [UInt64])
  /// Whether the first argument of a call that has returned is out of a tracer's reach: then
  /// `hideInterruption` wants to be told where the thread slept before it was stopped.
  static var losesFirstArgument: Bool { get }
  /// Where the thread left an endless wait with EINTR for no other reason than that it was stopped
  /// (epoll_wait(2) and others, see signal(7)): makes that a call which the kernel makes again unless
  /// a handler runs (ERESTARTNOHAND).
  mutating func hideInterruption(of sleep: SleepingCall?)
  /// The call that restart_syscall(2), which the thread was interrupted in, goes on with.
  mutating func setNumber(ofInterruptedCall number: UInt64)
  /// Whether a thread that gets the registers of an interrupted call goes on in what the kernel itself remembers of
  /// the last call that it interrupted (its restart block), whatever the thread did since.
  static var resumesByRestartBlock: Bool { get }
  /// Makes the interrupted call return −EINTR, as after a handled signal.
  mutating func abandonInterruptedCall()

  /// What it takes to make a thread go on with these registers after calls that were made with
  /// `calling`; nil where it is enough to set them.
  func farewell(from calling: Self) -> Farewell<Self>?
  /// Where no tracer can tell the kernel what it interrupted: the thread makes its call again as the last one
  /// of all, by this number, and is interrupted again at once. nil where that is not needed.
  var callToMakeAgain: UInt64? { get }
  /// Behind that call: one that a stop ends with EINTR is one that the kernel makes again (`hideInterruption`).
  mutating func interruptAgain(after call: UInt64)
  /// Whether they must not be set at the stop behind a call that was made with `calling`, since the kernel has
  /// something to do with them there.
  func mustBeOutside(ofCallFrom calling: Self) -> Bool

  /// Regsets beyond the general one that a thread's state consists of: ELF note types (NT_*),
  /// in the order in which they must be set.
  static var extraRegisterSets: [UInt32] { get }
  /// Of these, those that a lifeline's extended state is, one behind the other: the first choice of which
  /// the thread has all.
  static var extendedStateSets: [[UInt32]] { get }
  /// The one of them that the kernel throws away when the thread makes a system call, if any.
  static var setDiscardedByCalls: UInt32? { get }
  /// Where a regset of one word has to be set by PTRACE_POKEUSER: the number of the word.
  static func userWord(of noteType: UInt32) -> UInt64?
  /// The call by which a thread sets one that ptrace(2) does not set.
  static func callSetting(_ noteType: UInt32) -> SystemCallName?
  /// An instruction that a new program executes once, so that the kernel counts the extended state
  /// among what a thread has; empty where it always does.
  static var wakingInstruction: [UInt8] { get }
}

extension Architecture {
  public mutating func hang(on lifeline: UInt64, signalReturn: UInt64) { stackPointer = lifeline }
  public var wantsInstruction: Bool { false }
  public mutating func stand(at instruction: [UInt8]) {}
  public func farewell(from calling: Self) -> Farewell<Self>? { nil }
  public var callToMakeAgain: UInt64? { nil }
  public mutating func interruptAgain(after call: UInt64) {}
  public func mustBeOutside(ofCallFrom calling: Self) -> Bool { false }
  public static func callSetting(_ noteType: UInt32) -> SystemCallName? { nil }
  public static var extendedStateSets: [[UInt32]] { [Array(extraRegisterSets.prefix(1))] }
  public static var setDiscardedByCalls: UInt32? { nil }
  public static func userWord(of noteType: UInt32) -> UInt64? { nil }
  public static var wakingInstruction: [UInt8] { [] }
  public static var losesFirstArgument: Bool { false }
}
