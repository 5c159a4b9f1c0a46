// SPDX-License-Identifier: Apache-2.0

/// What an ELF header says of a processor: enough to lay out a core file for it.
///
/// Values are those of <elf.h>: e_machine, EI_CLASS and EI_DATA.
public struct Machine: Hashable, Sendable {
  public enum WordSize: UInt8, Sendable {
    case bits32 = 1
    case bits64 = 2
    public var bytes: Int { self == .bits32 ? 4 : 8 }
  }

  public enum ByteOrder: UInt8, Sendable {
    case little = 1
    case big = 2
  }

  public var number: UInt16
  public var wordSize: WordSize
  public var byteOrder: ByteOrder

  public init(number: UInt16, wordSize: WordSize, byteOrder: ByteOrder) {
    self.number = number
    self.wordSize = wordSize
    self.byteOrder = byteOrder
  }

  public static let i386 = Machine(number: 3, wordSize: .bits32, byteOrder: .little)
  public static let powerpc = Machine(number: 20, wordSize: .bits32, byteOrder: .big)
  public static let powerpc64 = Machine(number: 21, wordSize: .bits64, byteOrder: .big)
  public static let powerpc64le = Machine(number: 21, wordSize: .bits64, byteOrder: .little)
  public static let arm = Machine(number: 40, wordSize: .bits32, byteOrder: .little)
  public static let x86_64 = Machine(number: 62, wordSize: .bits64, byteOrder: .little)
  public static let aarch64 = Machine(number: 183, wordSize: .bits64, byteOrder: .little)

  /// The processor that this program was built for.
  public static var native: Machine {
    #if arch(x86_64)
      .x86_64
    #elseif arch(i386)
      .i386
    #elseif arch(arm64)
      .aarch64
    #elseif arch(arm)
      .arm
    #elseif arch(powerpc64le)
      .powerpc64le
    #else
      #error("no machine for this processor")
    #endif
  }

  /// Whether this program can hold and restart processes of the machine.
  public var runsHere: Bool { self == .native || self == .i386 && Machine.native == .x86_64 }

  /// As uname(2) calls it; nil for a processor that we never heard of.
  public var name: StaticString? {
    switch self {
    case .i386: "i386"
    case .powerpc: "powerpc"
    case .powerpc64: "powerpc64"
    case .powerpc64le: "powerpc64le"
    case .arm: "arm"
    case .x86_64: "x86_64"
    case .aarch64: "aarch64"
    default: nil
    }
  }

  /// One more than the highest address that a program can have.
  public var addressLimit: UInt64 { wordSize == .bits32 ? 1 << 32 : 1 << 63 }

  /// O_LARGEFILE, which a program with 32 bits has to ask for (asm-generic/fcntl.h; arm has its own).
  public var largeFileFlag: UInt64 {
    switch self {
    case .i386: 0o10_0000
    case .arm: 0o40_0000
    default: 0
    }
  }

  /// Bytes of pr_uid in a core file's NT_PRPSINFO: `__kernel_uid_t` is 16 bits wide on processors
  /// that Linux ran on before 2.4 (asm/posix_types.h of x86 and arm).
  public var coreUserIDSize: Int { self == .i386 || self == .arm ? 2 : 4 }

  /// Whether a structure with 64 bits in it is aligned to 8 bytes; the ABI of i386 asks for 4.
  public var alignsLongLong: Bool { self != .i386 }

  /// Whether `struct epoll_event` has its 64 bits of data right behind the 32 of events: packed on
  /// x86_64 (EPOLL_PACKED), and i386 aligns them to 4 bytes anyway.
  public var packsEpollEvents: Bool { self == .x86_64 || self == .i386 }
}
