// SPDX-License-Identifier: Apache-2.0
import Architecture
import Foundation
import Linux
import Request
import Snapshot
import Testing

@testable import ContextFile

/// Runs a program; its output, its error output and its exit status.
func run(_ path: String, _ arguments: [String]) throws -> (String, String, Int32) {
  let process = Foundation.Process()
  process.executableURL = URL(fileURLWithPath: path)
  process.arguments = arguments
  var environment = ProcessInfo.processInfo.environment
  environment["LC_ALL"] = "C"
  process.environment = environment
  let (output, errors) = (Pipe(), Pipe())
  process.standardOutput = output
  process.standardError = errors
  process.standardInput = FileHandle.nullDevice
  try process.run()
  // Small enough for the pipe's buffer.
  let text = output.fileHandleForReading.readDataToEndOfFile()
  let complaint = errors.fileHandleForReading.readDataToEndOfFile()
  process.waitUntilExit()
  return (
    String(decoding: text, as: UTF8.self), String(decoding: complaint, as: UTF8.self),
    process.terminationStatus
  )
}

/// What other people's tools make of a context file, which is an ELF core file to them.
struct ToolTests {
  private func sampleFile(_ machine: Machine, in folder: Folder) throws -> (String, Snapshot) {
    var sample = Sample(machine)
    var snapshot = sample.snapshot()
    let path = folder.file("context")
    var destination = try Destination(
      .file(ByteString(path)), .atomic, isSynchronous: false)
    try destination.reserve(Layout(planning: &snapshot))
    try write(&snapshot, to: destination.part(0).file)
    try destination.commit()
    return (path, snapshot)
  }

  @Test(arguments: machines)
  func `readelf has nothing to complain about`(machine: Machine) throws {
    let folder = try Folder()
    let (path, _) = try sampleFile(machine, in: folder)
    // All of -a but -u, which fails on any ARM file without sections (binutils 2.40).
    let (text, complaint, status) = try run(
      "/usr/bin/readelf", ["-W", "-h", "-l", "-n", "-S", "-s", "-g", "-r", "-d", "-V", "-A", "-I", path])
    #expect(status == 0)
    #expect(complaint == "")
    #expect(text.contains("CORE (Core file)"))
    #expect(text.contains("NT_PRSTATUS"))
    #expect(text.contains("NT_FILE"))
    // This build of readelf decodes the file table of 32-bit cores only (Debian 12's does not know
    // 64-bit ones, of the kernel's own making either); gdb's view of it is tested below.
    if machine.wordSize == .bits32 { #expect(text.contains("/bin/a b")) }
  }

  @Test func `readelf has nothing to complain about with PN_XNUM`() throws {
    let folder = try Folder()
    var sample = Sample(.x86_64)
    var snapshot = sample.snapshot()
    snapshot.processes[0].memory.regions.append(manyRuns(70_000))
    let path = folder.file("context")
    let file = try FileDescriptor(
      opening: ByteString(path), flags: 0o102, mode: 0o600)
    try write(&snapshot, to: file, filled: false)
    let (text, complaint, status) = try run("/usr/bin/readelf", ["-h", "-l", "-W", path])
    #expect(status == 0)
    #expect(complaint == "")
    // 70000 runs, what lies around them, and PT_NOTE.
    #expect(text.contains("(70011)"), "\(text.prefix(1200).suffix(500))")
  }

  @Test func `gdb sees threads, memory and shared memory`() throws {
    let folder = try Folder()
    let (path, snapshot) = try sampleFile(.x86_64, in: folder)
    let heap = snapshot.processes[0].memory.regions[1].contents[0]
    let shared = snapshot.processes[0].memory.regions[2]
    // The region begins at the second page of the object.
    let sharedOffset = snapshot.sharedMemories[0].contents[0].fileOffset + 4096
    let (text, _, status) = try run(
      "/usr/bin/gdb",
      [
        "-nx", "-batch", "-ex", "core-file \(path)", "-ex", "info threads", "-ex",
        "x/2xb \(heap.position)", "-ex", "x/2xb \(shared.range.start)", "-ex", "p/x $rip",
        "-ex", "p $mxcsr", "-ex", "info proc mappings",
      ])
    #expect(status == 0)
    #expect(text.contains("LWP 4711"))
    #expect(text.contains("LWP 4712"))
    // Each once: gdb took our own header for a mapped program's, and found all threads again.
    #expect(text.contains("* 1 ") && text.contains("  2 ") && !text.contains("  3 "))
    #expect(text.contains(filledBytes(heap.fileOffset)))
    #expect(text.contains(filledBytes(sharedOffset)))
    #expect(text.contains("/bin/a b"))
    #expect(!text.contains("Cannot access"))
  }

  @Test func `a process taken out of a tree is a core file with all memory that it saw`() throws {
    let folder = try Folder()
    let (path, snapshot) = try sampleFile(.x86_64, in: folder)
    let core = folder.file("core")
    // The child, whose memory is the root's.
    let file = try FileDescriptor(opening: ByteString(core), flags: 0o102, mode: 0o600)
    try Reader(.file(ByteString(path))).extractCore(of: ProcessID(4800), to: file)
    let (notes, complaint, status) = try run("/usr/bin/readelf", ["-n", "-l", "-W", core])
    #expect(status == 0 && complaint == "")
    #expect(notes.contains("NT_PRSTATUS") && !notes.contains("BLCR"))
    let heap = snapshot.processes[0].memory.regions[1].contents[1]
    let shared = snapshot.processes[0].memory.regions[2]
    let (text, words, _) = try run(
      "/usr/bin/gdb",
      [
        "-nx", "-batch", "-ex", "core-file \(core)", "-ex", "info threads", "-ex",
        "x/2xb \(heap.position)", "-ex", "x/2xb \(shared.range.start)",
      ])
    #expect(text.contains("LWP 4800") && !text.contains("LWP 4711"), "\(words)")
    #expect(text.contains(filledBytes(heap.fileOffset)))
    #expect(text.contains(filledBytes(snapshot.sharedMemories[0].contents[0].fileOffset + 4096)))
    let gone = failure {
      try Reader(.file(ByteString(path))).extractCore(of: ProcessID(1), to: file)
    }
    #expect(gone?.errno == .noProcess)
  }

  @Test(
    .enabled(
      if: FileManager.default.isExecutableFile(atPath: "/usr/bin/eu-readelf"),
      "elfutils is not installed"))
  func `elfutils understands registers and files`() throws {
    let folder = try Folder()
    for machine in machines {
      let (path, _) = try sampleFile(machine, in: folder)
      let (text, complaint, status) = try run("/usr/bin/eu-readelf", ["-n", "-l", path])
      #expect(status == 0)
      #expect(complaint == "")
      #expect(text.contains("pid: 4711, ppid: 1, pgrp: 7, sid: 8"))
      #expect(text.contains("pid: 4712"))
      #expect(text.contains("fname: compute, psargs: compute --long"))
      #expect(text.contains("/bin/a b"))
      #expect(text.contains("PRSTATUS") && text.contains("FPREGSET"))
    }
  }

  /// Two bytes of the made-up contents as gdb prints them.
  private func filledBytes(_ offset: UInt64) -> String {
    [filling(offset), filling(offset + 1)].map { byte in
      "0x" + (byte < 16 ? "0" : "") + String(byte, radix: 16)
    }.joined(separator: "\t")
  }

  @Test(arguments: machines)
  func `file(1) with our magic says what it is`(machine: Machine) throws {
    let folder = try Folder()
    let (path, _) = try sampleFile(machine, in: folder)
    let name = GoldenTests.names.first { $0.0 == machine }!.1
    let magic = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .deletingLastPathComponent().deletingLastPathComponent()
      .appendingPathComponent("contrib/blcr.magic").path
    let (text, complaint, status) = try run("/usr/bin/file", ["-m", magic, path])
    #expect(status == 0)
    #expect(complaint == "")
    let version = "\(Format.majorVersion).\(Format.minorVersion)"
    #expect(text.contains("BLCR context file, for \(name), format \(version)"))
    #expect(text.contains("3 processes, root 4711"))
  }
}

/// A region with many runs of one page.
func manyRuns(_ count: UInt64) -> Region {
  let base: UInt64 = 0x7000_0000_0000
  var region = Region(
    range: MemoryRange(start: base, count: count * 2 * 4096), protection: 3, isShared: false,
    backing: .anonymous)
  region.contents = (0 ..< count).map { Extent(position: base + $0 * 8192, count: 4096) }
  return region
}
