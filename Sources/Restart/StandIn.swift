// SPDX-License-Identifier: Apache-2.0
import Architecture
import CLinux
import ContextFile
import Linux
import Snapshot

extension Snapshot {
  /// Lets programs do without their files where all of their code is in the context file
  /// (cr_checkpoint --save-exe, or a file that was deleted): a process begins as some program, whose
  /// memory is then replaced, and that program may as well be ours.
  mutating func standInForMissingPrograms() {
    var ours = FileIdentity(path: "/proc/\(ProcessID.own)/exe")
    guard let status = try? FileStatus.of(ours.path) else { return }
    ours.size = status.size
    ours.modified = TimeValue(
      seconds: status.modifiedSeconds, nanoseconds: status.modifiedNanoseconds)
    for index in processes.indices {
      let process = processes[index]
      if process.executable.isUnchanged || process.hasMappedByName(process.executable.path) {
        continue
      }
      processes[index].executable = process.machine.smallProgram.flatMap { small($0) } ?? ours
    }
  }
}

/// A program that is nowhere but in our memory, and open until we end.
private func small(_ program: [UInt8]) -> FileIdentity? {
  guard let file = try? FileDescriptor(inMemoryNamed: "program"),
    (try? DescriptorNumber(file.number).write(program[...])) != nil
  else { return nil }
  var identity = FileIdentity(path: "/proc/\(ProcessID.own)/fd/\(file.disown())")
  guard let status = try? FileStatus.of(identity.path) else { return nil }
  identity.size = status.size
  identity.modified = TimeValue(
    seconds: status.modifiedSeconds, nanoseconds: status.modifiedNanoseconds)
  return identity
}

extension Process {
  fileprivate func hasMappedByName(_ path: ByteString) -> Bool {
    memory.regions.contains {
      if case .file(let identity) = $0.backing { return identity.path == path }
      return false
    }
  }
}

extension FileIdentity {
  /// Whether the file is there and still the same, or one that was built as the same.
  var isUnchanged: Bool {
    guard let status = try? FileStatus.of(path), status.isRegular, status.size == size else {
      return false
    }
    if status.modifiedSeconds == modified.seconds,
      status.modifiedNanoseconds == modified.nanoseconds
    {
      return true
    }
    return !buildID.isEmpty && presentBuildID == buildID
  }

  /// The build-id of what is at its path now; empty if there is none.
  var presentBuildID: [UInt8] {
    guard let file = try? FileDescriptor(opening: path, flags: O_RDONLY) else { return [] }
    return ContextFile.buildID(of: file)
  }
}
