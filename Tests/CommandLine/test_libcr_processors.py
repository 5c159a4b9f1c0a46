# SPDX-License-Identifier: Apache-2.0
"""libcr for processors that this machine is not: cross-built by CMake, and run by qemu-user.

With CR_SKIP_NOTHING in the environment a compiler or emulator that is missing is a failure.
"""

import fcntl
import os
import re
import shutil
import subprocess

import pytest

import runner
from libcr_programs import LIBRARY, SOURCES
from test_libcr import PUBLIC

ROOT = LIBRARY.parent.parent
# Folder of arch/, GNU triplet, qemu's name.
PROCESSORS = {
  "x86_64": ("x86_64-linux-gnu", None),
  "i386": ("i686-linux-gnu", "i386"),
  "arm": ("arm-linux-gnueabihf", "arm"),
  "aarch64": ("aarch64-linux-gnu", "aarch64"),
  "powerpc64le": ("powerpc64le-linux-gnu", "ppc64le"),
  "powerpc": ("powerpc-linux-gnu", "ppc"),
  "powerpc64": ("powerpc64-linux-gnu", "ppc64"),
}
FOREIGN = [name for name in PROCESSORS if name != "x86_64"]
# As the library itself is compiled: these tests look at its inside.
INSIDE = ["-D_GNU_SOURCE", "-DCR_BLOCK=full", "-DCR_SIGNUM=64", "-I", LIBRARY / "private", "-I",
          ROOT / "Sources" / "CLinux" / "include" / "control"]
LIBRARIES = {"libcr": PUBLIC, "libcr_run": ["cr_run_link_me"], "libcr_omit": ["cr_omit_link_me"]}


class Processor:
  def __init__(self, name):
    self.name = name
    self.triplet, emulator = PROCESSORS[name]
    self.compiler = self.needed(f"{self.triplet}-gcc")
    self.emulator = [self.needed(f"qemu-{emulator}-static")] if emulator else []
    self.build = runner.BUILD / "cross" / name

  @staticmethod
  def needed(program):
    path = shutil.which(program)
    if not path:
      reason = f"{program} is not installed (tools/install-dependencies)"
      assert not os.environ.get("CR_SKIP_NOTHING"), reason
      pytest.skip(reason)
    return path

  def build_libraries(self):
    """The libraries, by the line that Docs/building.md gives. Once for all tests."""
    self.build.mkdir(parents=True, exist_ok=True)
    with open(self.build / ".lock", "w") as lock:
      fcntl.flock(lock, fcntl.LOCK_EX)
      for command in (["-G", "Ninja", "-S", LIBRARY, "-B", self.build,
                       f"-DCMAKE_C_COMPILER={self.compiler}", "-DCMAKE_C_FLAGS=-Werror"],
                      ["--build", self.build]):
        result = subprocess.run(["cmake", *command], capture_output=True, text=True, timeout=300)
        assert result.returncode == 0, result.stdout + result.stderr
    return self

  def compile(self, name, directory, *more):
    program = directory / name
    subprocess.run(
      [self.compiler, "-std=gnu11", "-O1", "-Wall", "-Wextra", "-Werror", *INSIDE, "-I",
       LIBRARY / "include", "-I", ROOT / "arch" / self.name, "-I", self.build / "atomic_ops", "-o",
       program, SOURCES / f"{name}.c", *map(str, more), "-pthread"], check=True)
    return program

  def run(self, program, *arguments, options=()):
    result = subprocess.run(
      [*self.emulator, *map(str, options), program, *arguments], stdin=subprocess.DEVNULL,
      capture_output=True, text=True, timeout=120)
    assert result.returncode == 0, (result.returncode, result.stderr)

  def tool(self, name, *arguments):
    return subprocess.run([f"{self.triplet}-{name}", *map(str, arguments)], check=True,
                          stdout=subprocess.PIPE, text=True).stdout


@pytest.fixture
def processor(request):
  return Processor(request.param).build_libraries()


def on(*processors):
  return pytest.mark.parametrize("processor", processors, indirect=True)


def runs_i386():
  """Does the kernel of this machine run its programs without an emulator?"""
  return os.path.exists("/proc/sys/abi/ldt16") or os.path.exists("/proc/sys/abi/vsyscall32")


@on(*PROCESSORS)
def test_atomics_spin_locks_and_critical_sections(processor, directory):
  for name in ("atomics", "two_classes", "sections_and_spinlocks", "calls_and_errors"):
    program = processor.compile(name, directory, "-static", processor.build / "lib" / "libcr.a")
    arguments = []
    if processor.name == "i386" and name == "two_classes":
      # qemu gives all threads one table of segments, so that the end of a handler gives a thread
      # the thread-local storage of another.
      arguments = ["without signals"]
      if runs_i386():
        subprocess.run([program], check=True, timeout=120)
    processor.run(program, *arguments)


@on(*FOREIGN)
def test_shared_libraries_loaded_and_preloaded(processor, directory):
  libraries = processor.build / "lib"
  program = processor.compile(
    "sections_and_spinlocks", directory, "-L", libraries, "-lcr", f"-Wl,-rpath,{libraries}")
  root = f"/usr/{processor.triplet}"
  processor.run(program, options=("-L", root))
  for stub in ("libcr_run", "libcr_omit"):
    processor.run(program, options=("-L", root, "-E", f"LD_PRELOAD={libraries}/{stub}.so.0"))


@on(*PROCESSORS)
@pytest.mark.parametrize("library", LIBRARIES)
def test_what_a_library_is(processor, library):
  """Its name, its public names, and where its note says that its control block is."""
  path = processor.build / "lib" / f"{library}.so.0"
  assert f"soname: [{library}.so.0]" in processor.tool("readelf", "-d", path)
  shown = processor.tool("nm", "-D", "--defined-only", "--format=posix", path)
  assert sorted(line.split()[0] for line in shown.splitlines()) == sorted(LIBRARIES[library])
  address, offset, size = (
    int(number, 16) for number in
    re.search(r"\.note\.blcr +NOTE +(\w+) (\w+) (\w+)", processor.tool("readelf", "-SW", path))
    .groups())
  order = "big" if "big endian" in processor.tool("readelf", "-h", path) else "little"
  note = path.read_bytes()[offset:offset + size]
  words = [int.from_bytes(note[place:place + 4], order) for place in range(0, len(note), 4)]
  # Sizes of name and description, type; the name, and version, kind and distance.
  assert words[:3] == [5, 12, 0x4352] and note[12:20] == b"BLCR\0\0\0\0"
  assert words[5:7] == [1, 1 + list(LIBRARIES).index(library)]
  kind = library.partition("_")[2] or "full"
  symbols = processor.tool("nm", path)
  block = int(re.search(rf"^(\w+) \w cri_block_{kind}$", symbols, re.M)[1], 16)
  # The engine looks for it in the first KiB.
  assert address < 1024 and address + 28 + words[7] == block
  assert (processor.build / "lib" / f"{library}.a").exists()
