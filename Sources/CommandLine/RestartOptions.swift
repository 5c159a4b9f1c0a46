// SPDX-License-Identifier: Apache-2.0
import Linux
import Request

/// The command line of cr_restart.
public struct RestartOptions: Sendable {
  public enum Action: Sendable {
    case help
    case version
    case restart
  }

  public var action = Action.restart
  /// −1 quiet, 0, 1 for `--verbose`.
  public var verbosity = 0
  public var request = RestartRequest()
  public var source = Placement.file("")
  public var hooks = Hooks()
  /// Whether a later checkpoint leaves cr_restart itself out.
  public var omission = Omission.maybe
  public var detaches = false
  /// In namespaces of its own, where an ordinary user may choose ids.
  public var rootless = false
  /// Only look whether a restart would succeed.
  public var checksOnly = false
  public var engine = EngineChoice.automatic
  public var engineMessages = EngineMessages.error
  public var progress = ProgressMeter.When.auto
  public var isJSON = false
  /// Where libcr wants to hear of it.
  public var channel: RequestChannel?
  /// Why this command line is not accepted. The other fields still hold what was understood, since
  /// `--run-on-fail-args` is for just this case.
  public private(set) var rejection: ArgumentError?

  private var sources = 0

  public init(_ arguments: [ByteString]) {
    let parsed = Self.manual.parse(arguments)
    for occurrence in parsed.occurrences {
      guard let key = RestartKey(rawValue: occurrence.key) else { continue }
      do throws(ArgumentError) {
        try take(key, occurrence.argument)
      } catch {
        reject(error)
      }
      if action != .restart { return }
    }
    if !parsed.isValid { reject(.usage("")) }
    if parsed.operands.count > 1 { reject(.usage("more than one FILE was given")) }
    if let file = parsed.operands.first { place(.file(file)) }
    if sources == 0 { reject(.usage("no context file was given")) }
    if sources > 1 {
      reject(
        .refused(
          Failure(.invalid, "more than one context file was given: choose one of FILE, --file, --dir, --fd")))
    }
    if request.isLazy { checkLazy() }
  }

  private mutating func checkLazy() {
    if rootless {
      reject(
        .refused(
          Failure(
            .notSupported,
            "--lazy does not work with --rootless: the kernel wants CAP_SYS_PTRACE outside of all user "
              + "namespaces for it; leave one of the two out")))
    }
    if engine == .kernel {
      reject(
        .refused(
          Failure(.notSupported, "--lazy does not work with --engine=kernel: use --engine=user")))
    }
  }

  /// The first reason is the one that is told.
  private mutating func reject(_ error: ArgumentError) {
    if rejection == nil { rejection = error }
  }

  private mutating func place(_ placement: Placement) {
    source = placement
    sources += 1
  }

  private mutating func take(_ key: RestartKey, _ argument: ByteString?) throws(ArgumentError) {
    switch key {
    case .help: action = .help
    case .version: action = .version
    case .quiet: verbosity = -1
    case .verbose: verbosity = max(verbosity, 0) + 1
    case .file: place(.file(try OptionArgument.path(argument, of: "--file")))
    case .directory: place(.directory(try OptionArgument.path(argument, of: "--dir")))
    case .fd: place(.descriptor(try OptionArgument.descriptor(argument)))
    case .omitMaybe: omission = .maybe
    case .omitAlways: omission = .always
    case .omitNever: omission = .never
    case .relocate: try relocate(argument ?? "")
    case .kmsgNone: engineMessages = .none
    case .kmsgError: engineMessages = .error
    case .kmsgWarning: engineMessages = .warning
    case .engine: engine = try OptionArgument.engine(argument)
    case .detach: detaches = true
    case .check: checksOnly = true
    case .progress: progress = try OptionArgument.progress(argument)
    case .json: isJSON = true
    case .libcr:
      channel = RequestChannel(try OptionArgument.descriptor(argument))
      // The program becomes the parent of the job when we end.
      detaches = true
      verbosity = -1
    case .requester:
      request.requester = ProcessID(
        try OptionArgument.number(argument, of: "--requester", in: 1 ... .max, meaning: "a pid"))
    case .lazy: request.isLazy = true
    case .rootless: rootless = true
    default:
      if takeID(key) || takeHook(key, argument) { break }
      try takeSignal(key, argument)
    }
  }

  private mutating func takeID(_ key: RestartKey) -> Bool {
    switch key {
    case .pid: request.restoreProcessIDs = true
    case .noPid: request.restoreProcessIDs = false
    case .pgid: request.restoreGroups = true
    case .noPgid: request.restoreGroups = false
    case .sid: request.restoreSessions = true
    case .noSid: request.restoreSessions = false
    case .ipc: request.restoreSystemV = true
    case .noIPC: request.restoreSystemV = false
    case .groups: request.restoreControlGroups = true
    case .noGroups: request.restoreControlGroups = false
    case .clock: request.restoreClock = true
    default: return false
    }
    return true
  }

  private mutating func takeHook(_ key: RestartKey, _ command: ByteString?) -> Bool {
    switch key {
    case .onSuccess: hooks.onSuccess = command
    case .onArguments: hooks.onArguments = command
    case .onTemporary: hooks.onTemporary = command
    case .onEnvironment: hooks.onEnvironment = command
    case .onPermanent: hooks.onPermanent = command
    case .onFailure: hooks.setAllFailures(command)
    default: return false
    }
    return true
  }

  private mutating func takeSignal(
    _ key: RestartKey, _ argument: ByteString?
  ) throws(ArgumentError) {
    switch key {
    case .run: request.signal = 0
    case .signal: request.signal = try OptionArgument.signal(argument)
    case .stop: request.signal = NamedSignal.stop
    case .term: request.signal = NamedSignal.term
    case .abort: request.signal = NamedSignal.abort
    case .kill: request.signal = NamedSignal.kill
    case .cont: request.signal = NamedSignal.cont
    default: break
    }
  }

  private mutating func relocate(_ text: ByteString) throws(ArgumentError) {
    let relocation: Relocation
    do throws(Relocation.Fault) {
      relocation = try Relocation(parsing: text)
    } catch {
      switch error {
      case .notAPair:
        throw .usage("--relocate: '\(text)' is not OLDPATH=NEWPATH (write \\= for a = in a path)")
      case .badEscape: throw .usage("--relocate: '\(text)': only \\= and \\\\ are escapes")
      case .notAbsolute: throw .usage("--relocate: '\(text)': both paths must begin with /")
      }
    }
    if relocation.isIdentity { return }
    guard request.relocations.count < Relocation.limit else {
      throw .usage("--relocate: more than \(Relocation.limit) are not possible")
    }
    request.relocations.append(relocation)
  }
}
