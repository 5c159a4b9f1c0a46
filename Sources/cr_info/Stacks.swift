// SPDX-License-Identifier: Apache-2.0
import CommandLine
import ContextFile
import Linux
import Request
import Snapshot

/// Where each thread stood, with the names of functions: every process of a context file is also a core
/// file, and eu-stack (elfutils) knows how to read those of any processor.
func showStacks(_ reader: borrowing Reader) throws(Failure) -> Int32 {
  for process in reader.snapshot.processes {
    let status = Tool.show("process \(process.id) (\(process.name)), \(process.executable.path)\n")
    if status != ExitStatus.success { return status }
    try showStack(of: process, in: reader)
  }
  return ExitStatus.success
}

private func showStack(
  of process: Process, in reader: borrowing Reader
) throws(Failure) {
  let core = try reader.unnamedCore(of: process.id)
  var command: ByteString = "exec eu-stack --core=/proc/\(ProcessID.own)/fd/\(core.number)"
  let program = process.executable.path
  if (try? FileStatus.of(program))?.isRegular == true { command += " --executable=\(quoted(program))" }
  let status: WaitStatus
  do throws(Errno) {
    status = try Invocation.run(command: command, signalMask: SignalQueue.mask)
  } catch {
    throw Failure(error, "cannot run eu-stack for process \(process.id): \(error)")
  }
  switch Hooks.exitStatus(after: status) {
  // 1: it could not follow a stack to its end, and has said so.
  case nil, 1: return
  case 127:
    throw Failure(.noEntry, "--stack needs eu-stack, which is not here: install elfutils")
  case .some(let code):
    throw Failure(.io, "eu-stack failed for process \(process.id) with status \(code)")
  }
}

/// As one word of sh(1).
private func quoted(_ path: ByteString) -> ByteString {
  var bytes: [UInt8] = [UInt8(ascii: "'")]
  for byte in path.bytes {
    if byte == UInt8(ascii: "'") { bytes += Array("'\\''".utf8) } else { bytes.append(byte) }
  }
  return ByteString(bytes + [UInt8(ascii: "'")])
}
