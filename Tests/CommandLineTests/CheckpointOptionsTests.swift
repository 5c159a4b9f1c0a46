// SPDX-License-Identifier: Apache-2.0
import Linux
import Request
import Testing

@testable import CommandLine

/// getopt_long keeps its place in a static variable, so these run one after the other.
@Suite(.serialized) struct CommandLineParsingTests {}

extension CommandLineParsingTests {
  @Suite(.serialized) struct CheckpointOptionsTests {
    private func options(_ words: String) throws(ArgumentError) -> CheckpointOptions {
      try CheckpointOptions(["cr_checkpoint"] + words.split(separator: " ").map { ByteString(String($0)) })
    }

    /// The exit status that this command line ends with; 0 if it is accepted.
    private func status(_ words: String) -> Int32 {
      do throws(ArgumentError) {
        _ = try options(words)
        return 0
      } catch {
        switch error {
        case .usage: return 255
        case .refused(let failure): return ExitStatus.of(failure.errno)
        }
      }
    }

    private func file(_ options: CheckpointOptions) -> ByteString? {
      if case .file(let path) = options.placement { path } else { nil }
    }

    @Test func `the defaults are a tree, context ID here, atomically, synced, no signal`() throws {
      let options = try options("4711")
      #expect(options.request.scope == .tree)
      #expect(options.request.target == 4711)
      #expect(options.request.signal == 0)
      #expect(options.request.timeLimit == 0)
      #expect(file(options) == "context.4711")
      #expect(options.synchronizes)
      if case .atomic = options.replacement {} else { Issue.record("not atomic") }
    }

    @Test(arguments: [
      ("-T", Scope.tree), ("--tree", .tree), ("-p", .process), ("--pid", .process),
      ("--process", .process), ("-g", .group), ("--pgid", .group), ("--group", .group),
      ("-s", .session), ("--sid", .session), ("--session", .session), ("-p -g -T", .tree),
      ("--proc", .process),
    ])
    func `each name of a scope means it, and the last one wins`(words: String, scope: Scope) throws {
      #expect(try options("\(words) 1").request.scope == scope)
    }

    @Test func `a check is asked for by name`() throws {
      #expect(try options("--check 1").checksOnly)
      #expect(!(try options("1").checksOnly))
    }

    @Test(arguments: [
      ("--run", Int32(0)), ("--stop", 19), ("--term", 15), ("--abort", 6), ("--kill", 9),
      ("--cont", 18), ("-S 10", 10), ("--signal=64", 64), ("--kill --run", 0), ("-S3 --term", 15),
      ("--term -S 3", 3),
    ])
    func `the last signal wins`(words: String, signal: Int32) throws {
      #expect(try options("\(words) 1").request.signal == signal)
    }

    @Test(arguments: [
      "", "1 2", "x", "0", "-- -5", "99999999999", "1.5", "-S 0 1", "-S 65 1", "-S TERM 1", "-S",
      "-t -1 1", "-t x 1", "-F x 1", "-F -1 1", "--file= 1", "--engine=magic 1", "--bogus 1",
      "--progress=often 1", "-Z 1", "--s 1",
    ])
    func `a malformed command line is a usage error`(words: String) {
      #expect(status(words) == 255)
    }

    @Test(arguments: [
      "-f a -f b 1", "-f a -F 3 1", "-c -f a 1", "--cwd --cwd 1",
    ])
    func `more than one destination is EINVAL`(words: String) {
      #expect(status(words) == 22)
    }

    @Test(arguments: [
      "--live 1", "--incremental 1",
    ])
    func `what is not built is refused and not ignored`(words: String) {
      #expect(status(words) == 38)
    }

    @Test(
      arguments: [
        ("1", []), ("--save-exe 1", .executable), ("--save-private 1", .privately),
        ("--save-shared --save-exe 1", [.shared, .executable]), ("--save-all --save-none 1", []),
        ("--save-all --save-none --save-shared 1", .shared),
        ("--save-all 1", [.executable, .privately, .shared]),
      ] as [(String, SavedFiles)])
    func `kinds of files to be saved add up until none is said`(
      words: String, kinds: SavedFiles
    ) throws {
      #expect(try options(words).request.savedFiles == kinds)
    }

    @Test(arguments: [
      "--engine=auto 1", "--engine=user 1", "--compress=none 1", "--compress 1",
      "--compress=zstd:19 --jobs=2 1", "--compress=lz4 1", "--kmsg-error 1", "--kmsg-none 1",
      "--kmsg-warning 1",
      "--ptraced-error --ptracer-error 1", "--sync --atomic 1", "--progress 1",
      "--progress=never 1", "--json 1", "-qv 1", "-pvf x 1",
      "--skip-unsupported 1", "--tcp-close 1", "--tcp-established 1", "--require-libcr 1",
    ])
    func `what asks for what is done is accepted`(words: String) {
      #expect(status(words) == 0)
    }

    @Test func `options and operands may be mixed, and arguments joined`() throws {
      let options = try options("17 -fname --nosync --time 5 -vv")
      #expect(options.request.target == 17)
      #expect(file(options) == "name")
      #expect(!options.synchronizes)
      #expect(options.request.timeLimit == 5)
      #expect(options.verbosity == 2)
    }

    @Test func `backup may name the file, and a later policy takes it back`() throws {
      guard case .backup(let name) = try options("--backup=old 1").replacement else {
        Issue.record("no backup")
        return
      }
      #expect(name == "old")
      guard case .backup(nil) = try options("--clobber --backup 1").replacement else {
        Issue.record("no numbered backup")
        return
      }
      guard case .noclobber = try options("--backup --noclobber 1").replacement else {
        Issue.record("the last one did not win")
        return
      }
    }

    @Test(arguments: ["--help", "-?", "-h", "--he", "-q?", "--help --bogus"])
    func `help is help wherever it stands before an error`(words: String) throws {
      let options = try options(words)
      if case .help = options.action {} else { Issue.record("no help") }
    }
  }
}
