// SPDX-License-Identifier: Apache-2.0

/// The options of cr_checkpoint by the names they have in the program.
enum CheckpointKey: Int32 {
  case help = 256
  case version, verbose, quiet
  case tree, process, group, session
  case file, cwd, fd, directory
  case atomic, backup, clobber, noclobber, sync, nosync
  case run, signal, stop, term, abort, kill, cont
  case saveNone, saveExe, savePrivate, saveShared, saveAll
  case ptracedError, ptracedSkip, ptracedAllow, ptracerError, ptracerSkip
  case kmsgNone, kmsgError, kmsgWarning
  case time, engine, progress, json
  case compress, jobs, requireLibcr, skipUnsupported, tcpEstablished, tcpClose
  case check, live, incremental
  case libcr, requester, prohibitSelf
}

private func option(
  _ key: CheckpointKey, _ letter: Unicode.Scalar? = nil, _ names: StaticString,
  _ argument: Option.Argument = .none
) -> Option { Option(key.rawValue, letter, names, argument: argument) }

extension CheckpointOptions {
  public static let manual = Manual(
    tool: "cr_checkpoint", synopsis: "[options] ID",
    summary: "Saves running processes to a file from which cr_restart brings them back.",
    notes: """
      Exit status: 0 when the context file is complete, 255 for a wrong command line,
      else the low 8 bits of the error number. After any failure the processes run on
      as if never asked.
      """,
    groups: scope, destination, replacement, mappedFiles, afterwards, tracing, other, notBuilt,
    `private`)

  private static let scope = OptionGroup(
    "What ID is",
    OptionRow("a process, taken with its descendants (default)", option(.tree, "T", "tree")),
    OptionRow(
      "one process with all its threads",
      Option(CheckpointKey.process.rawValue, "p", "pid", "process")),
    OptionRow("a process group", Option(CheckpointKey.group.rawValue, "g", "pgid", "group")),
    OptionRow("a session", Option(CheckpointKey.session.rawValue, "s", "sid", "session")))

  private static let destination = OptionGroup(
    "Where to (one of)",
    OptionRow("context.ID in the working directory (default)", option(.cwd, "c", "cwd")),
    OptionRow("this file", option(.file, "f", "file", .required("FILE"))),
    OptionRow(
      "a new directory, with context.PID for each process",
      option(.directory, "d", "dir", .required("DIR"))),
    OptionRow("an open descriptor", option(.fd, "F", "fd", .required("FD"))))

  private static let replacement = OptionGroup(
    "An older file or directory of that name (the last one given holds)",
    OptionRow("stays until the new one is complete (default)", option(.atomic, nil, "atomic")),
    OptionRow(
      "and is kept as NAME, or as FILE.~1~, FILE.~2~...",
      option(.backup, nil, "backup", .optional("NAME"))),
    OptionRow("is overwritten in place", option(.clobber, nil, "clobber")),
    OptionRow("is an error, before anything is stopped", option(.noclobber, nil, "noclobber")),
    OptionRow(
      "wait for the disk (default), or do not",
      option(.sync, nil, "sync"), option(.nosync, nil, "nosync")),
    OptionRow(
      "zstd[:LEVEL], lz4 or none (default), by N threads",
      option(.compress, nil, "compress", .optional("HOW")),
      option(.jobs, nil, "jobs", .required("N"))))

  private static let mappedFiles = OptionGroup(
    "Mapped files saved too, so that a restart does not need them (these add up)",
    OptionRow(
      "the program file", option(.saveExe, nil, "save-exe")),
    OptionRow(
      "the program and its libraries", option(.savePrivate, nil, "save-private")),
    OptionRow(
      "files mapped for sharing, all, none (default)", option(.saveShared, nil, "save-shared"),
      option(.saveAll, nil, "save-all"), option(.saveNone, nil, "save-none")))

  private static let afterwards = OptionGroup(
    "Sent to the saved processes (the last one given holds)",
    OptionRow("nothing: they run on (default)", option(.run, nil, "run")),
    OptionRow("this signal", option(.signal, "S", "signal", .required("NUM"))),
    OptionRow(
      "the signal of that name",
      option(.stop, nil, "stop"), option(.term, nil, "term"), option(.abort, nil, "abort"),
      option(.kill, nil, "kill"), option(.cont, nil, "cont")))

  private static let tracing = OptionGroup(
    "Processes under a debugger, and debuggers",
    OptionRow(
      "a traced one: an error (default), left out, saved",
      option(.ptracedError, nil, "ptraced-error"), option(.ptracedSkip, nil, "ptraced-skip"),
      option(.ptracedAllow, nil, "ptraced-allow")),
    OptionRow(
      "a tracing one is an error (default), left out",
      option(.ptracerError, nil, "ptracer-error"), option(.ptracerSkip, nil, "ptracer-skip")))

  private static let other = OptionGroup(
    "Other",
    OptionRow(
      "leave out descriptors that cannot be carried",
      option(.skipUnsupported, nil, "skip-unsupported")),
    OptionRow(
      "keep or reset TCP connections out of the job",
      option(.tcpEstablished, nil, "tcp-established"), option(.tcpClose, nil, "tcp-close")),
    OptionRow(
      "a process that has not loaded libcr is an error",
      option(.requireLibcr, nil, "require-libcr")),
    OptionRow("stop nobody; tell all that stands in the way", option(.check, nil, "check")),
    OptionRow("give up after SEC seconds; 0 is never", option(.time, "t", "time", .required("SEC"))),
    OptionRow(
      "auto (default: user), user, kernel (the module)", option(.engine, nil, "engine", .required("WHICH"))),
    OptionRow(
      "auto (default), always, never", option(.progress, nil, "progress", .optional("WHEN"))),
    OptionRow("the result on stdout, for programs", option(.json, nil, "json")),
    OptionRow(
      "which messages of the engine are shown",
      option(.kmsgNone, nil, "kmsg-none"), option(.kmsgError, nil, "kmsg-error"),
      option(.kmsgWarning, nil, "kmsg-warning")),
    OptionRow(
      "no messages of ours, or the steps with times",
      option(.quiet, "q", "quiet"), option(.verbose, "v", "verbose")),
    OptionRow(
      "print this, or the version, and exit",
      option(.help, "?", "help"), Option(CheckpointKey.help.rawValue, "h"),
      option(.version, nil, "version")))

  /// What libcr adds when it starts the tool; not for people.
  private static let `private` = OptionGroup(
    "",
    OptionRow(
      "", option(.libcr, nil, "libcr", .required("FD")),
      option(.requester, nil, "requester", .required("PID")),
      option(.prohibitSelf, nil, "prohibit-self")))

  /// Known, so that they are refused by name (or accepted where they ask for what is done anyway).
  private static let notBuilt = OptionGroup(
    "",
    OptionRow(
      "", option(.live, nil, "live"),
      option(.incremental, nil, "incremental")))
}
