# SPDX-License-Identifier: Apache-2.0
"""The signal that is sent to the saved processes, or to the restarted ones."""

import signal

import pytest

import processes
from processes import wait_until
from targets import check_failure, check_success, run


@pytest.fixture
def tree(start):
  return start("exit_status_of_children")


def all_of(target):
  return [target.pid] + processes.descendants(target.pid)


def checkpoint(target, *options):
  return check_success(run("cr_checkpoint", *options, "-f", target.path("context"), target.pid))


@pytest.mark.parametrize("option, number", (
  (("--kill",), signal.SIGKILL), (("--term",), signal.SIGTERM), (("--abort",), signal.SIGABRT),
  (("-S", "1"), signal.SIGHUP), (("--signal=12",), signal.SIGUSR2),
  (("--stop", "--cont", "--kill"), signal.SIGKILL)))
def test_the_saved_processes_end_by_the_signal(option, number, tree):
  members = all_of(tree)
  checkpoint(tree, *option)
  assert tree.judge.wait(10) == -number
  wait_until(lambda: not any(map(processes.is_alive, members)), "every member has ended")


def test_stop_stops_all_until_they_are_continued(tree):
  members = all_of(tree)
  checkpoint(tree, "--stop")
  wait_until(lambda: all(processes.state(pid) == "T" for pid in members), "all are stopped")
  for pid in members:
    wait_until(lambda: processes.is_untouched(pid), "nobody holds it")
  check_success(run("cr_checkpoint", "--cont", "-f", tree.path("second"), tree.pid))
  tree.check_runs()
  tree.check_answer()


@pytest.mark.parametrize("option", ((), ("--run",), ("--kill", "--run")))
def test_run_sends_nothing(option, tree):
  checkpoint(tree, *option)
  tree.check_runs()
  tree.check_answer()


def test_what_was_killed_can_be_restarted(tree):
  checkpoint(tree, "--kill")
  tree.forget()
  tree.come_back(tree.path("context"))
  tree.check_answer()


def test_what_was_stopped_after_its_checkpoint_runs_after_a_restart(tree):
  checkpoint(tree, "--stop")
  tree.forget()
  tree.come_back(tree.path("context"))
  tree.check_answer()


def test_no_signal_is_sent_when_the_checkpoint_failed(tree):
  check_failure(run("cr_checkpoint", "--kill", "-f", "/missing/context", tree.pid), "/missing")
  tree.check_runs()


@pytest.mark.parametrize("option, number", (
  (("--kill",), signal.SIGKILL), (("--term",), signal.SIGTERM), (("-S", "10"), signal.SIGUSR1)))
def test_the_restarted_processes_end_by_the_signal(option, number, context):
  assert run("cr_restart", *option, "-f", context).returncode == -number
