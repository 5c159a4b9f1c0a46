// SPDX-License-Identifier: Apache-2.0

/// The options of cr_restart by the names they have in the program.
enum RestartKey: Int32 {
  case help = 256
  case version, verbose, quiet
  case file, fd, directory
  case run, signal, stop, term, abort, kill, cont
  case omitMaybe, omitAlways, omitNever
  case onSuccess, onArguments, onTemporary, onEnvironment, onPermanent, onFailure
  case relocate
  case pid, noPid, pgid, noPgid, sid, noSid, ipc, noIPC, groups, noGroups, clock
  case kmsgNone, kmsgError, kmsgWarning
  case engine, detach, progress, json
  case lazy, rootless, check
  case libcr, requester
}

private func option(
  _ key: RestartKey, _ letter: Unicode.Scalar? = nil, _ names: StaticString,
  _ argument: Option.Argument = .none
) -> Option { Option(key.rawValue, letter, names, argument: argument) }

extension RestartOptions {
  public static let manual = Manual(
    tool: "cr_restart", synopsis: "[options] [FILE]",
    summary: """
      Brings the processes of a context file back and stays as the parent of the first
      one: hands signals on to it and ends as it ends.
      """,
    notes: """
      Exit status: that of the restarted program; 255 for a wrong command line; if the
      restart failed, the low 8 bits of the error number (16: a process id is in use).
      """,
    groups: source, ids, afterwards, hooks, other, notBuilt)

  private static let source = OptionGroup(
    "Where from (one of)",
    OptionRow("this file, as FILE alone", option(.file, "f", "file", .required("FILE"))),
    OptionRow(
      "a directory that cr_checkpoint --dir has made",
      option(.directory, "d", "dir", .required("DIR"))),
    OptionRow("an open descriptor", option(.fd, "F", "fd", .required("FD"))),
    OptionRow(
      "a path, or leading directories, that moved;\nup to 16, the first that fits holds",
      option(.relocate, nil, "relocate", .required("OLD=NEW"))))

  private static let ids = OptionGroup(
    "Ids and surroundings",
    OptionRow(
      "the old process ids (default), or new ones",
      option(.pid, nil, "restore-pid"), option(.noPid, nil, "no-restore-pid")),
    OptionRow(
      "the old ids without privilege, in a namespace", option(.rootless, nil, "rootless")),
    OptionRow(
      "the old process groups, or ours (default)",
      option(.pgid, nil, "restore-pgid"), option(.noPgid, nil, "no-restore-pgid")),
    OptionRow(
      "the old sessions, or ours (default)",
      option(.sid, nil, "restore-sid"), option(.noSid, nil, "no-restore-sid")),
    OptionRow(
      "the old System V ids and keys (default), or new",
      option(.ipc, nil, "restore-ipc"), option(.noIPC, nil, "no-restore-ipc")),
    OptionRow(
      "control groups of its own (default), or ours",
      option(.groups, nil, "restore-cgroup"), option(.noGroups, nil, "no-restore-cgroup")),
    OptionRow(
      "clocks since boot go on where they stood", option(.clock, nil, "restore-clock")))

  private static let afterwards = OptionGroup(
    "Sent to the restarted processes (the last one given holds)",
    OptionRow("nothing: they run (default)", option(.run, nil, "run")),
    OptionRow("this signal", option(.signal, "S", "signal", .required("NUM"))),
    OptionRow(
      "the signal of that name",
      option(.stop, nil, "stop"), option(.term, nil, "term"), option(.abort, nil, "abort"),
      option(.kill, nil, "kill"), option(.cont, nil, "cont")))

  private static let hooks = OptionGroup(
    "Commands for /bin/sh; if one fails, its status is ours and nothing more is said",
    OptionRow("after the restart", option(.onSuccess, nil, "run-on-success", .required("CMD"))),
    OptionRow(
      "wrong arguments, no readable context file",
      option(.onArguments, nil, "run-on-fail-args", .required("CMD"))),
    OptionRow(
      "may go away by itself", option(.onTemporary, nil, "run-on-fail-temp", .required("CMD"))),
    OptionRow(
      "a person can mend it", option(.onEnvironment, nil, "run-on-fail-env", .required("CMD"))),
    OptionRow(
      "any other failure", option(.onPermanent, nil, "run-on-fail-perm", .required("CMD"))),
    OptionRow(
      "all four failures", option(.onFailure, nil, "run-on-failure", .required("CMD"))))

  private static let other = OptionGroup(
    "Other",
    OptionRow(
      "start nothing; tell all that stands in the way", option(.check, nil, "check")),
    OptionRow("print the process id and leave", option(.detach, nil, "detach")),
    OptionRow(
      "run at once; memory comes from the file meanwhile", option(.lazy, nil, "lazy")),
    OptionRow(
      "whether checkpoints leave out cr_restart itself:\n(default) if it is the target or an orphan",
      option(.omitMaybe, nil, "omit-maybe"), option(.omitAlways, nil, "omit-always"),
      option(.omitNever, nil, "omit-never")),
    OptionRow(
      "auto (default: user), user, kernel (the module)", option(.engine, nil, "engine", .required("WHICH"))),
    OptionRow(
      "auto (default), always, never", option(.progress, nil, "progress", .optional("WHEN"))),
    OptionRow("the result on stdout, for programs", option(.json, nil, "json")),
    OptionRow(
      "which messages of the engine are shown",
      option(.kmsgNone, nil, "kmsg-none"), option(.kmsgError, nil, "kmsg-error"),
      option(.kmsgWarning, nil, "kmsg-warning")),
    OptionRow("no messages of ours", option(.quiet, "q", "quiet")),
    OptionRow("tell the steps, with times", option(.verbose, nil, "verbose")),
    OptionRow("print this and exit", option(.help, "?", "help"), Option(RestartKey.help.rawValue, "h")),
    OptionRow("print the version and exit", option(.version, "v", "version")))

  /// Known, so that they are refused by name; and a name that BLCR did not tell of.
  private static let notBuilt = OptionGroup(
    "",
    OptionRow(
      "", option(.libcr, nil, "libcr", .required("FD")),
      option(.requester, nil, "requester", .required("PID")),
      Option(RestartKey.stop.rawValue, nil, "freeze")))
}
