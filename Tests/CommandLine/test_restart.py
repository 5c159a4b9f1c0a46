# SPDX-License-Identifier: Apache-2.0
"""cr_restart: what must be as before, what it refuses, and how it stands for its child."""

import os
import resource
import shutil
import signal
import subprocess
import time

import pytest

import processes
import runner
from processes import wait_until
from targets import Target, check_failure, check_success, run


def checkpoint(target, *options, context="context"):
  path = target.path(context)
  check_success(run("cr_checkpoint", *options, "-f", path, target.pid))
  return path


def shell(directory, script):
  """A bash that has said "ready", checkpointed, gone; returns (pid, context)."""
  (directory / "shell").mkdir(exist_ok=True)
  with open(directory / "shell" / "output", "ab") as output:
    process = subprocess.Popen(
      ["/bin/bash", "-c", script], cwd=directory / "shell", stdout=output,
      stderr=output, stdin=subprocess.DEVNULL, start_new_session=True)
  wait_until(lambda: "ready" in (directory / "shell" / "output").read_text(), "ready")
  # Past its last echo and into its wait.
  wait_until(lambda: processes.state(process.pid) == "S", "asleep")
  context = directory / "context"
  check_success(run("cr_checkpoint", "-f", context, process.pid))
  processes.kill_all()
  process.wait()
  return process.pid, context


WAIT = "while [ ! -e go ]; do sleep 0.01; done;"


def start_restart(context, *options, **settings):
  return subprocess.Popen(
    [runner.tool("cr_restart"), *options, "-f", context],
    **{"stdin": subprocess.DEVNULL, "start_new_session": True, **settings})


@pytest.mark.parametrize("status", (0, 1, 77, 255))
def test_it_ends_with_the_status_of_its_child(status, directory):
  _, context = shell(directory, f"echo ready; {WAIT} exit {status}")
  (directory / "shell" / "go").touch()
  assert start_restart(context).wait(20) == status


@pytest.mark.parametrize("number", ("KILL", "TERM", "SEGV", "USR1", "RTMIN"))
def test_it_dies_of_the_signal_of_its_child(number, directory):
  _, context = shell(directory, f"echo ready; {WAIT} kill -{number} $$; sleep 10")
  (directory / "shell" / "go").touch()
  expected = signal.SIGRTMIN if number == "RTMIN" else getattr(signal, f"SIG{number}")
  assert start_restart(context).wait(20) == -expected


def test_it_leaves_no_core_of_its_own(directory):
  _, context = shell(directory, f"echo ready; {WAIT} kill -SEGV $$; sleep 10")
  (directory / "shell" / "go").touch()
  (directory / "here").mkdir()

  def allow_cores():
    hard = resource.getrlimit(resource.RLIMIT_CORE)[1]
    resource.setrlimit(resource.RLIMIT_CORE, (hard, hard))
  assert start_restart(context, cwd=directory / "here", preexec_fn=allow_cores).wait(20) == -11
  assert os.listdir(directory / "here") == []


@pytest.mark.parametrize("number", (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGUSR1,
                                    signal.SIGUSR2, signal.SIGQUIT, signal.SIGALRM))
def test_it_hands_on_signals(number, directory):
  name = signal.Signals(number).name[3:]
  _, context = shell(
    directory, f'trap "echo heard; exit 44" {name}; echo ready; while :; do sleep 0.01; done')
  job = start_restart(context)
  wait_until(lambda: processes.descendants(job.pid), "the child is there")
  wait_until(lambda: all(map(processes.is_untouched, processes.descendants(job.pid))), "it runs")
  time.sleep(0.1)
  job.send_signal(number)
  assert job.wait(20) == 44
  assert "heard" in (directory / "shell" / "output").read_text()


def test_it_stops_and_continues_with_its_child(target):
  context = checkpoint(target)
  target.forget()
  # In a group that is not orphaned, or the kernel would not stop it.
  target.come_back(context, start_new_session=False, preexec_fn=lambda: os.setpgid(0, 0))
  target.judge.send_signal(signal.SIGTSTP)
  wait_until(lambda: processes.state(target.pid) == "T", "the child is stopped")
  wait_until(lambda: processes.state(target.judge.pid) == "T", "cr_restart is stopped")
  target.judge.send_signal(signal.SIGCONT)
  target.check_runs()
  target.check_answer()


def test_it_is_the_parent_of_the_root(target):
  context = checkpoint(target)
  target.forget()
  target.come_back(context)
  assert int(processes.status(target.pid, "PPid")) == target.judge.pid
  target.check_answer()


def test_the_file_may_be_an_operand(target):
  context = checkpoint(target)
  target.forget()
  target.judge = subprocess.Popen([runner.tool("cr_restart"), context], start_new_session=True)
  target.await_answer()
  target.check_answer()


@pytest.mark.parametrize("through", ("a file", "a pipe"))
def test_the_file_may_be_an_open_descriptor(through, target):
  context = checkpoint(target)
  target.forget()
  if through == "a file":
    source = open(context, "rb")
  else:
    source = subprocess.Popen(["cat", context], stdout=subprocess.PIPE).stdout
  with source, open(target.path("restart.err"), "wb") as errors:
    target.judge = subprocess.Popen(
      [runner.tool("cr_restart"), "-F", "0"], stdin=source, stderr=errors, start_new_session=True)
    target.await_answer()
  target.check_answer()


def test_a_second_restart_of_the_same_file(target):
  context = checkpoint(target)
  for _ in range(3):
    target.forget()
    target.come_back(context)
  target.check_answer()


def test_a_pid_in_use_is_refused(target):
  context = checkpoint(target)
  check_failure(run("cr_restart", "-f", context), rf"\b{target.pid}\b", 16)
  target.check_runs()
  target.check_answer()


def test_a_pid_of_a_child_in_use_is_refused_and_nothing_remains(start):
  """The root's pid is free and a child's is not: the root must not be left behind."""
  target = start("exit_status_of_children")
  child = processes.descendants(target.pid)[-1]
  context = checkpoint(target)
  os.kill(target.pid, signal.SIGKILL)
  target.judge.wait()
  processes.kill_all(keep=[child])
  check_failure(run("cr_restart", "-f", context), rf"\b{child}\b", 16)
  assert not processes.is_alive(target.pid)
  assert processes.descendants(os.getpid()) == [child]


def test_without_restore_pid_it_runs_beside_the_first(start):
  target = start("private_anonymous_memory")
  context = checkpoint(target)
  target.go()
  assert target.next_stop() == "ready"
  # The first has gone on to its second stop; the copy comes from before the first.
  job = start_restart(context, "--no-restore-pid")
  wait_until(lambda: processes.descendants(job.pid), "the copy is there")
  copy = processes.descendants(job.pid)[0]
  assert copy != target.pid
  target.check_runs()
  target.go()
  target.judge_end()
  assert job.wait(20) == 0


def test_threads_survive_without_restore_pid(start):
  target = start("mutex_waited_for_over_the_checkpoint")
  context = checkpoint(target)
  target.forget()
  target.come_back(context, "--no-restore-pid")
  target.check_answer()


def test_a_tree_survives_without_restore_pid(directory):
  _, context = shell(directory, f"(exit 3) & (sleep 0.5; exit 5) & echo ready; {WAIT} exit 9")
  (directory / "shell" / "go").touch()
  assert start_restart(context, "--no-restore-pid").wait(20) == 9


def test_standard_output_to_a_pipe_is_the_new_one(directory):
  """The old pipe's other end is not in the job: cr_restart's own output takes its place."""
  process = subprocess.Popen(
    ["/bin/bash", "-c", f"echo before; {WAIT} echo after; echo error >&2"], cwd=directory,
    stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=subprocess.PIPE, start_new_session=True)
  assert process.stdout.readline() == b"before\n"
  wait_until(lambda: processes.state(process.pid) == "S", "asleep")
  check_success(run("cr_checkpoint", "-f", directory / "context", process.pid))
  processes.kill_all()
  process.wait()
  (directory / "go").touch()
  result = run("cr_restart", "-f", directory / "context")
  assert result.returncode == 0, result.stderr
  assert result.stdout == "after\n"
  assert result.stderr.splitlines()[-1] == "error"


@pytest.fixture
def own_program(directory):
  """A target whose program file is its own copy."""
  target = Target(directory / "own")
  copy = target.path("program")
  shutil.copy(target.scenario.program, copy)
  return target, copy


def start_copy(target, copy):
  with open(target.path("output"), "ab") as output:
    target.judge = subprocess.Popen(
      [copy], cwd=target.directory, env={"SCENARIO_DIR": str(target.directory)}, stdout=output,
      stderr=output, stdin=subprocess.DEVNULL, start_new_session=True)
  target.root = target.judge.pid
  assert target.next_stop() == "ready"
  context = checkpoint(target)
  target.forget()
  return context


def test_a_changed_program_is_refused_by_name(own_program):
  target, copy = own_program
  context = start_copy(target, copy)
  with open(copy, "ab") as file:
    file.write(b"changed")
  check_failure(run("cr_restart", context), "program.*not the same")
  assert not processes.descendants(os.getpid())


def test_a_program_built_anew_is_refused_by_name(own_program):
  target, copy = own_program
  context = start_copy(target, copy)
  shutil.copy(runner.program("mutex_held_over_the_checkpoint"), copy)
  check_failure(run("cr_restart", context), "program.*not the same")


def test_a_missing_program_is_refused_by_name(own_program):
  target, copy = own_program
  context = start_copy(target, copy)
  copy.unlink()
  check_failure(run("cr_restart", context), "program.*no such file", 2)


def test_a_copy_of_the_program_with_the_same_times_is_accepted(own_program):
  """As after a backup or rsync: another inode, but the same size, time and contents."""
  target, copy = own_program
  context = start_copy(target, copy)
  shutil.copy2(copy, target.path("second"))
  os.rename(target.path("second"), copy)
  target.come_back(context)
  target.check_answer()


def test_a_changed_mapped_file_is_refused_by_name(start):
  target = start("private_file_mapping")
  context = checkpoint(target)
  target.forget()
  time.sleep(0.02)
  with open(target.path("data"), "r+b") as file:
    file.write(b"changed")
  check_failure(run("cr_restart", context), "data.*not the same")


def test_a_missing_mapped_file_is_refused_by_name(start):
  target = start("private_file_mapping")
  context = checkpoint(target)
  target.forget()
  target.path("data").unlink()
  check_failure(run("cr_restart", context), "data.*no such file", 2)


def test_a_missing_open_file_is_refused_by_name(start):
  target = start("descriptors_of_one_open_file")
  context = checkpoint(target)
  target.forget()
  target.path("data").unlink()
  check_failure(run("cr_restart", context), "data.*no such file", 2)
  assert not processes.descendants(os.getpid())


def test_a_missing_working_directory_is_refused_by_name(start):
  target = start("umask_and_working_directory")
  context = checkpoint(target)
  target.forget()
  target.path("inside").rmdir()
  check_failure(run("cr_restart", context), "inside.*no such file", 2)


def test_a_file_that_has_grown_is_cut_back_with_a_warning(start):
  target = start("file_position_and_flags")
  context = checkpoint(target)
  target.forget()
  with open(target.path("written"), "ab") as file:
    file.write(b"written after the checkpoint")
  target.come_back(context)
  assert target.path("written").read_bytes() == b"hello "
  assert "written" in target.path("restart.err").read_text()
  target.check_answer()


def test_killing_it_early_leaves_nothing_half_made(start):
  """At any moment: either the job runs, or there is none."""
  target = start("threads_64_with_futexes")
  context = checkpoint(target)
  target.forget()
  came_back = 0
  for step in range(25):
    job = start_restart(context, stderr=subprocess.DEVNULL)
    time.sleep(step * 0.001)
    job.kill()
    job.wait()
    # What was held by a tracer that died needs a moment to die, too.
    wait_until(lambda: all(map(processes.is_untouched, processes.descendants(os.getpid()))),
               "nobody is held")
    time.sleep(0.005)
    if processes.is_alive(target.pid):
      ping = target.path("ping")
      ping.touch()
      wait_until(lambda: not ping.exists() or not processes.is_alive(target.pid), "it runs")
      came_back += 1
    processes.kill_all()
  target.come_back(context)
  target.check_answer()
