# SPDX-License-Identifier: Apache-2.0
"""A callback that returns an error after its cr_checkpoint() ends the program; after a restart that is CR_ERSTRTABRT."""

import os
import signal
import subprocess

import pytest

import processes
import runner
from libcr_programs import Program, compile_test

ABORTED = 2362


@pytest.fixture(params=["thread", "signal"])
def context(request):
  return request.param


def test_when_it_goes_on(directory, context):
  program = Program("fails_after", directory, context, "continue")
  # The file is complete: only then did the callback fail.
  program.save()
  assert program.process.wait(20) == -signal.SIGABRT
  assert program.lines() == ["main waits", "responds 0"]
  program.restart()
  program.await_line("responds 1")
  program.end()


def saved(directory, context):
  program = Program("fails_after", directory, context, "restart")
  program.save()
  program.await_line("responds 0")
  program.save_and_kill()
  return program


def test_a_restart_by_cr_restart(directory, context):
  program = saved(directory, context)
  for _ in range(2):
    # Nothing of the program is left, so it can be tried again, though with the same result.
    result = subprocess.run(
      [runner.tool("cr_restart"), "-f", directory / "ctx"], cwd=directory, stdin=subprocess.DEVNULL,
      capture_output=True, text=True, timeout=60)
    assert result.returncode == ABORTED & 0xff, result.stderr
    assert "a callback failed after the restart" in result.stderr
    assert not processes.is_alive(program.pid)
    assert not [pid for pid in processes.descendants(os.getpid()) if processes.is_alive(pid)]


@pytest.mark.parametrize("when", ["request", "reap"])
def test_a_restart_by_a_program(directory, context, when):
  """Nothing of it becomes a child of the program that asked."""
  saved(directory, context)
  program = compile_test("restart_request", directory)
  flags = 2 | (1 if when == "reap" else 0)
  result = subprocess.run(
    [program, "file", "ctx", "flags", str(flags), "fails", when, "errno", str(ABORTED)], cwd=directory,
    stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60,
    env={**os.environ, "LIBCR_TOOLS": str(runner.BUILD / "bin")})
  assert result.returncode == 0, result.stderr
