# SPDX-License-Identifier: Apache-2.0
"""Files of every architecture and byte order, by cr_info and by tools that never heard of us."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from targets import check_failure, check_success, run

ROOT = Path(__file__).resolve().parents[2]
MAGIC = ROOT / "contrib" / "blcr.magic"
CONTEXTS = sorted((ROOT / "Tests" / "ContextFiles").glob("*.context"))
# What readelf calls the machine, and the size and order of words.
MACHINES = {
  "aarch64": ("AArch64", 64, "little"), "arm": ("ARM", 32, "little"),
  "i386": ("Intel 80386", 32, "little"), "powerpc": ("PowerPC", 32, "big"),
  "powerpc64": ("PowerPC64", 64, "big"), "powerpc64le": ("PowerPC64", 64, "little"),
  "x86_64": ("Advanced Micro Devices X86-64", 64, "little"),
}


@pytest.fixture(params=CONTEXTS, ids=lambda path: path.stem)
def context(request):
  """A kept file: PROCESSOR-VERSION.context."""
  return request.param


@pytest.fixture
def architecture(context):
  return context.stem.partition("-")[0]


def test_there_is_a_file_of_every_processor():
  assert {path.stem.partition("-")[0] for path in CONTEXTS} == set(MACHINES)


def test_cr_info_shows_all_of_it(context, architecture):
  _, bits, order = MACHINES[architecture]
  text = check_success(
    run("cr_info", "--check", "--maps", "--fds", "--threads", context)).stdout
  assert f"{architecture} ({bits}-bit {order} endian)" in text
  assert "3 processes, 3 threads" in text
  for pid in (4711, 4800, 4900):
    assert re.search(rf"^ +{pid} ", text, re.M)
  assert "worker 4712" in text
  assert re.search(r"r-xp .*/bin/a b", text)
  assert "pipe 77, 5 bytes unread" in text
  assert "all checksums are right" in text
  assert re.search(r"^ +4711 +worker 4711 +pc [0-9a-f]+, sp [0-9a-f]+, ", text, re.M), text


def file_says(path, *options):
  return subprocess.run(["file", "-b", *options, "-m", str(MAGIC), str(path)], timeout=20,
                        capture_output=True, text=True, check=True).stdout.strip()


def test_file_knows_it_by_our_magic(context, architecture):
  text = file_says(context)
  version = context.stem.partition("-")[2]
  assert text.startswith(
    f"BLCR context file, for {architecture}, format {version}, 3 processes, root 4711")
  assert file_says(context, "--mime-type") == "application/x-blcr-context"


def test_the_magic_compiles_without_complaint(directory):
  shutil.copy(MAGIC, directory)
  result = subprocess.run(["file", "-C", "-m", MAGIC.name], cwd=directory, timeout=20,
                          capture_output=True, text=True)
  assert result.returncode == 0 and result.stderr == ""


def test_file_calls_no_other_core_a_context(target, directory):
  subprocess.run(["gdb", "-q", "-nx", "-batch", "-p", str(target.pid), "-ex",
                  f"gcore {directory}/core"], capture_output=True, timeout=60)
  assert "BLCR" not in file_says(directory / "core")


def test_one_process_as_a_core_file(context, architecture, directory):
  machine, bits, order = MACHINES[architecture]
  check_success(run("cr_info", "--core", 4711, "-o", directory / "core", context))
  result = subprocess.run(["readelf", "-W", "-h", "-l", "-n", directory / "core"], timeout=20,
                          capture_output=True, text=True)
  assert "Core file" in result.stdout and result.stderr == ""
  assert re.search(rf"Machine: +{re.escape(machine)}$", result.stdout, re.M)
  assert re.search(rf"Class: +ELF{bits}$", result.stdout, re.M)
  assert re.search(rf"Data:.*{order} endian$", result.stdout, re.M)
  assert result.stdout.count("NT_PRSTATUS") == 2


def test_the_core_file_has_a_default_name(context, directory):
  check_success(run("cr_info", "--core", 4800, context, cwd=directory))
  assert [path.name for path in directory.iterdir()] == ["core.4800"]


def test_a_process_that_is_not_in_it(context, directory):
  check_failure(run("cr_info", "--core", 1, context, cwd=directory), r"\b1\b", 3)
  assert list(directory.iterdir()) == []


def test_cr_info_shows_all_of_a_directory():
  folders = list((ROOT / "Tests" / "ContextFiles").glob("*.directory"))
  assert folders
  for folder in folders:
    text = check_success(run("cr_info", "--check", "--maps", "--fds", "--threads", folder)).stdout
    assert "3 processes, 3 threads" in text and "all checksums are right" in text


@pytest.mark.parametrize("arguments", (("--maps",), ("--check",), ("--core", "1"), ("-o", "x"),
                                       ("a", "b"), ("--core", "x", "a")))
def test_a_wrong_command_line(arguments):
  check_failure(run("cr_info", *arguments), "Usage:", 255)
