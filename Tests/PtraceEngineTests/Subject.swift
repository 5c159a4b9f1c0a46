// SPDX-License-Identifier: Apache-2.0
import CLinux
import Glibc
import Linux
import Testing

/// A running program for the engine to hold; killed at the end of its test.
final class Subject {
  let id: ProcessID
  private let output: Int32
  private var text: [UInt8] = []

  /// Tests/Subjects/engine_subject.c, compiled once per run of the tests.
  private static let program: String = {
    let here = #filePath.split(separator: "/").dropLast(2).joined(separator: "/")
    let program = "/tmp/cr-subject-\(getpid())"
    let command = "cc -O1 -pthread -o " + program + " '/" + here + "/Subjects/engine_subject.c'"
    let status = try? Invocation.run(command: ByteString(command), signalMask: 0)
    precondition(status?.rawValue == 0, "engine_subject.c does not compile")
    return program
  }()

  /// Starts the program and waits until it says "ready".
  convenience init(_ arguments: String...) throws { try self.init(path: Self.program, arguments) }

  init(path: String, _ arguments: [String], saysReady: Bool = true) throws {
    var ends: [Int32] = [0, 0]
    pipe2(&ends, O_CLOEXEC)
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    posix_spawn_file_actions_adddup2(&actions, ends[1], 1)
    // Threads of a dispatch queue block signals, and a program would inherit that.
    var attributes = posix_spawnattr_t()
    posix_spawnattr_init(&attributes)
    var none = sigset_t()
    posix_spawnattr_setsigmask(&attributes, &none)
    posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK))
    var words: [UnsafeMutablePointer<CChar>?] = ([path] + arguments).map { strdup($0) }
    words.append(nil)
    var number: pid_t = 0
    let failure = posix_spawn(&number, path, &actions, &attributes, words, Glibc.environ)
    close(ends[1])
    try #require(failure == 0)
    id = ProcessID(number)
    output = ends[0]
    if saysReady { #expect(line() == "ready") }
  }

  deinit {
    kill(id.rawValue, SIGKILL)
    var status: Int32 = 0
    waitpid(id.rawValue, &status, 0)
    close(output)
  }

  /// Where its output is expected to say only this.
  func says(_ line: String) -> Bool { self.line() == line }

  /// The next line that it prints; nil at its end or after ten seconds of silence.
  func line() -> String? {
    while true {
      if let end = text.firstIndex(of: UInt8(ascii: "\n")) {
        defer { text.removeSubrange(...end) }
        return String(decoding: text[..<end], as: UTF8.self)
      }
      var wait = pollfd(fd: output, events: Int16(POLLIN), revents: 0)
      guard poll(&wait, 1, 10_000) == 1 else { return nil }
      var buffer = [UInt8](repeating: 0, count: 4096)
      let count = read(output, &buffer, buffer.count)
      if count <= 0 { return nil }
      text += buffer[..<count]
    }
  }

  /// The state letters of all threads, as ps(1) shows them, without repetitions.
  var states: Set<Character> {
    let files = try? ProcessFiles(id)
    let tasks = (try? files?.numbers(in: "task")) ?? []
    return Set(
      tasks.compactMap { task in
        guard let stat = try? files?.read("task/\(task)/stat"),
          let close = stat.lastIndex(of: UInt8(ascii: ")"))
        else { return nil }
        return Character(UnicodeScalar(stat[close + 2]))
      })
  }

  func file(_ name: ByteString) throws -> String {
    String(decoding: try ProcessFiles(id).read(name), as: UTF8.self)
  }

  func status(_ field: String) throws -> String? {
    let line = try file("status").split(separator: "\n").first { $0.hasPrefix(field + ":") }
    return line.map { String($0.dropFirst(field.utf8.count + 1).drop { $0 == "\t" || $0 == " " }) }
  }

  /// Waits up to five seconds for something to become true.
  static func eventually(_ condition: () throws -> Bool) rethrows -> Bool {
    for _ in 0 ..< 500 {
      if try condition() { return true }
      usleep(10_000)
    }
    return false
  }
}

/// A copy of this process that runs `body` and then lives until it is killed.
func forked(_ body: () -> Void) -> pid_t {
  // Swift hides fork(2) because of programs with threads; the C library's takes care of malloc.
  typealias Fork = @convention(c) () -> pid_t
  let fork = unsafeBitCast(dlsym(nil, "fork"), to: Fork.self)
  let child = fork()
  if child == 0 {
    body()
    while true { pause() }
  }
  return child
}
