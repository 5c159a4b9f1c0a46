# SPDX-License-Identifier: Apache-2.0
"""cr_request_restart() and its family: a program restarts another below itself."""

import errno
import os
import re
import subprocess

import pytest

import processes
import runner
from libcr_programs import Program, compile_test


class Restarter(Program):
  """Tests/libcr/restarts.c, which becomes the parent of the program in `ctx`."""

  def __init__(self, directory, *arguments):
    super().__init__("restarts", directory, directory / "ctx", *arguments, until="root ",
                     output="said")
    self.root = int(re.match(r"root (\d+)", self.lines()[0])[1])


def test_the_root_becomes_a_child(directory):
  target = Program("stays_right", directory)
  target.save_and_kill()
  restarter = Restarter(directory)
  assert restarter.root == target.pid
  target.process = restarter.process
  target.await_line(f"restarted by {restarter.pid} from {directory / 'ctx'}")
  assert processes.status(restarter.root, "PPid") == str(restarter.pid)
  # What the caller has open with close-on-exec is not there, nor anything of the tools.
  assert sorted(os.listdir(f"/proc/{restarter.root}/fd")) == ["0", "1", "2"]
  target.end()
  assert target.lines()[-1].endswith("restarted 1")


def test_the_end_of_the_root_is_heard(directory):
  target = Program("stays_right", directory)
  target.save_and_kill()
  restarter = Restarter(directory)
  processes.wait_until(lambda: processes.runs_again(restarter.root), "let go")
  os.kill(restarter.root, 9)
  assert restarter.process.wait(30) == 128 + 9


def test_a_family_is_restarted(directory):
  target = Program("family", directory)
  target.save_and_kill(scope="-T")
  processes.kill_all()
  restarter = Restarter(directory)
  target.process = restarter.process
  target.await_line("ends 1", 3)
  target.end()


def test_relocated(directory):
  old, new = directory / "old", directory / "new"
  old.mkdir()
  target = Program("stays_right", directory, cwd=old)
  target.save_and_kill()
  old.rename(new)
  restarter = Restarter(directory, old, new)
  assert os.readlink(f"/proc/{restarter.root}/cwd") == str(new)
  (new / "end").touch()
  assert restarter.process.wait(30) == 0


@pytest.mark.parametrize("contents", [b"", b"no context file at all\n" * 1000])
def test_what_is_no_context_file_is_an_error(directory, contents):
  program = compile_test("restarts", directory)
  (directory / "ctx").write_bytes(contents)
  result = subprocess.run(
    [program, "ctx", str(errno.EINVAL)], cwd=directory, stdin=subprocess.DEVNULL,
    capture_output=True, text=True, timeout=60,
    env={**os.environ, "LIBCR_TOOLS": str(runner.BUILD / "bin")})
  assert result.returncode == 0, result.stderr


def test_a_pid_that_is_taken_is_an_error(directory):
  target = Program("stays_right", directory)
  target.save()
  program = compile_test("restarts", directory)
  result = subprocess.run(
    [program, "ctx", str(errno.EBUSY)], cwd=directory, stdin=subprocess.DEVNULL,
    capture_output=True, text=True, timeout=60,
    env={**os.environ, "LIBCR_TOOLS": str(runner.BUILD / "bin")})
  assert result.returncode == 0, result.stderr
  target.end()
