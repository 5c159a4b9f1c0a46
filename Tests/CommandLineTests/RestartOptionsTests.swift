// SPDX-License-Identifier: Apache-2.0
import Linux
import Request
import Testing

@testable import CommandLine

extension CommandLineParsingTests {
  @Suite(.serialized) struct RestartOptionsTests {
    private func options(_ words: String) -> RestartOptions {
      RestartOptions(["cr_restart"] + words.split(separator: " ").map { ByteString(String($0)) })
    }

    private func status(_ words: String) -> Int32 {
      switch options(words).rejection {
      case nil: 0
      case .usage: 255
      case .refused(let failure): ExitStatus.of(failure.errno)
      }
    }

    @Test func `the defaults restore process ids and neither groups nor sessions`() {
      let options = options("file")
      #expect(options.rejection == nil)
      #expect(options.request.restoreProcessIDs)
      #expect(!options.request.restoreGroups)
      #expect(!options.request.restoreSessions)
      #expect(options.request.signal == 0)
      #expect(!options.detaches)
      if case .maybe = options.omission {} else { Issue.record("not maybe") }
    }

    @Test func `of an option and its opposite the last one wins`() {
      let options = options(
        "--no-restore-pid --restore-pid --restore-pgid --no-restore-sid --restore-sid --kill --run x")
      #expect(options.request.restoreProcessIDs)
      #expect(options.request.restoreGroups)
      #expect(options.request.restoreSessions)
      #expect(options.request.signal == 0)
    }

    @Test func `a short v is the version here`() {
      if case .version = options("-v").action {} else { Issue.record("not the version") }
    }

    @Test(arguments: ["", "a b", "--bogus a", "-S 0 a", "-F x", "--relocate=x a"])
    func `a malformed command line is a usage error`(words: String) {
      #expect(status(words) == 255)
    }

    @Test(arguments: ["a -f a", "-f a -F 3", "-f a -f b"])
    func `more than one context file is EINVAL`(words: String) { #expect(status(words) == 22) }

    @Test func `a check is asked for by name`() {
      #expect(RestartOptions(["cr_restart", "--check", "a"]).checksOnly)
      #expect(!RestartOptions(["cr_restart", "a"]).checksOnly)
    }

    @Test func `a restart without privilege is asked for by name`() {
      #expect(RestartOptions(["cr_restart", "--rootless", "a"]).rootless)
      #expect(!RestartOptions(["cr_restart", "a"]).rootless)
    }

    @Test func `a lazy restart is asked for by name`() {
      #expect(options("--lazy a").request.isLazy)
      #expect(!options("a").request.isLazy)
    }

    @Test(arguments: ["--lazy --rootless a", "--engine=kernel --lazy a"])
    func `a lazy restart where it does not work is refused and not ignored`(words: String) {
      #expect(status(words) == 95)
    }

    @Test func `hooks are known although the command line is wrong`() {
      let options = options("--bogus --run-on-fail-args=args -S 99 --run-on-fail-temp=temp")
      #expect(options.rejection != nil)
      #expect(options.hooks.command(for: .arguments) == "args")
      #expect(options.hooks.command(for: .temporary) == "temp")
      #expect(options.hooks.command(for: .permanent) == nil)
    }

    @Test func `run-on-failure is all four, and a later one of them counts`() {
      let hooks = options("--run-on-failure=all --run-on-fail-env=env x").hooks
      #expect(hooks.command(for: .arguments) == "all")
      #expect(hooks.command(for: .temporary) == "all")
      #expect(hooks.command(for: .environment) == "env")
      #expect(hooks.command(for: .permanent) == "all")
      #expect(hooks.onSuccess == nil)
    }

    @Test func `sixteen relocations are possible, one more is not, and identities do not count`() {
      let sixteen = (1 ... 16).map { "--relocate=/a\($0)=/b" }.joined(separator: " ")
      #expect(options("\(sixteen) --relocate=/same=/same/ x").rejection == nil)
      #expect(options("\(sixteen) x").request.relocations.count == 16)
      #expect(status("\(sixteen) --relocate=/c=/d x") == 255)
    }
  }

  @Suite(.serialized) struct RunOptionsTests {
    private func options(_ words: String) throws(ArgumentError) -> RunOptions {
      try RunOptions(["cr_run"] + words.split(separator: " ").map { ByteString(String($0)) })
    }

    @Test(arguments: ["sort --help -n", "-- sort --help -n", "--omit --run sort --help -n"])
    func `options behind the command are the command's`(words: String) throws {
      let options = try options(words)
      #expect(options.command == ["sort", "--help", "-n"])
      if case .run = options.role {} else { Issue.record("not run") }
    }

    @Test func `omit is an option of its own`() throws {
      if case .omit = try options("--omit x").role {} else { Issue.record("not omit") }
    }

    @Test func `a command is needed`() {
      #expect(throws: ArgumentError.self) { try options("--run") }
      #expect(throws: ArgumentError.self) { try options("--bogus x") }
    }
  }
}

@Suite struct HelpTests {
  private var manuals: [Manual] {
    [CheckpointOptions.manual, RestartOptions.manual, RunOptions.manual]
  }

  @Test func `no line is wider than a screen and no help is longer than one`() {
    for manual in manuals {
      let lines = manual.help.bytes.split(separator: 10, omittingEmptySubsequences: false)
      #expect(lines.count <= 60, "\(manual.tool)")
      for line in lines { #expect(line.count <= 84, "\(ByteString(line).text)") }
    }
  }

  @Test func `no two options share a name or a letter`() {
    for manual in manuals {
      var names: [String] = []
      for option in manual.options {
        names += option.names.map { "--\($0)" }
        if let letter = option.letter { names.append("-\(letter)") }
      }
      #expect(Set(names).count == names.count, "\(manual.tool)")
    }
  }
}
