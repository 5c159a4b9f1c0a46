# SPDX-License-Identifier: Apache-2.0
"""A file that is not what was written is refused in words, before anything is started."""

import os
import random
import subprocess
from pathlib import Path

import pytest

import processes
import runner
from targets import check_failure, run, run_as_nobody


def refuse(target, path, pattern):
  """cr_restart refuses `path`, and the target has not come back."""
  result = check_failure(run("cr_restart", "-f", path, timeout=20), pattern)
  assert not processes.descendants(os.getpid()), "nothing was started"
  return result


@pytest.fixture
def bytes_of(context):
  return bytearray(context.read_bytes())


def altered(directory, contents):
  path = directory / "altered"
  path.unlink(missing_ok=True)
  path.write_bytes(contents)
  return path


def test_the_file_as_it_was_written_is_accepted(target, context, bytes_of, directory):
  target.come_back(altered(directory, bytes_of))
  target.check_answer()


@pytest.mark.parametrize("part", (0.01, 0.1, 0.3, 0.5, 0.7, 0.9, 0.99))
def test_a_truncated_file(part, target, bytes_of, directory):
  refuse(target, altered(directory, bytes_of[:int(len(bytes_of) * part)]), "altered")


@pytest.mark.parametrize("missing", (1, 8, 64, 4096))
def test_a_file_short_of_its_last_bytes(missing, target, bytes_of, directory):
  refuse(target, altered(directory, bytes_of[:-missing]), "altered")


def test_a_changed_bit_anywhere(target, bytes_of, directory):
  """Only bytes between the parts of the file, which nobody reads, may differ."""
  choice = random.Random(7)
  accepted = 0
  for number in range(60):
    place = choice.randrange(len(bytes_of)) if number > 10 else number * 7
    changed = bytearray(bytes_of)
    changed[place] ^= 1 << choice.randrange(8)
    path = altered(directory, changed)
    result = subprocess.Popen([runner.tool("cr_restart"), "-f", path], stderr=subprocess.PIPE,
                              stdin=subprocess.DEVNULL, text=True, start_new_session=True)
    try:
      _, message = result.communicate(timeout=1)
      assert result.returncode > 0, f"byte {place}: ended with {result.returncode}"
      assert "cr_restart: " in message, f"byte {place}: {message}"
    except subprocess.TimeoutExpired:
      # It runs: the byte must have been padding.
      assert changed[place] in (1, 2, 4, 8, 16, 32, 64, 128), f"byte {place} is not padding"
      accepted += 1
    processes.kill_all()
    result.wait()
    result.stderr.close()
  assert accepted < 30


def test_zeros_in_the_place_of_a_page(target, bytes_of, directory):
  refused = 0
  for page in range(1, len(bytes_of) // 4096, max(1, len(bytes_of) // 4096 // 12)):
    if not any(bytes_of[page * 4096:page * 4096 + 4096]):
      continue
    changed = bytearray(bytes_of)
    changed[page * 4096:page * 4096 + 4096] = bytes(4096)
    refuse(target, altered(directory, changed), "altered")
    refused += 1
  assert refused > 3


def test_bytes_appended_to_the_file(target, bytes_of, directory):
  refuse(target, altered(directory, bytes_of + b"more" * 100), "altered")


@pytest.mark.parametrize("name", ("aarch64", "arm", "i386", "powerpc", "powerpc64", "powerpc64le"))
def test_a_file_of_another_processor(name, directory):
  """Whole and intact, made on another machine."""
  context = Path(__file__).resolve().parent.parent / "ContextFiles" / f"{name}-1.1.context"
  if name == "i386" and os.uname().machine == "x86_64":
    pytest.skip("programs of i386 run here")
  check_failure(run("cr_restart", context), rf"processor.*\b{name}\b")


@pytest.mark.parametrize("machine", (183, 3, 21, 40, 0xfefe))
def test_a_changed_processor(machine, target, bytes_of, directory):
  bytes_of[18:20] = machine.to_bytes(2, "little")
  refuse(target, altered(directory, bytes_of), "altered")


def test_a_file_of_the_other_byte_order(target, bytes_of, directory):
  bytes_of[5] = 2
  refuse(target, altered(directory, bytes_of), "byte order|endian|altered")


@pytest.mark.parametrize("path", (
  "/bin/true", "/etc/passwd", "/dev/null", "/dev/zero", "/", "/proc/self/maps"))
def test_what_is_no_context_file(path):
  check_failure(run("cr_restart", "-f", path, timeout=20), path)


def test_an_empty_file(directory):
  (directory / "empty").touch()
  check_failure(run("cr_restart", directory / "empty"), "empty")


def test_a_missing_file(directory):
  check_failure(run("cr_restart", directory / "nowhere"), "nowhere.*no such file", 2)


def test_a_file_that_may_not_be_read(context, directory):
  if os.geteuid() == 0:
    result = run_as_nobody(directory, "cr_restart", context)
  else:
    context.chmod(0)
    result = run("cr_restart", context)
  check_failure(result, "context.*permission", 13)


def test_the_core_file_of_a_debugger(target, directory):
  subprocess.run(["gdb", "-q", "-nx", "-batch", "-ex", f"gcore {directory}/core",
                  "-p", str(target.pid)], capture_output=True, timeout=60)
  if not (directory / "core").exists():
    pytest.skip("gdb made no core file")
  check_failure(run("cr_restart", directory / "core"), "core.*context")


@pytest.mark.parametrize("option", ((), ("--check",)))
def test_cr_info_notices_damage(option, bytes_of, directory):
  check_failure(run("cr_info", *option, altered(directory, bytes_of[:len(bytes_of) // 2])),
                "altered")
