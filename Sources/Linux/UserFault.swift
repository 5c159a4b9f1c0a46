// SPDX-License-Identifier: Apache-2.0
import CLinux

/// A userfaultfd(2) of another process: fills its missing pages directly, without the zeroing and
/// the fault that a page touched by a copy would cost.
@frozen public struct UserFault: ~Copyable {
  let file: FileDescriptor

  /// Takes over the target's descriptor, which pidfd_getfd(2) has copied to us.
  public init(_ file: consuming FileDescriptor, features: Features = []) throws(Errno) {
    var api = uffdio_api(api: __u64(CR_UFFD_API), features: features.rawValue, ioctls: 0)
    let number = file.number
    try checked(
      withUnsafeMutablePointer(to: &api) { Self.control(number, cr_uffdio_api_request(), $0) })
    self.file = file
  }

  /// Watches for missing pages; `range` is mapped, page aligned and anonymous.
  public func register(_ range: MemoryRange) throws(Errno) {
    var registration = uffdio_register()
    registration.range = uffdio_range(start: __u64(range.start), len: __u64(range.count))
    registration.mode = 1  // UFFDIO_REGISTER_MODE_MISSING
    try checked(
      withUnsafeMutablePointer(to: &registration) {
        Self.control(file.number, cr_uffdio_register_request(), $0)
      })
  }

  public func unregister(_ range: MemoryRange) throws(Errno) {
    var range = uffdio_range(start: __u64(range.start), len: __u64(range.count))
    try checked(
      withUnsafeMutablePointer(to: &range) {
        Self.control(file.number, cr_uffdio_unregister_request(), $0)
      })
  }

  /// Fills missing pages; returns how many bytes were filled before something stood in the way
  /// (EEXIST: a page is there already).
  public func copy(
    _ bytes: UnsafeRawBufferPointer, to address: UInt64
  ) -> (count: Int, failure: Errno?) {
    var done = 0
    while done < bytes.count {
      var order = uffdio_copy()
      order.dst = __u64(address) + __u64(done)
      order.src = __u64(UInt(bitPattern: bytes.baseAddress! + done))
      order.len = __u64(bytes.count - done)
      order.mode = 1  // UFFDIO_COPY_MODE_DONTWAKE: nobody waits
      let result = withUnsafeMutablePointer(to: &order) {
        Self.control(file.number, cr_uffdio_copy_request(), $0)
      }
      if order.copy > 0 { done += Int(order.copy) }
      if result < 0, result != -Int(EAGAIN) {
        return (done, Errno(rawValue: Int32(-result)))
      }
    }
    return (done, nil)
  }

  static func control<T>(
    _ number: Int32, _ request: UInt, _ argument: UnsafeMutablePointer<T>
  ) -> Int {
    cr_syscall(
      Int(SYS_ioctl), Int(number), Int(bitPattern: request), Int(bitPattern: argument), 0, 0, 0)
  }
}
