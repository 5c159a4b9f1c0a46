// SPDX-License-Identifier: Apache-2.0
import Linux
import Request

/// The command line of cr_run.
public struct RunOptions: Sendable {
  /// Which library the program is started with.
  public enum Role: Sendable {
    /// `libcr_run.so.0`: it can be checkpointed.
    case run
    /// `libcr_omit.so.0`: it, and what it starts, is left out of checkpoints.
    case omit
  }

  public enum Action: Sendable {
    case help
    case version
    case run
  }

  public var action = Action.run
  public var role = Role.run
  /// The program and its arguments.
  public var command: [ByteString] = []

  enum Key: Int32 {
    case help = 256
    case version, run, omit
  }

  public static let manual = Manual(
    tool: "cr_run", synopsis: "[--run|--omit] [--] COMMAND [ARG...]",
    summary: "Starts COMMAND so that it can take part in checkpoints.",
    notes: """
      COMMAND keeps this process id. Exit status: its own; 127 if not found, 126
      if it cannot be executed. Static or set-uid programs do not read LD_PRELOAD.
      """,
    stopsAtOperand: true,
    groups: OptionGroup(
      "Options",
      OptionRow("load libcr_run.so.0, to be checkpointed (default)", Option(Key.run.rawValue, nil, "run")),
      OptionRow("load libcr_omit.so.0, left out of checkpoints", Option(Key.omit.rawValue, nil, "omit")),
      OptionRow("print this and exit", Option(Key.help.rawValue, "?", "help")),
      OptionRow("print the version and exit", Option(Key.version.rawValue, nil, "version"))))

  public init(_ arguments: [ByteString]) throws(ArgumentError) {
    let parsed = Self.manual.parse(arguments)
    for occurrence in parsed.occurrences {
      switch Key(rawValue: occurrence.key) {
      case .help: action = .help
      case .version: action = .version
      case .run: role = .run
      case .omit: role = .omit
      case nil: break
      }
      if action != .run { return }
    }
    guard parsed.isValid else { throw .usage("") }
    guard !parsed.operands.isEmpty else { throw .usage("no command was given") }
    command = parsed.operands
  }
}
