// SPDX-License-Identifier: Apache-2.0
import Linux

/// One option of a tool: its names, whether it takes an argument, and what it is called inside.
public struct Option: Sendable {
  public enum Argument: Sendable {
    case none
    /// `--name VALUE`; the word is shown in the help.
    case required(StaticString)
    /// `--name[=VALUE]`.
    case optional(StaticString)
  }

  /// Long names without dashes; the first one is shown.
  public var names: [StaticString]
  /// The short option's character.
  public var letter: Unicode.Scalar?
  public var argument: Argument
  /// The tool's own number for it, from 256 on: lower ones are letters to getopt_long.
  public var key: Int32

  public init(
    _ key: Int32, _ letter: Unicode.Scalar? = nil, _ names: StaticString...,
    argument: Argument = .none
  ) {
    self.key = key
    self.letter = letter
    self.names = names
    self.argument = argument
  }
}

/// Options that one line of the help tells about; without words they are not shown.
public struct OptionRow: Sendable {
  public var options: [Option]
  public var words: StaticString

  public init(_ words: StaticString, _ options: Option...) {
    self.words = words
    self.options = options
  }
}

/// Rows under one heading.
public struct OptionGroup: Sendable {
  public var title: StaticString
  public var rows: [OptionRow]

  public init(_ title: StaticString, _ rows: OptionRow...) {
    self.title = title
    self.rows = rows
  }
}

/// A tool as its user sees it: the one table that parsing, `--help` and usage are made from.
public struct Manual: Sendable {
  /// `cr_checkpoint`; messages start with it.
  public var tool: StaticString
  /// What follows the name in the usage: `[options] ID`.
  public var synopsis: StaticString
  public var summary: StaticString
  public var groups: [OptionGroup]
  public var notes: StaticString
  /// Options end at the first operand, which is somebody else's command line.
  public var stopsAtOperand: Bool

  public init(
    tool: StaticString, synopsis: StaticString, summary: StaticString, notes: StaticString = "",
    stopsAtOperand: Bool = false, groups: OptionGroup...
  ) {
    self.tool = tool
    self.synopsis = synopsis
    self.summary = summary
    self.notes = notes
    self.stopsAtOperand = stopsAtOperand
    self.groups = groups
  }

  public var options: [Option] { groups.flatMap { $0.rows.flatMap { $0.options } } }
}
