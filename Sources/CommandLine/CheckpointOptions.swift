// SPDX-License-Identifier: Apache-2.0
import CLinux
import Linux
import Request

/// The command line of cr_checkpoint.
public struct CheckpointOptions: Sendable {
  public enum Action: Sendable {
    case help
    case version
    case checkpoint
  }

  public var action = Action.checkpoint
  /// −1 quiet, 0, or the number of `-v`.
  public var verbosity = 0
  public var request = CheckpointRequest(scope: .tree, target: 0)
  public var placement = Placement.file("")
  public var replacement = Replacement.atomic
  /// Wait until file and directory are on the disk.
  public var synchronizes = true
  public var compression = Compression()
  public var engine = EngineChoice.automatic
  public var engineMessages = EngineMessages.error
  public var progress = ProgressMeter.When.auto
  public var isJSON = false
  /// Only look whether a checkpoint would succeed.
  public var checksOnly = false
  /// Where libcr wants to hear of it.
  public var channel: RequestChannel?

  private var destinations = 0

  public init(_ arguments: [ByteString]) throws(ArgumentError) {
    let parsed = Self.manual.parse(arguments)
    for occurrence in parsed.occurrences {
      guard let key = CheckpointKey(rawValue: occurrence.key) else { continue }
      try take(key, occurrence.argument)
      if action != .checkpoint { return }
    }
    guard parsed.isValid else { throw .usage("") }
    guard parsed.operands.count == 1 else {
      throw .usage(parsed.operands.isEmpty ? "no ID was given" : "more than one ID was given")
    }
    request.target = try OptionArgument.number(
      parsed.operands[0], of: "ID", in: 1 ... .max, meaning: "a process, group or session id")
    guard destinations <= 1 else {
      throw .refused(
        Failure(.invalid, "more than one destination was given: choose one of --file, --fd, --cwd"))
    }
    if case .file(let path) = placement, path.isEmpty {
      placement = .file("context.\(request.target)")
    }
  }

  private mutating func take(
    _ key: CheckpointKey, _ argument: ByteString?
  ) throws(ArgumentError) {
    switch key {
    case .help: action = .help
    case .version: action = .version
    case .quiet: verbosity = -1
    case .verbose: verbosity = max(verbosity, 0) + 1
    case .tree: request.scope = .tree
    case .process: request.scope = .process
    case .group: request.scope = .group
    case .session: request.scope = .session
    case .time:
      request.timeLimit = UInt32(
        try OptionArgument.number(argument, of: "--time", in: 0 ... .max, meaning: "a time in seconds"))
    case .engine: engine = try OptionArgument.engine(argument)
    case .progress: progress = try OptionArgument.progress(argument)
    case .json: isJSON = true
    case .check: checksOnly = true
    case .prohibitSelf: request.prohibitsRequester = true
    case .libcr:
      channel = RequestChannel(try OptionArgument.descriptor(argument))
      // Between us and the program stands its helper, which is none of its processes.
      request.excluded.append(ProcessID(Int32(cr_syscall(Int(SYS_getppid), 0, 0, 0, 0, 0, 0))))
    case .requester:
      request.requester = ProcessID(
        try OptionArgument.number(argument, of: "--requester", in: 1 ... .max, meaning: "a pid"))
    case .kmsgNone: engineMessages = .none
    case .kmsgError: engineMessages = .error
    case .kmsgWarning: engineMessages = .warning
    case .ptracedError: request.tracedTargets = .error
    case .ptracedSkip: request.tracedTargets = .skip
    case .ptracedAllow: request.tracedTargets = .allow
    case .tcpClose: request.closesConnections = true
    case .requireLibcr: request.requiresLibrary = true
    case .skipUnsupported: request.skipsUnsupported = true
    case .ptracerError: request.tracingTargets = .error
    case .ptracerSkip: request.tracingTargets = .skip
    default:
      if takeSignal(key) || takeSavedFiles(key) { break }
      try takeDestination(key, argument)
    }
    if key == .signal { request.signal = try OptionArgument.signal(argument) }
  }

  private mutating func takeSignal(_ key: CheckpointKey) -> Bool {
    switch key {
    case .run: request.signal = 0
    case .stop: request.signal = NamedSignal.stop
    case .term: request.signal = NamedSignal.term
    case .abort: request.signal = NamedSignal.abort
    case .kill: request.signal = NamedSignal.kill
    case .cont: request.signal = NamedSignal.cont
    case .signal: break
    default: return false
    }
    return true
  }

  private mutating func takeSavedFiles(_ key: CheckpointKey) -> Bool {
    switch key {
    case .saveNone: request.savedFiles = []
    case .saveExe: request.savedFiles.insert(.executable)
    case .savePrivate: request.savedFiles.insert(.privately)
    case .saveShared: request.savedFiles.insert(.shared)
    case .saveAll: request.savedFiles = [.executable, .privately, .shared]
    default: return false
    }
    return true
  }

  private mutating func takeDestination(
    _ key: CheckpointKey, _ argument: ByteString?
  ) throws(ArgumentError) {
    switch key {
    case .file: place(.file(try OptionArgument.path(argument, of: "--file")))
    case .cwd: place(.file(""))
    case .fd: place(.descriptor(try OptionArgument.descriptor(argument)))
    case .atomic: replacement = .atomic
    case .clobber: replacement = .clobber
    case .noclobber: replacement = .noclobber
    case .backup: replacement = .backup(argument)
    case .sync: synchronizes = true
    case .nosync: synchronizes = false
    case .compress: compression.method = try OptionArgument.compression(argument)
    case .jobs:
      compression.threads = Int(
        try OptionArgument.number(argument, of: "--jobs", in: 1 ... 1024, meaning: "a number of threads"))
    default: try refuse(key, argument)
    }
  }

  private mutating func place(_ placement: Placement) {
    self.placement = placement
    destinations += 1
  }

  /// What is not built yet, unless it asks for what is done anyway.
  private mutating func refuse(
    _ key: CheckpointKey, _ argument: ByteString?
  ) throws(ArgumentError) {
    switch key {
    case .directory: throw .notBuilt("--dir", "use --file")
    case .tcpEstablished: throw .notBuilt("--tcp-established")
    case .live: throw .notBuilt("--live")
    case .incremental: throw .notBuilt("--incremental")
    default: break
    }
  }
}
