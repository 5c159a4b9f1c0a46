// SPDX-License-Identifier: Apache-2.0
import Linux
import Request

/// The command line of cr_info.
public struct InfoOptions: Sendable {
  public enum Action: Sendable {
    case help
    case version
    /// What is available on this machine.
    case here
    /// What is in a file.
    case file(Placement)
  }

  public var action = Action.here
  public var showsMaps = false
  public var showsDescriptors = false
  public var showsThreads = false
  public var showsStacks = false
  /// Verify the checksums.
  public var checks = false
  public var json = false
  /// The process to extract as a core file, and where to; nil: `core.PID`.
  public var core: ProcessID?
  public var output: ByteString?
  public var verbosity = 0

  enum Key: Int32 {
    case help = 256
    case version, quiet, maps, descriptors, threads, stack, check, json, core, output, file, descriptor
    case directory
  }

  public static let manual = Manual(
    tool: "cr_info", synopsis: "[options] [FILE]",
    summary: "Tells what is in a context file, or without FILE what this machine offers.",
    notes: "Files of every architecture and byte order can be read on any machine.",
    groups: OptionGroup(
      "What to show of a file",
      OptionRow("the mappings of each process", Option(Key.maps.rawValue, nil, "maps")),
      OptionRow("the descriptors of each process", Option(Key.descriptors.rawValue, nil, "fds")),
      OptionRow("the threads of each process", Option(Key.threads.rawValue, nil, "threads")),
      OptionRow(
        "where each thread stood (needs eu-stack)", Option(Key.stack.rawValue, nil, "stack")),
      OptionRow("verify all checksums", Option(Key.check.rawValue, nil, "check")),
      OptionRow("everything, for programs", Option(Key.json.rawValue, nil, "json"))),
    OptionGroup(
      "What to do with it",
      OptionRow(
        "write process PID as an ELF core file",
        Option(Key.core.rawValue, nil, "core", argument: .required("PID"))),
      OptionRow(
        "its name; core.PID by default",
        Option(Key.output.rawValue, "o", "output", argument: .required("NAME")))),
    OptionGroup(
      "General",
      OptionRow(
        "read this context file",
        Option(Key.file.rawValue, "f", "file", argument: .required("FILE"))),
      OptionRow(
        "read the files of this directory, as FILE alone",
        Option(Key.directory.rawValue, "d", "dir", argument: .required("DIR"))),
      OptionRow(
        "read the context from a descriptor",
        Option(Key.descriptor.rawValue, "F", "fd", argument: .required("FD"))),
      OptionRow("no messages of our own", Option(Key.quiet.rawValue, "q", "quiet")),
      OptionRow("print this and exit", Option(Key.help.rawValue, "?", "help")),
      OptionRow("print the version and exit", Option(Key.version.rawValue, nil, "version"))))

  public init(_ arguments: [ByteString]) throws(ArgumentError) {
    let parsed = Self.manual.parse(arguments)
    var sources: [Placement] = []
    for occurrence in parsed.occurrences {
      if let source = try take(occurrence) { sources.append(source) }
      switch action {
      case .help, .version: return
      case .here, .file: break
      }
    }
    guard parsed.isValid else { throw .usage("") }
    sources += parsed.operands.map { .file($0) }
    guard sources.count <= 1 else { throw .usage("only one context file at a time") }
    if let source = sources.first { action = .file(source) }
    if case .here = action,
      core != nil || checks || showsMaps || showsDescriptors || showsThreads
        || showsStacks
    {
      throw .usage("which file?")
    }
    if showsStacks, json || core != nil { throw .usage("--stack goes with neither --json nor --core") }
    if output != nil, core == nil { throw .usage("--output goes with --core") }
  }

  private mutating func take(
    _ occurrence: ParsedArguments.Occurrence
  ) throws(ArgumentError) -> Placement? {
    switch Key(rawValue: occurrence.key) {
    case .help: action = .help
    case .version: action = .version
    case .quiet: verbosity = -1
    case .maps: showsMaps = true
    case .descriptors: showsDescriptors = true
    case .threads: showsThreads = true
    case .stack: showsStacks = true
    case .check: checks = true
    case .json: json = true
    case .core:
      core = ProcessID(
        try OptionArgument.number(
          occurrence.argument, of: "--core", in: 1 ... .max, meaning: "a process id"))
    case .output:
      output = try OptionArgument.path(occurrence.argument, of: "--output")
    case .file:
      return .file(try OptionArgument.path(occurrence.argument, of: "--file"))
    case .directory:
      return .directory(try OptionArgument.path(occurrence.argument, of: "--dir"))
    case .descriptor:
      return .descriptor(try OptionArgument.descriptor(occurrence.argument))
    case nil: break
    }
    return nil
  }
}
