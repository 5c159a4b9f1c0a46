# SPDX-License-Identifier: Apache-2.0
"""tools/vm: a command in a virtual machine, its words, results and exit status."""

import os
import shutil
import subprocess

import pytest

import runner

VM = runner.TOP / "tools" / "vm"


@pytest.fixture(autouse=True)
def emulator():
  if shutil.which("qemu-system-x86_64") is None:
    if os.environ.get("CR_SKIP_NOTHING"):
      pytest.fail("qemu-system-x86_64 is missing")
    pytest.skip("needs qemu-system-x86")


def vm(*words, **settings):
  return subprocess.run([VM, *map(str, words)], capture_output=True, text=True, timeout=400, **settings)


def test_words_files_results_and_status(directory):
  (directory / "note").write_text("brought along")
  done = vm("--put", directory / "note:folder/name", "--get", directory / "got", "--log", directory / "log",
            "x86_64", "--", "cat folder/name; uname -r; mkdir -p /results/sub; echo back > /results/sub/file; exit 3")
  assert done.returncode == 3, done.stderr
  words = done.stdout.split("\n")
  assert words[0].startswith("brought along6.") and "amd64" in words[0]
  assert (directory / "got/sub/file").read_text() == "back\n"
  assert "VM-STATUS=3" in (directory / "log").read_text()


def test_a_program_with_arguments_and_no_results(directory):
  done = vm("--get", directory / "got", "x86_64", "--", "printf", "%s|", "a b", "$c")
  assert done.returncode == 0, done.stderr
  assert done.stdout.strip() == "a b|$c|"
  assert list((directory / "got").iterdir()) == []


def test_what_takes_too_long_and_what_dies():
  done = vm("--timeout", 12, "x86_64", "--", "sleep 1000")
  assert done.returncode == 124 and "no answer in 12 s" in done.stderr
  done = vm("x86_64", "--", "echo c > /proc/sysrq-trigger")
  assert done.returncode == 125 and "panic" in done.stderr and "the guest died" in done.stderr


@pytest.mark.parametrize("words, message", [
  (["x86_64"], "a command is missing"),
  (["vax", "--", "true"], "invalid choice: 'vax'"),
])
def test_wrong_words(words, message):
  done = vm(*words)
  assert done.returncode == 2 and message in done.stderr


def test_what_is_missing_is_named(directory):
  done = vm("--put", "/nowhere", "x86_64", "--", "true")
  assert done.returncode == 126 and "/nowhere" in done.stderr
  done = vm("--kernel", "linux-image-none", "x86_64", "--", "true")
  assert done.returncode == 126 and "linux-image-none" in done.stderr
