# SPDX-License-Identifier: Apache-2.0
"""libcr's smaller calls put to use: old requests, persistence, signals after callbacks."""

import os
import shutil
import signal
import subprocess

import pytest

import processes
import runner
from libcr_programs import Program, compile_test


@pytest.mark.parametrize("way", ["cwd", "file", "fd", "other"])
def test_old_requests_and_restarts_of_two_generations(directory, way):
  program = Program("old_calls", directory, way)
  context = directory / (f"context.{program.pid}" if way == "cwd" else "ctx")
  program.file("next.1")
  program.await_line("goes on 1")
  program.process.kill()
  program.process.wait()
  for generation in (2, 3):
    shutil.copy(context, directory / "whole")
    assert context.stat().st_mode & 0o777 == 0o600
    program.restart(context=context.name)
    program.await_line(f"runs again {generation - 1}")
    processes.wait_until(lambda: processes.runs_again(program.pid), "let go")
    # It has the very file open that it comes from, and leaves it as it is.
    assert context.read_bytes() == (directory / "whole").read_bytes()
    program.file(f"next.{generation}")
    program.await_line(f"goes on {generation}")
    if generation == 2:
      os.kill(program.pid, signal.SIGKILL)
      program.process.wait()
  program.end()


def test_a_file_that_the_tool_is_to_write_is_open_in_the_program(directory):
  """… by its path: what comes after the checkpoint is not cut back to what was there before it."""
  (directory / "ctx").write_bytes(b"x")
  program = Program("old_calls", directory, "fd")
  program.save_and_kill("--clobber")
  whole = (directory / "ctx").read_bytes()
  program.restart()
  processes.wait_until(lambda: processes.runs_again(program.pid), "let go")
  assert (directory / "ctx").read_bytes() == whole
  for turn in (1, 2, 3):
    program.file(f"next.{turn}")
  program.end()


@pytest.mark.parametrize("how", ["persist", "plain"])
def test_destructors_of_ending_threads_use_the_library(directory, how):
  program = Program("persists", directory, how)
  for _ in range(10):
    program.save("--nosync")
  for _ in range(2):
    program.save_and_kill()
    program.restart()
    processes.wait_until(lambda: processes.runs_again(program.pid), "let go")
  program.save()
  program.end()


def test_a_signal_waits_for_all_callbacks(directory):
  program = Program("after_signal", directory)
  program.save("--signal", str(int(signal.SIGUSR1)), scope="-T")
  program.await_line("signals 2")
  for generation in (1, 2):
    program.save_and_kill(scope="-T")
    processes.kill_all()
    program.restart("--signal", str(int(signal.SIGUSR1)))
    program.await_line("callback ends 1", 4 * generation)
    program.await_line(f"signals {2 + 2 * generation}")
  program.end()


@pytest.mark.parametrize("kind", ["never", "inits", "ignores"])
def test_helpers_of_requests_are_not_to_be_seen(directory, kind):
  target = Program("stays_right", directory)
  program = compile_test("own_requests", directory)
  result = subprocess.run(
    [program, str(target.pid), kind], cwd=directory, stdin=subprocess.DEVNULL,
    capture_output=True, text=True, timeout=60,
    env={**os.environ, "LIBCR_TOOLS": str(runner.BUILD / "bin")})
  assert result.returncode == 0, result.stderr
  target.end()
