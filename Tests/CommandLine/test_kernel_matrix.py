# SPDX-License-Identifier: Apache-2.0
"""tools/check-kmod: a module is built for a kernel that does not run here, and tried in a virtual machine."""

import os
import shutil
import subprocess

import pytest

import runner

TOOL = runner.TOP / "tools" / "check-kmod"
HELLO = runner.TOP / "Tests" / "KernelModule" / "hello"
KERNEL = "6.1-cloud-amd64"


@pytest.fixture(scope="module", autouse=True)
def folder(tmp_path_factory):
  """Where everything is made, with the module built in it."""
  missing = [name for name in ("qemu-system-x86_64", "gcc-12", "apt-get") if shutil.which(name) is None]
  if missing:
    if os.environ.get("CR_SKIP_NOTHING"):
      pytest.fail(f"missing: {missing}")
    pytest.skip(f"needs {missing}")
  return tmp_path_factory.mktemp("matrix")


def check(folder, *words):
  return subprocess.run([TOOL, folder, "--module", HELLO, *map(str, words)], capture_output=True, text=True, timeout=500)


def script(directory, text):
  path = directory / "script"
  path.write_text(text)
  return path


def test_a_module_is_loaded_and_unloaded(folder, directory):
  done = check(folder, KERNEL, "--guest-check", script(directory, "cat /proc/checkpoint-hello; lsmod | grep blcr"))
  assert done.returncode == 0, done.stdout + done.stderr
  title, line = done.stdout.splitlines()
  assert title.split() == ["kernel", "release", "probed", "built", "loaded", "note"]
  assert line.split()[0] == KERNEL and line.split()[1].endswith("cloud-amd64") and line.count(" s") == 3
  log = (folder / f"build/kmod-matrix/{KERNEL}/log").read_text()
  assert "loaded and unloaded three times" in log


@pytest.mark.parametrize("words, message", [
  ("echo 'WARNING: CPU: 0 PID: 1 at kernel/nothing.c:1' > /dev/kmsg", "the kernel's log says:"),
  ("echo 'unreferenced: memory leak of 12 bytes' > /dev/kmsg", "the kernel's log says:"),
  ("false", "the check in the guest failed"),
])
def test_trouble_in_the_guest_fails_the_run(words, message, folder, directory):
  done = check(folder, KERNEL, "--guest-check", script(directory, words))
  assert done.returncode == 1, done.stdout
  assert "FAILED" in done.stdout and (message in done.stdout or message in (folder / f"build/kmod-matrix/{KERNEL}/log").read_text())


def test_trouble_while_building_is_shown(folder, directory):
  shutil.copytree(HELLO, directory / "source")
  with open(directory / "source/blcr.c", "a", encoding="utf-8") as file:
    file.write("#error not today\n")
  done = subprocess.run([TOOL, folder, "--module", directory / "source", "--no-boot", KERNEL], capture_output=True,
                        text=True, timeout=300)
  assert done.returncode == 1 and "FAILED: make" in done.stdout
  assert "not today" in (folder / f"build/kmod-matrix/{KERNEL}/log").read_text()


def test_names_of_the_matrix(folder):
  done = subprocess.run([TOOL, folder, "--list"], capture_output=True, text=True)
  names = done.stdout.split()
  for name in ("6.1-amd64", "6.12-rt-amd64", "6.1-686-pae", "6.1-armmp", "6.1-arm64", "6.1-powerpc64le", "xen-6.1-amd64"):
    assert name in names
  done = check(folder, "2.4-amd64")
  assert done.returncode == 2 and "no kernel of the matrix: 2.4-amd64" in done.stderr


@pytest.mark.parametrize("append, message", [
  ("module.sig_enforce=1", "this kernel takes signed modules only"),
  ("lockdown=integrity", "the kernel is locked down"),
])
def test_a_kernel_that_wants_signatures_says_so(append, message, folder):
  """The kernel's own words are "Key was rejected by service" and "Operation not permitted"."""
  assert check(folder, "--no-boot", KERNEL).returncode == 0
  module, = (folder / f"build/kmod-matrix/{KERNEL}").glob("*/blcr.ko")
  done = subprocess.run(
    [runner.TOP / "tools/vm", "--append", append, "--kernel", f"linux-image-{module.parent.name}", "--put", module,
     "--put", runner.TOP / "kmod/check-module", "x86_64", "--",
     "mount -t securityfs none /sys/kernel/security; ./check-module --load blcr.ko"],
    capture_output=True, text=True, timeout=300)
  assert done.returncode == 1 and message in done.stdout, done.stdout + done.stderr
