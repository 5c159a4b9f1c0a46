# SPDX-License-Identifier: Apache-2.0
"""--time gives up, and then the target has never noticed."""

import signal
import subprocess
import time

import pytest

import processes
import runner
from processes import wait_until
from targets import check_failure, check_success, run


@pytest.fixture
def unstoppable(start):
  """Its parent is in vfork(2) and cannot be stopped before the child ends."""
  return start("parent_waiting_for_its_vfork_child")


def test_a_target_that_cannot_be_stopped_is_given_up_in_time(unstoppable):
  begin = time.monotonic()
  result = run("cr_checkpoint", "-t", "1", "-f", unstoppable.path("context"), unstoppable.pid)
  took = time.monotonic() - begin
  check_failure(result, rf"{unstoppable.pid}|time|second")
  assert 0.9 < took < 3
  assert not list(unstoppable.directory.glob("*context*"))
  unstoppable.check_answer()


def test_a_generous_limit_changes_nothing(target):
  check_success(run("cr_checkpoint", "-t", "100", "-f", target.path("context"), target.pid))
  target.check_runs()
  target.check_answer()


@pytest.mark.parametrize("number", (signal.SIGINT, signal.SIGTERM, signal.SIGHUP))
def test_an_interrupted_checkpoint_leaves_nothing_behind(number, unstoppable):
  tool = subprocess.Popen(
    [runner.tool("cr_checkpoint"), "-f", unstoppable.path("context"), str(unstoppable.pid)],
    stderr=subprocess.DEVNULL)
  time.sleep(0.3)
  tool.send_signal(number)
  assert tool.wait(5) != 0
  assert not list(unstoppable.directory.glob("*context*"))
  wait_until(lambda: processes.is_untouched(unstoppable.pid), "let go")
  unstoppable.check_answer()
