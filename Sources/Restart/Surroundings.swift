// SPDX-License-Identifier: Apache-2.0
import CLinux
import Linux
import Request
import Snapshot

/// What this process is, and so what every process it makes is at first: only differences from it
/// have to be restored.
struct Surroundings {
  var status: ProcessStatus
  var credentials: Credentials
  var rights: Rights
  let users = UserNamespace()
  var workingDirectory: ByteString
  var rootDirectory: ByteString
  var coredumpFilter: UInt32
  var oomScoreAdjustment: Int32
  var isSubreaper: Bool
  /// Signals that we were started to ignore; bit n−1 for signal n.
  private var ignored: UInt64
  /// CPUs that we may run on, lowest bit first.
  var processors: [UInt8]
  var kernelRelease: ByteString
  var kernelVersion: ByteString

  init(for request: RestartRequest = RestartRequest()) throws(Failure) {
    do throws(Errno) {
      status = try ownStatus()
      credentials = Credentials(status)
      if let groups = request.groups { credentials.groups = groups }
      credentials.secureBits = UInt32(
        truncatingIfNeeded: try checked(
          cr_syscall(Int(SYS_prctl), Int(PR_GET_SECUREBITS), 0, 0, 0, 0, 0)))
      rights = Rights(status.effective)
      workingDirectory = try readLink("/proc/self/cwd")
      rootDirectory = try readLink("/proc/self/root")
      let (_, bytes) = try bytesFilled(count: 4) { buffer in
        cr_syscall(Int(SYS_prctl), Int(PR_GET_CHILD_SUBREAPER), buffer, 0, 0, 0, 0)
      }
      isSubreaper = bytes.native(Int32.self, at: 0) != 0
      processors = try cpuAffinity(of: ThreadID(0))
      let names = try HostNames()
      kernelRelease = names.release
      kernelVersion = names.version
    } catch {
      throw Failure(error, "cannot look at myself in /proc: \(error) (is /proc mounted?)")
    }
    coredumpFilter = UInt32(truncatingIfNeeded: Self.number(in: "coredump_filter", radix: 16))
    oomScoreAdjustment = Int32(truncatingIfNeeded: Self.number(in: "oom_score_adj", radix: 10))
    ignored = status.ignoredSignals
  }

  func ignores(_ signal: Int32) -> Bool { ignored >> UInt64(signal - 1) & 1 != 0 }

  private static func number(in name: ByteString, radix: UInt64) -> Int64 {
    let path: ByteString = "/proc/self/"
    guard let file = try? FileDescriptor(opening: path + name, flags: O_RDONLY),
      let text = try? file.readToEnd()
    else { return 0 }
    var scanner = TextScanner(text)
    return radix == 16 ? Int64(scanner.number(radix: 16)) : scanner.signedNumber()
  }
}

/// What this process may do, by capabilities(7).
struct Rights {
  private let effective: UInt64

  init(_ effective: UInt64) { self.effective = effective }

  /// Root of the first user namespace has them all; elsewhere the kernel may still say no.
  var isUndisputed: Bool { has(21) && has(40) }

  private func has(_ capability: UInt64) -> Bool { effective >> capability & 1 != 0 }

  /// CAP_CHECKPOINT_RESTORE (Linux 5.9) or CAP_SYS_ADMIN, of the pid namespace's owner.
  var canSetProcessIDs: Bool { has(40) || has(21) }
  /// CAP_SETUID, CAP_SETGID, CAP_SETPCAP.
  var canSetUserIDs: Bool { has(7) }
  var canSetGroupIDs: Bool { has(6) }
  var canSetCapabilities: Bool { has(8) }
  /// CAP_SYS_ADMIN, of the first user namespace.
  var canSuspendSeccomp: Bool { has(21) }
  /// CAP_SYS_ADMIN, CAP_SYS_TIME: of the user namespace.
  var canSetClocks: Bool { has(21) && has(25) }
  /// CAP_SYS_CHROOT.
  var canChangeRoot: Bool { has(18) }

  static let missingRightToSetIDs: ByteString =
    "not permitted to give processes their old ids: that needs root, or the capability "
    + "CAP_CHECKPOINT_RESTORE (setcap cap_checkpoint_restore+eip), or a pid namespace of your own "
    + "(--rootless makes one); or use --no-restore-pid"
}

extension Credentials {
  init(_ status: ProcessStatus) {
    self.init()
    userIDs = status.userIDs
    groupIDs = status.groupIDs
    groups = status.groups
    inheritable = status.inheritable
    permitted = status.permitted
    effective = status.effective
    bounding = status.bounding
    ambient = status.ambient
  }
}
