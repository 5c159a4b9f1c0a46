// swift-tools-version: 6.2
// SPDX-License-Identifier: Apache-2.0
// The modules, and the only list of who may import whom. Ordinary Swift for tests and editors;
// BLCR_EMBEDDED=1 builds the same sources as they are shipped (CMakeLists.txt makes the product).
import Foundation
import PackageDescription

let embedded = ProcessInfo.processInfo.environment["BLCR_EMBEDDED"] == "1"
// CLinux asks glibc for everything; the toolchain's own Glibc module must then do so too, or the
// two disagree about the names inside `fd_set`.
let settings: [SwiftSetting] =
  [.unsafeFlags(["-Xcc", "-D_GNU_SOURCE"])]
  + (embedded ? [.enableExperimentalFeature("Embedded"), .unsafeFlags(["-wmo"])] : [])

let engines: [Target.Dependency] = ["KernelEngine", "PtraceEngine"]

/// The scenarios of each processor are C programs for the command-line tests.
let scenarios: [String] = {
  let arch = URL(fileURLWithPath: Context.packageDirectory).appendingPathComponent("arch").path
  return ((try? FileManager.default.subpathsOfDirectory(atPath: arch)) ?? [])
    .filter { $0.hasSuffix("/scenarios") }
}()

func module(
  _ name: String, _ dependencies: [Target.Dependency], path: String? = nil,
  exclude: [String] = []
) -> Target {
  .target(
    name: name, dependencies: dependencies, path: path, exclude: exclude, swiftSettings: settings)
}

func tool(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
  // Embedded dictionaries need libm's ceil.
  .executableTarget(
    name: name, dependencies: dependencies, swiftSettings: settings,
    linkerSettings: embedded ? [.linkedLibrary("m")] : [])
}

/// Unit tests are ordinary Swift only: Swift Testing does not exist in Embedded Swift.
func tests(_ modules: [(String, [Target.Dependency])]) -> [Target] {
  guard !embedded else { return [] }
  return modules.map { name, dependencies in
    .testTarget(
      name: "\(name)Tests", dependencies: [.init(stringLiteral: name)] + dependencies,
      swiftSettings: settings)
  }
}

let package = Package(
  name: "blcr",
  targets: [
    .target(name: "CLinux"),
    .target(name: "CElf", linkerSettings: [.linkedLibrary("elf")]),
    .target(name: "CHash"),
    .target(name: "CZstd", linkerSettings: [.linkedLibrary("zstd")]),
    .target(name: "CLz4", linkerSettings: [.linkedLibrary("lz4")]),
    module("Linux", ["CLinux"]),
    module("Architecture", ["Linux"], path: "arch", exclude: scenarios),
    module("Snapshot", ["Architecture", "Linux"]),
    module("Request", ["Linux", "CLinux"]),
    module(
      "ContextFile",
      ["Snapshot", "Architecture", "Linux", "Request", "CElf", "CHash", "CZstd", "CLz4", "CLinux"]),
    module("Engine", ["Snapshot", "Architecture", "Linux", "Request", "CLinux"]),
    module("PtraceEngine", ["Engine", "Snapshot", "Architecture", "Linux", "CLinux"]),
    module("KernelEngine", ["Engine", "Snapshot", "Architecture", "Linux", "CLinux"]),
    module("Rendezvous", ["Engine", "Architecture", "Linux", "Request", "CLinux"]),
    module(
      "Checkpoint",
      ["Rendezvous", "Engine", "ContextFile", "Snapshot", "Architecture", "Linux", "Request", "CLinux"]),
    module("PageServer", ["ContextFile", "Snapshot", "Linux", "Request", "CLinux"]),
    module(
      "Restart",
      [
        "PageServer", "Rendezvous", "Engine", "ContextFile", "Snapshot", "Architecture", "Linux", "Request",
        "CLinux",
      ]),
    module("CommandLine", ["Request", "Linux", "CLinux"]),
    tool("cr_run", ["CommandLine", "Linux", "CLinux"]),
    tool("cr_info", ["CommandLine", "ContextFile", "Snapshot", "Architecture", "Linux", "Request"]),
    tool(
      "cr_checkpoint",
      ["CommandLine", "Checkpoint", "ContextFile", "Engine", "Request", "Linux"] + engines),
    tool(
      "cr_restart",
      ["CommandLine", "Restart", "ContextFile", "Engine", "Snapshot", "Request", "Linux"] + engines),
  ]
    + tests([
      ("Linux", []), ("Architecture", ["Linux"]), ("Request", ["Linux"]),
      ("ContextFile", ["Snapshot", "Architecture", "Linux", "Request", "CHash", "CElf", "CZstd", "CLz4"]),
      ("PtraceEngine", ["Engine", "Snapshot", "Architecture", "Linux", "CLinux"]),
      ("PageServer", ["Snapshot", "Linux"]),
      ("Checkpoint", ["Engine", "ContextFile", "Snapshot", "Architecture", "Linux", "Request"]),
      ("Restart", ["Engine", "ContextFile", "Snapshot", "Architecture", "Linux", "Request"]),
      ("CommandLine", ["Request", "Linux"]),
    ])
)
