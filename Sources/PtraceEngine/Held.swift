// SPDX-License-Identifier: Apache-2.0
import Architecture
import CLinux
import Engine
import Linux
import Snapshot

/// A process under our hands, with everything that must be undone before it is let go.
final class HeldProcess {
  let id: ProcessID
  /// The leader first, if it lives.
  var threads: [HeldThread] = []
  /// The job-control stop it was in, 0 for none.
  var stopSignal: Int32 = 0
  /// A stop signal that came while it was held, to be sent again at release.
  var postponedStop: Int32 = 0
  /// Made by us: it dies with us, so that nothing half restored ever runs.
  let isNew: Bool
  /// Calls by PTRACE_SYSCALL's two stops, not by a single step; see RemoteCall.swift.
  var callsByStops: Bool
  /// A child of this very process, to be waited for after `kill`.
  var isOurChild = false
  /// Without an executable: it can be killed and nothing else.
  var isBlank = false
  /// /proc/PID/status, Seccomp.
  var seccompMode: UInt32 = 0
  var landmarks: Landmarks?
  /// Found before it was stopped, to be confirmed.
  var expectedLandmarks: Landmarks?
  var scratch: Scratch?
  /// The scratch memory is another process's, which shares its memory with this one.
  var borrowsScratch = false
  /// Slots for the lifelines of threads other than the first caller.
  var lifelines: MemoryRange?
  var lifelineSlotsUsed = 0
  /// A descriptor of the target for the file being saved to or loaded from.
  var remoteFile: RemoteFile?
  /// Descriptors that /proc/PID/mem was opened for.
  var memoryFile: Int32 = -1

  init(_ id: ProcessID, isNew: Bool) {
    self.id = id
    self.isNew = isNew
    callsByStops = !isNew
  }

  deinit { if memoryFile >= 0 { _ = FileDescriptor(owning: memoryFile) } }

  /// The signal that ends chains of calls: 0 if there is none, nil if not known yet.
  var stopper: Int32?

  /// PTRACE_O_* while it is held.
  var options: UInt32 {
    // In a process of ours the only clones are our own, with CLONE_PTRACE.
    Tracing.traceSystemCallsGood
      | (isNew ? Tracing.exitKill | Tracing.traceExec : Tracing.traceClone)
  }

  /// Through which memory and descriptors are reached: a leader that has ended has none any more.
  var reachable: ProcessID { ProcessID(caller?.id.rawValue ?? id.rawValue) }

  /// The thread that makes calls for the process as a whole.
  var caller: HeldThread? { threads.first }
}

/// One thread under our hands.
final class HeldThread {
  let id: ThreadID
  let process: ProcessID
  /// As it was when it stopped, an interrupted call still visible; read when first wanted.
  var first: Registers?
  /// What it is to have when it goes on, if not what it had.
  var wanted: Registers?
  /// The mask it is to have when it goes on; nil while it still has its own.
  var mask: UInt64?
  /// What calls start from, while calls are being made in it: its registers are ours now.
  var calling: Registers?
  /// Where its lifeline stands, if it has one.
  var lifeline: UInt64?
  /// What it hangs on: the lifeline, or a call to be made before.
  var wayBack: UInt64?
  /// Bound to the CPU that we are on.
  var pin: Pin?
  /// The task that the call in progress made (clone, fork), by PTRACE_EVENT.
  var born: ThreadID?
  /// What the kernel told of it since it stands still, and need not be asked again.
  var seen = Seen()
  /// Set for good, and thrown away by every call after.
  var discarded: RegisterSet?
  /// Inside the call, by PTRACE_SYSCALL's first stop.
  var hasEntered = false
  /// It runs, under our eyes.
  var isRunning = false

  init(_ id: ThreadID, of process: ProcessID) {
    self.id = id
    self.process = process
  }

  struct Seen {
    var mask: UInt64?
    /// One of `extendedStateSets`.
    var extendedState: RegisterSet?
    var restartableSequence: cr_rseq?
    /// Before it was stopped, where `losesFirstArgument`.
    var sleep: SleepingCall?
  }
}

/// Memory of ours inside a held process.
struct Scratch {
  /// The mapping as a whole.
  var range: MemoryRange
  /// For the engine's callers.
  var open: MemoryRange
  /// Where the caller's lifeline stands; nil in a process of ours.
  var lifeline: MemoryRange?

  static let openSize: UInt64 = 64 << 10
}

/// A file of ours that was opened in a held process too.
struct RemoteFile {
  var device: UInt64
  var inode: UInt64
  var isWritable: Bool
  var number: UInt64
}

extension HeldProcess {
  /// Waits for the next stop of a thread of ours.
  ///
  /// wait4(2) does not report the death of a leader before all other threads, who are our tracees and dead
  /// too, have been waited for: asked for the leader alone, it would sleep for ever. So a leader that is not alone is polled.
  func nextStop(of thread: HeldThread) throws(Errno) -> TaskState {
    guard thread.id.rawValue == id.rawValue, threads.count > 1 else {
      return try TaskState.wait(for: thread.id)
    }
    var patience = Patience()
    while true {
      if let state = try TaskState.poll(thread.id) { return state }
      if patience.isLong {
        guard let stat = try? ProcessFiles(thread.id, of: id).read("stat"),
          TaskLife(stat: stat) == .alive
        else { throw .noProcess }
      }
      patience.wait()
    }
  }
}
