# SPDX-License-Identifier: Apache-2.0
"""Whenever cr_checkpoint dies, the target runs on unharmed."""

import random
import signal
import subprocess
import time

import pytest

import processes
import runner
from processes import wait_until
from targets import check_success, run

TARGETS = ("threads_64_with_futexes", "waits_for_input", "pipe_between_processes",
           "private_anonymous_memory", "signals_arriving_all_the_time",
           "terminal_lines_typed", "terminal_raw_bytes")


@pytest.mark.parametrize("name", TARGETS)
def test_sigkill_at_any_moment(name, start, directory):
  target = start(name)
  # A call that continues by a restart block (poll with its time limit) may then show EINTR, as
  # after a restart: a thread that we left half-way goes back by rt_sigreturn, which forgets it.
  target.path("restarted").touch()
  choice = random.Random(name)
  context = directory / "context"
  # As long as one takes here: an emulated processor is a hundred times as slow.
  began = time.monotonic()
  check_success(run("cr_checkpoint", "-f", context, target.pid, timeout=60 * processes.PATIENCE))
  length = time.monotonic() - began
  context.unlink()
  for _ in range(50):
    tool = subprocess.Popen([runner.tool("cr_checkpoint"), "-f", context, str(target.pid)],
                            stderr=subprocess.DEVNULL)
    time.sleep(choice.uniform(0, length))
    tool.kill()
    tool.wait()
    # A file under its final name is whole.
    if context.exists():
      check_success(run("cr_info", "--check", context))
      context.unlink()
  wait_until(lambda: processes.is_untouched(target.pid), "let go")
  target.check_runs()
  target.check_answer()


def test_a_checkpoint_works_after_many_that_died(start, directory):
  target = start("threads_64_with_futexes")
  for step in range(20):
    tool = subprocess.Popen([runner.tool("cr_checkpoint"), "-f", directory / "dead",
                             str(target.pid)], stderr=subprocess.DEVNULL)
    time.sleep(step * 0.0005)
    tool.kill()
    tool.wait()
  check_success(run("cr_checkpoint", "-f", directory / "context", target.pid))
  target.forget()
  target.come_back(directory / "context")
  target.check_answer()


def test_many_checkpoints_in_a_row(start, directory):
  target = start("threads_64_with_futexes")
  for _ in range(20):
    check_success(run("cr_checkpoint", "--nosync", "-f", directory / "context", target.pid))
  target.check_runs()
  target.forget()
  target.come_back(directory / "context")
  target.check_answer()


def test_two_at_the_same_time(start, directory):
  """One of them wins or both do in turn; the target does not care."""
  target = start("threads_64_with_futexes")
  for round in range(5):
    tools = [subprocess.Popen([runner.tool("cr_checkpoint"), "-f", directory / f"context.{n}",
                               str(target.pid)], stderr=subprocess.DEVNULL) for n in range(2)]
    statuses = [tool.wait(20) for tool in tools]
    assert 0 in statuses
  target.check_runs()
  target.check_answer()
