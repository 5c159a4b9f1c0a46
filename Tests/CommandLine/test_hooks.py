# SPDX-License-Identifier: Apache-2.0
"""cr_restart --run-on-*: which command runs after what, and whose status counts."""

import json
import os
import shlex
import subprocess

import pytest

import processes
import runner
from processes import wait_until
from targets import check_failure, check_success, run, run_as_nobody

KINDS = ("args", "temp", "env", "perm")


def hooks(directory):
  """Options by which each hook leaves a file of its name."""
  return [f"--run-on-fail-{kind}=touch {shlex.quote(str(directory / kind))}" for kind in KINDS] + [
    f"--run-on-success=touch {shlex.quote(str(directory / 'success'))}"]


def ran(directory):
  return {name for name in (*KINDS, "success") if (directory / name).exists()}


def make_failure(kind, target, directory):
  """A context whose restart fails in this way, and the status of that."""
  context = directory / "context"
  if kind == "args":
    return directory / "missing", 2
  check_success(run("cr_checkpoint", "-f", context, target.pid))
  if kind == "temp":
    return context, 16
  target.forget()
  if kind == "env":
    os.rename(target.directory, directory / "away")
    return context, 2
  context.chmod(0o600)
  context.write_bytes(context.read_bytes()[:-100])
  return context, 5


@pytest.mark.parametrize("kind", KINDS)
def test_a_failure_runs_its_own_hook(kind, target, directory):
  context, status = make_failure(kind, target, directory)
  result = run("cr_restart", *hooks(directory), context)
  check_failure(result, "", status)
  assert ran(directory) == {kind}


@pytest.mark.parametrize("kind", KINDS)
def test_run_on_failure_is_for_all_of_them(kind, target, directory):
  context, status = make_failure(kind, target, directory)
  result = run("cr_restart", f"--run-on-failure=touch {directory}/any", context)
  check_failure(result, "", status)
  assert (directory / "any").exists()


@pytest.mark.parametrize("kind", KINDS)
def test_a_hook_that_fails_speaks_for_itself(kind, target, directory):
  context, _ = make_failure(kind, target, directory)
  result = run("cr_restart", f"--run-on-fail-{kind}=exit 75", context)
  assert result.returncode == 75
  assert result.stderr == ""


def test_a_hook_that_works_leaves_message_and_status(directory):
  result = run("cr_restart", "--run-on-fail-args=echo from the hook", directory / "missing")
  check_failure(result, "missing", 2)
  assert result.stdout == "from the hook\n"


def test_a_wrong_command_line_runs_the_hook_for_arguments(directory):
  run("cr_restart", *hooks(directory), "--no-such-option", "a")
  assert ran(directory) == {"args"}


def test_success_runs_its_hook_and_goes_on(context, target, directory):
  target.come_back(context, *hooks(directory))
  # The program runs on while the hook does.
  wait_until(lambda: ran(directory), "the hook has run")
  assert ran(directory) == {"success"}
  target.check_answer()


def test_a_success_hook_that_fails_is_the_end_of_cr_restart(context, target):
  target.path("restarted").touch()
  result = run("cr_restart", "--run-on-success=exit 9", context)
  assert result.returncode == 9 and result.stderr == ""
  target.check_runs()


def test_the_hook_runs_in_a_shell(directory):
  result = run("cr_restart", "--run-on-fail-args=for i in 1 2; do echo $i; done | tail -n 1",
               directory / "missing")
  assert result.stdout == "2\n"


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root to be two users")
def test_a_file_that_may_not_be_read_is_a_wrong_argument(context, directory):
  context.chmod(0o400)
  result = run_as_nobody(directory, "cr_restart", *hooks(directory), context)
  check_failure(result, "ermission", 13)
  assert ran(directory) == {"args"}


# Itself in later checkpoints

@pytest.mark.parametrize("option, expected", (
  ((), "job"), (("--omit-maybe",), "job"), (("--omit-always",), "job"),
  (("--omit-never",), "both")))
def test_a_checkpoint_of_cr_restart_itself(option, expected, context, target, directory):
  target.come_back(context, *option)
  restarter = target.judge.pid
  check_success(run("cr_checkpoint", "-f", directory / "b", restarter))
  report = json.loads(run("cr_info", "--json", directory / "b").stdout)
  saved = [process["pid"] for process in report["processes"]]
  assert saved == ([target.pid] if expected == "job" else [restarter, target.pid])
  target.check_answer()


@pytest.mark.parametrize("option, saves_it", (((), True), (("--omit-always",), False),
                                             (("--omit-never",), True)))
def test_a_checkpoint_of_a_tree_with_cr_restart_in_it(option, saves_it, context, target, directory):
  target.path("restarted").touch()
  command = shlex.join([runner.tool("cr_restart"), *option, str(context)])
  shell = target.judge = subprocess.Popen(
    ["/bin/bash", "-c", f"{command}; exit $?"], cwd=target.directory, start_new_session=True,
    stdin=subprocess.DEVNULL, stderr=open(target.path("restart.err"), "ab"))
  target.await_answer()
  restarter = processes.descendants(shell.pid)[0]
  check_success(run("cr_checkpoint", "-f", directory / "b", shell.pid))
  report = json.loads(run("cr_info", "--json", directory / "b").stdout)
  saved = {process["pid"] for process in report["processes"]}
  assert saved == {shell.pid, target.pid} | ({restarter} if saves_it else set())
  target.check_answer()
