// SPDX-License-Identifier: Apache-2.0
import CLinux

/// How this process was started: its arguments, its environment, its own program file.
public enum Invocation {
  /// argv, the name it was called by first.
  public static var arguments: [ByteString] {
    (0 ..< Int(cr_argument_count())).map { ByteString(cString: cr_arguments()[$0]) }
  }

  /// Nil if the variable is not set.
  public static func variable(_ name: StaticString) -> ByteString? {
    guard let value = ByteString(name).withCString({ cr_get_environment($0) }) else { return nil }
    return ByteString(cString: value)
  }

  public static func setVariable(_ name: StaticString, to value: ByteString) throws(Errno) {
    let result = ByteString(name).withCString { name in
      value.withCString { cr_set_environment(name, $0) }
    }
    try checked(Int(result))
  }

  /// The file behind /proc/self/exe.
  public static func program() throws(Errno) -> ByteString { try readLink("/proc/self/exe") }

  /// Becomes the program `arguments[0]`, looked for in PATH; returns only to say why not.
  public static func become(_ arguments: [ByteString]) -> Errno {
    // The copies live until the exec, or until this process has said what was wrong and ended.
    var pointers: [UnsafeMutablePointer<CChar>?] = arguments.map { $0.withCString { strdup($0) } }
    pointers.append(nil)
    return Errno(rawValue: -cr_execute(pointers[0]!, pointers))
  }

  /// Runs a command through `/bin/sh -c` with this signal mask, and waits for it.
  public static func run(
    command: ByteString, signalMask: UInt64
  ) throws(Errno) -> WaitStatus {
    let status = command.withCString { cr_run_command($0, signalMask) }
    if status < 0 { throw Errno(rawValue: -status) }
    return WaitStatus(rawValue: status)
  }

  /// Ends this process with an exit status of 0…255.
  public static func exit(_ status: Int32) -> Never { cr_exit(status) }
}
