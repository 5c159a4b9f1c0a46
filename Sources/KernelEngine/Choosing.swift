// SPDX-License-Identifier: Apache-2.0
import CLinux
import Linux
import Request

extension KernelEngine {
  /// Throws CR_EVERSION where the module is of another version, else ENODEV or why it cannot be opened.
  public static func find() throws(Failure) -> KernelEngine {
    do throws(Control.Refusal) { return try KernelEngine() } catch { throw failure(error) }
  }

  private static func failure(_ refusal: Control.Refusal) -> Failure {
    let errno: Errno =
      switch refusal {
      case .notLoaded: Errno(rawValue: ENODEV)
      case .notOpened(let errno): errno
      case .isOther: Errno(rawValue: 2357)  // CR_EVERSION of libcr.h
      }
    return Failure(errno, "the kernel engine (--engine=kernel) cannot be used: " + words(refusal))
  }

  private static func words(_ refusal: Control.Refusal) -> ByteString {
    switch refusal {
    case .notLoaded:
      return "the module blcr is not loaded (as root: modprobe blcr), or /proc is not mounted here"
    case .notOpened(let errno):
      return "\(Control.path): \(errno)"
    case .isOther(let version, let interface):
      return "the loaded module is version \(version) (interface \(interface)), the tools are "
        + "\(Release.version) (interface \(Int(CR_UAPI_VERSION))): load the module of this release (rmmod blcr; modprobe blcr)"
    }
  }
}
