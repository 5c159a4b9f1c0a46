# SPDX-License-Identifier: Apache-2.0
"""Which processes are taken: tree, process, group, session."""

import os
import subprocess

import pytest

import processes
import runner
from processes import wait_until
from targets import check_failure, check_success, run


def checkpoint(directory, *options):
  return check_success(run("cr_checkpoint", *options, "-f", directory / "context"))


def restart(directory, *options):
  return subprocess.Popen([runner.tool("cr_restart"), *options, "-f", directory / "context"],
                          stdin=subprocess.DEVNULL, start_new_session=True,
                          stderr=open(directory / "restart.err", "wb"))


def check_back(job, *targets):
  for target in targets:
    target.judge = job
    target.await_answer()


@pytest.mark.parametrize("option", ((), ("-T",), ("--tree",)))
def test_a_tree_is_the_process_and_its_descendants(option, start, directory):
  target = start("children_and_grandchildren")
  members = [target.pid] + processes.descendants(target.pid)
  assert len(members) == 1 + 3 + 9 + 27
  checkpoint(directory, *option, target.pid)
  target.forget()
  check_back(restart(directory), target)
  assert sorted(members) == sorted([target.pid] + processes.descendants(target.pid))
  target.check_answer()


@pytest.mark.parametrize("option", ("-p", "--pid", "--process"))
def test_a_process_is_taken_without_its_children(option, start, directory):
  target = start("exit_status_of_children")
  assert len(processes.descendants(target.pid)) == 4
  checkpoint(directory, option, target.pid)
  target.forget()
  check_back(restart(directory), target)
  assert processes.descendants(target.pid) == []


def joined(pid):
  def join():
    os.setpgid(0, pid)
  return join


@pytest.mark.parametrize("option", ("-g", "--pgid", "--group"))
def test_a_group_is_taken_whoever_its_parents_are(option, start, directory):
  first = start()
  members = [first]
  # In the session of the test, since setpgid needs that.
  leader = start("private_anonymous_memory", start_new_session=False,
                 preexec_fn=lambda: os.setpgid(0, 0))
  other = start("mutex_held_over_the_checkpoint", start_new_session=False,
                preexec_fn=joined(leader.pid))
  apart = start("pipe_that_is_full", start_new_session=False)
  checkpoint(directory, option, leader.pid)
  processes.kill_all()
  check_back(restart(directory, "--restore-pgid"), leader, other)
  assert os.getpgid(other.pid) == leader.pid == os.getpgid(leader.pid)
  assert not processes.is_alive(apart.pid) and not processes.is_alive(first.pid)


@pytest.mark.parametrize("option", ("-s", "--sid", "--session"))
def test_a_session_is_taken_with_all_its_groups(option, start, directory):
  target = start("process_groups")
  members = sorted([target.pid] + processes.descendants(target.pid))
  assert os.getsid(members[-1]) == target.pid
  checkpoint(directory, option, target.pid)
  target.forget()
  check_back(restart(directory, "--restore-sid", "--restore-pgid"), target)
  assert sorted([target.pid] + processes.descendants(target.pid)) == members
  target.check_answer()


@pytest.mark.parametrize("option", ("-g", "-s"))
def test_a_group_or_session_without_members_is_gone(option, directory):
  check_failure(run("cr_checkpoint", option, "-f", directory / "context", 4190000), "4190000", 3)
  assert os.listdir(directory) == []


@pytest.mark.parametrize("option", ("--pid", "--tree"))
def test_the_id_of_a_thread_is_no_process(option, start, directory):
  target = start("mutex_waited_for_over_the_checkpoint")
  thread = next(task for task in processes.threads(target.pid) if task != target.pid)
  result = run("cr_checkpoint", option, "-f", directory / "context", thread)
  check_failure(result, rf"\b{thread}\b")
  target.check_runs()


def test_cr_checkpoint_inside_its_own_scope_leaves_itself_out(directory):
  """A shell that checkpoints its own tree, and goes on after the restart as after the call."""
  script = f"""
    echo start >> log
    {runner.tool('cr_checkpoint')} -f context $$; echo "status $?" >> log
    while [ ! -e go ]; do sleep 0.01; done
    exit 21
  """
  shell = subprocess.Popen(["/bin/bash", "-c", script], cwd=directory, start_new_session=True,
                           stdin=subprocess.DEVNULL)
  wait_until(lambda: (directory / "log").exists() and "status" in (directory / "log").read_text(),
             "the checkpoint is done")
  assert (directory / "log").read_text() == "start\nstatus 0\n"
  shell.kill()
  shell.wait()
  processes.kill_all()
  (directory / "go").touch()
  job = restart(directory)
  assert job.wait(20) == 21
