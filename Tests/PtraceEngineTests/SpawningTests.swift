// SPDX-License-Identifier: Apache-2.0
import CLinux
import Engine
import Glibc
import Linux
import Testing

@testable import PtraceEngine

@Suite(.serialized, .timeLimit(.minutes(2)), .enabled(if: geteuid() == 0))
struct `making processes` {
  /// A number that nobody has.
  private func freeID() throws -> ProcessID {
    for number in Int32.random(in: 20000 ..< 30000)... where kill(number, 0) != 0 {
      return ProcessID(number)
    }
    throw Errno.exists
  }

  private func request(_ id: ProcessID? = nil, below parent: ProcessID? = nil) -> SpawnRequest {
    var request = SpawnRequest(executable: "/bin/sleep")
    request.id = id
    request.parent = parent
    return request
  }

  @Test func `a process has the wanted id and program and has not begun`() throws {
    var engine = PtraceEngine()
    let id = try freeID()
    var wanted = request(id)
    wanted.newSession = true
    wanted.personality = 0x004_0000  // ADDR_NO_RANDOMIZE
    let process = try engine.spawn(wanted)
    defer { engine.kill(process) }
    #expect(process == id)
    let files = try ProcessFiles(process)
    #expect(try files.link("exe").text.hasSuffix("/sleep"))
    #expect(getsid(process.rawValue) == process.rawValue)
    #expect(String(decoding: try files.read("personality"), as: UTF8.self) == "00040000\n")
    // Nothing has been mapped but by the kernel: no C library yet.
    let names = MappedRegion.parse(try files.read("maps")).map { $0.name.text }
    #expect(!names.contains { $0.contains("libc") })
    #expect(try engine.call(.getpid, [], in: process.leader).get() == UInt64(id.rawValue))
  }

  @Test func `a descendant is its parent's child and begins as it should`() throws {
    var engine = PtraceEngine()
    let parent = try engine.spawn(request())
    let id = try freeID()
    let child = try engine.spawn(request(id, below: parent))
    #expect(child == id)
    let stat = try #require(ProcessStat(try ProcessFiles(child).read("stat")))
    #expect(stat.parent == parent)
    #expect(try engine.call(.getpid, [], in: child.leader).get() == UInt64(id.rawValue))
    #expect(try engine.signalMask(of: child.leader) == 0)
    engine.kill(child)
    engine.kill(parent)
  }

  @Test func `a taken id, a file that is no program and one without permission are told`() throws {
    var engine = PtraceEngine()
    let first = try engine.spawn(request())
    func refusal(_ request: SpawnRequest) -> Errno? {
      do throws(EngineError) {
        let made = try engine.spawn(request)
        engine.kill(made)
        return nil
      } catch { return error.errno }
    }
    for parent in [nil, first] {
      #expect(refusal(request(first, below: parent)) == .exists)
      var other = request(below: parent)
      other.executable = "/etc/passwd"
      #expect(refusal(other) == .accessDenied)
      other.executable = "/nowhere"
      #expect(refusal(other) == .noEntry)
    }
    engine.kill(first)
  }

  @Test func `threads have the wanted ids and are held`() throws {
    var engine = PtraceEngine()
    let process = try engine.spawn(request())
    defer { engine.kill(process) }
    _ = try engine.placeScratch(in: process, at: 0x7000_0000)
    let wanted = try freeID().rawValue
    let ids = (0 ..< 3).map { ThreadID(wanted + 2 * Int32($0)) }
    let made = try engine.spawnThreads(ids + [nil], in: process)
    #expect(Array(made[..<3]) == ids)
    #expect(engine.threads(of: process) == [process.leader] + made)
    try engine.callInEveryThread(of: process)
  }

  @Test func `calls go on when the program and the vdso are unmapped`() throws {
    var engine = PtraceEngine()
    let process = try engine.spawn(request())
    defer { engine.kill(process) }
    let scratch = try engine.placeScratch(in: process, at: 0x7000_0000)
    let top: UInt64 = 0x7fff_ffff_f000
    _ = try engine.call(.munmap, [4096, scratch.start - 4096], in: process.leader).get()
    let end = scratch.start + engine.scratchSpan
    _ = try engine.call(.munmap, [end, top - end], in: process.leader).get()
    #expect(MappedRegion.parse(try ProcessFiles(process).read("maps")).count <= 4)
    #expect(try engine.call(.getpid, [], in: process.leader).get() == UInt64(process.rawValue))
  }

  @Test func `a zombie ends as it is told to`() throws {
    var engine = PtraceEngine()
    let parent = try engine.spawn(request())
    var blank = request(below: parent)
    blank.executable = ""
    let zombie = try engine.spawn(blank)
    _ = try engine.call(.exitGroup, [7], in: zombie.leader)
    let status = String(decoding: try ProcessFiles(zombie).read("stat"), as: UTF8.self)
    #expect(status.contains(") Z \(parent.rawValue) "))
    #expect(status.hasSuffix(" \(7 << 8)\n"))
    engine.kill(parent)
  }

  @Test func `an ignored SIGTRAP stays ignored`() throws {
    var engine = PtraceEngine()
    let process = try engine.spawn(request())
    defer { engine.kill(process) }
    let scratch = try engine.scratch(in: process)
    // struct sigaction of the kernel: handler (SIG_IGN), flags, restorer, mask.
    try engine.write([1] + [UInt8](repeating: 0, count: 31), to: scratch.start, of: process)
    _ = try engine.call(
      .rtSigaction, [UInt64(SIGTRAP), scratch.start, 0, 8], in: process.leader
    ).get()
    for _ in 0 ..< 5 { _ = try engine.call(.getpid, [], in: process.leader).get() }
    #expect(
      ProcessStatus(try ProcessFiles(process).read("status")).ignoredSignals & 1 << 4 != 0)
  }

  @Test func `nothing half made outlives its maker`() throws {
    let id = try freeID()
    let maker = forked {
      var engine = PtraceEngine()
      guard let parent = try? engine.spawn(request(id)) else { return }
      _ = try? engine.spawn(request(below: parent))
      while true {
        pause()
        _ = engine.threads(of: parent)
      }
    }
    let children: ByteString = "/proc/\(id)/task/\(id)/children"
    #expect(
      Subject.eventually {
        (try? FileDescriptor(opening: children, flags: O_RDONLY).readToEnd())?.isEmpty == false
      })
    kill(maker, SIGKILL)
    var status: Int32 = 0
    waitpid(maker, &status, 0)
    #expect(Subject.eventually { kill(id.rawValue, 0) != 0 || isZombie(id) })
  }

  private func isZombie(_ process: ProcessID) -> Bool {
    (try? ProcessFiles(process).read("stat")).map { TaskLife(stat: $0) == .dead } ?? true
  }
}
