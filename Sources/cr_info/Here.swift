// SPDX-License-Identifier: Apache-2.0
import Architecture
import CLinux
import CommandLine
import Linux
import Request

/// What this machine offers, found out by looking: nothing is started and nobody is touched.
struct Here {
  /// Something that an engine needs or gains from.
  struct Feature {
    var name: StaticString
    var isThere: Bool
    /// What it is for, or what is lost without it.
    var words: ByteString
  }

  let names: HostNames
  let features: [Feature]
  /// Why the user-space engine cannot work at all; nil if it can.
  let userEngineFlaw: ByteString?
  /// Why the kernel engine cannot be used.
  let kernelEngineFlaw: ByteString?

  init() throws(Errno) {
    names = try HostNames()
    let capabilities = Self.effectiveCapabilities()
    let mayChooseIDs = capabilities & (1 << 40 | 1 << 21) != 0
    features = [
      Feature(
        name: "restore process ids", isThere: mayChooseIDs,
        words: mayChooseIDs
          ? "" : "needs CAP_CHECKPOINT_RESTORE (or root); use cr_restart --no-restore-pid"),
      Self.ptraceScope(capabilities),
      Feature(
        name: "pidfd_getfd", isThere: Self.hasCall(438),
        words: "open files without paths (Linux 5.6)"),
      Feature(
        name: "kcmp", isThere: Self.hasKcmp(),
        words: "which descriptors share an open file"),
      Feature(
        name: "userfaultfd", isThere: Self.hasUserfaultfd(),
        words: "the fastest way to fill memory; without it preadv is used"),
      Feature(
        name: "PAGEMAP_SCAN", isThere: Self.hasPagemapScan(),
        words: "the fastest way to find pages with contents (Linux 6.7); else pagemap is read"),
    ]
    userEngineFlaw =
      Self.hasFile("/proc/self/mem") ? nil : "/proc is not mounted, and it reads processes through it"
    kernelEngineFlaw = Self.kernelEngineFlaw()
  }

  /// The control file reads as `blcr VERSION INTERFACE`.
  private static func kernelEngineFlaw() -> ByteString? {
    let text: [UInt8]
    do throws(Errno) {
      text = try FileDescriptor(opening: "/proc/checkpoint/ctrl", flags: O_RDWR).readToEnd()
    } catch {
      if error != .noEntry { return "/proc/checkpoint/ctrl: \(error)" }
      return hasFile("/sys/module/blcr")
        ? "the module is loaded, but there is no /proc/checkpoint/ctrl here"
        : "the module is not loaded (as root: modprobe blcr)"
    }
    let words = text.split { $0 == 0x20 || $0 == 0x0a }.map { ByteString($0) }
    guard words.count == 3, words[2] != "\(Int(CR_UAPI_VERSION))" else { return nil }
    return "the loaded module is version \(words[1]) (interface \(words[2])), the tools are "
      + "\(Release.version) (interface \(Int(CR_UAPI_VERSION)))"
  }

  private static func hasFile(_ path: ByteString) -> Bool { (try? FileStatus.of(path)) != nil }

  private static func contents(of path: ByteString) -> [UInt8] {
    guard let file = try? FileDescriptor(opening: path, flags: O_RDONLY) else { return [] }
    return (try? file.readToEnd()) ?? []
  }

  /// CapEff of /proc/self/status.
  private static func effectiveCapabilities() -> UInt64 {
    let label = ByteString("CapEff:\t").bytes
    for line in contents(of: "/proc/self/status").split(separator: 0x0a) where line.starts(with: label) {
      return line.dropFirst(label.count).reduce(0) { value, digit in
        let number = digit >= 0x61 ? digit - 0x61 + 10 : digit &- 0x30
        return value << 4 | UInt64(number & 15)
      }
    }
    return 0
  }

  /// Documentation/admin-guide/LSM/Yama.rst.
  private static func ptraceScope(_ capabilities: UInt64) -> Feature {
    let scope = contents(of: "/proc/sys/kernel/yama/ptrace_scope").first ?? UInt8(ascii: "0")
    let mayTraceAny = capabilities & 1 << 19 != 0
    var feature = Feature(name: "reach other processes", isThere: true, words: "")
    switch scope {
    case UInt8(ascii: "0"): break
    case UInt8(ascii: "3"):
      feature.isThere = false
      feature.words = "kernel.yama.ptrace_scope is 3: nobody may trace until the next boot"
    case _ where mayTraceAny: break
    case UInt8(ascii: "1"):
      feature.words = "kernel.yama.ptrace_scope is 1: only descendants, or with CAP_SYS_PTRACE"
    default:
      feature.isThere = false
      feature.words = "kernel.yama.ptrace_scope is 2: needs CAP_SYS_PTRACE"
    }
    return feature
  }

  /// A call with descriptors that cannot be: EBADF where the kernel knows it, ENOSYS elsewhere.
  private static func hasCall(_ number: Int) -> Bool {
    cr_syscall(number, -1, -1, 0, 0, 0, 0) != -Int(ENOSYS)
  }

  private static func hasKcmp() -> Bool {
    let process = cr_syscall(Int(SYS_getpid), 0, 0, 0, 0, 0, 0)
    // KCMP_FILES of ourselves with ourselves.
    return cr_syscall(Int(SYS_kcmp), process, process, 2, 0, 0, 0) == 0
  }

  private static func hasUserfaultfd() -> Bool {
    // UFFD_USER_MODE_ONLY: allowed to everybody.
    let result = cr_syscall(Int(SYS_userfaultfd), Int(O_CLOEXEC) | 1, 0, 0, 0, 0, 0)
    guard result >= 0 else { return false }
    _ = FileDescriptor(owning: Int32(result))
    return true
  }

  private static func hasPagemapScan() -> Bool {
    guard let file = try? FileDescriptor(opening: "/proc/self/pagemap", flags: O_RDONLY)
    else { return false }
    // With a null argument: EFAULT or EINVAL where it is known, ENOTTY elsewhere.
    let result = cr_syscall(Int(SYS_ioctl), Int(file.number), Int(bitPattern: 0xc060_6610), 0, 0, 0, 0)
    return result != -Int(ENOTTY) && result != -Int(ENOSYS)
  }

  // MARK: Words

  var text: ByteString {
    var text: ByteString = "BLCR \(Release.version)\n"
    func row(_ title: ByteString, _ words: ByteString) {
      text += "  \(padded(title, 26)) \(words)\n"
    }
    row("machine", "\(shown(names.machine)), Linux \(shown(names.release)) \(shown(names.version))")
    var programs: ByteString = ""
    for name in architectures { programs += programs.isEmpty ? name : ", " + name }
    row("programs", programs)
    row("context files", "format 1, read and checked for every architecture")
    text += "engines:\n"
    row("user", userEngineFlaw.map { "not available: \($0)" } ?? "available (ptrace, no module needed)")
    for feature in features {
      let words: ByteString = feature.words.isEmpty ? "" : " (\(feature.words))"
      row("  \(feature.name)", (feature.isThere ? "yes" : "no") + words)
    }
    row("kernel", kernelEngineFlaw.map { "not available: \($0)" } ?? "available (module blcr)")
    return text
  }

  /// Whose processes this build can save and restart.
  private var architectures: [ByteString] {
    [Machine.native, .i386].filter { $0.runsHere }.compactMap { $0.name.map { "\($0)" } }
  }

  var json: JSONObject {
    var object = JSONObject()
    object.set("version", ByteString(Release.version))
    object.set("machine", names.machine)
    object.set("kernel_release", names.release)
    object.set("kernel_version", names.version)
    object.set("architectures", architectures)
    var user = JSONObject()
    user.set("available", userEngineFlaw == nil)
    if let flaw = userEngineFlaw { user.set("reason", flaw) }
    user.set(
      "features",
      features.map { feature in
        var one = JSONObject()
        one.set("name", ByteString(feature.name))
        one.set("available", feature.isThere)
        if !feature.words.isEmpty { one.set("note", feature.words) }
        return one
      })
    var kernel = JSONObject()
    kernel.set("available", kernelEngineFlaw == nil)
    if let kernelEngineFlaw { kernel.set("reason", kernelEngineFlaw) }
    var engines = JSONObject()
    engines.set("user", user)
    engines.set("kernel", kernel)
    object.set("engines", engines)
    return object
  }
}
