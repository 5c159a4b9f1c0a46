# SPDX-License-Identifier: Apache-2.0
"""What programs with libcr see when a checkpoint fails, its tool dies, or a thread of theirs does."""

import errno
import os

import pytest

import processes
import runner
from libcr_programs import Program, with_small_files
from processes import wait_until

TEMPORARY = -2354


def test_a_failing_write_is_a_temporary_failure_to_callbacks(directory):
  program = Program("own_action", directory, "own", "both")
  program.file("go")
  result = program.checkpoint(preexec_fn=with_small_files(8192))
  assert result.returncode == errno.EFBIG
  program.await_line(f"thread ends {TEMPORARY}")
  program.await_line(f"signal ends {TEMPORARY}")
  program.save()
  program.await_line("thread ends 0")
  program.end()


def fail(program):
  result = program.checkpoint(scope="-T", preexec_fn=with_small_files(8192))
  assert result.returncode == errno.EFBIG, result.stderr


def test_the_next_checkpoint_waits_for_callbacks_of_one_that_failed(directory):
  program = Program("slow_after_failure", directory, 100)
  for _ in range(3):
    fail(program)
  program.save("--time", "60", scope="-T")
  fail(program)
  # Alone: the callbacks of the other one need not be waited for by the tool, but they must run.
  program.save("--time", "60", scope="-p")
  program.save("--time", "60", scope="-T")
  program.end()
  assert program.lines()[-1] == "right: 8 failures, 5 successes"


def test_but_not_for_ever(directory):
  program = Program("slow_after_failure", directory, 4000)
  fail(program)
  result = program.checkpoint("--time", "1", scope="-T")
  assert result.returncode == errno.EBUSY, result.stderr
  assert "still busy with the callbacks of another checkpoint" in result.stderr
  program.save("--time", "60", scope="-T")
  program.end()
  assert program.lines()[-1] == "right: 2 failures, 2 successes"


ACTIONS = ("default", "ignore", "own", "blocked")


@pytest.mark.parametrize("part", ["thread", "signal", "both", "section"])
@pytest.mark.parametrize("action", ACTIONS)
def test_own_action_comes_back_after_the_tool_was_killed(directory, action, part):
  """… by libcr itself, when the callbacks or the section end."""
  program = Program("own_action", directory, action, part)
  tool = program.start_checkpoint()
  if part == "section":
    # Nothing in the program says that it is waited for but its action.
    program_has_handler = lambda: has_handler(program.pid)
    if action in ("default", "ignore"):
      wait_until(program_has_handler, "the handler is in place")
    else:
      wait_until(lambda: tool_waits(program.pid, tool.pid), "the tool waits")
  else:
    program.await_line("(thread|signal) begins")
  tool.kill()
  tool.wait()
  program.file("go")
  if part == "both":
    # The engine had not come to the other one: it is not begun.
    program.await_line(f"thread ends {TEMPORARY}")
  elif part != "section":
    program.await_line(f"{part} ends {TEMPORARY}")
  program.end()


@pytest.mark.parametrize("action", ACTIONS)
@pytest.mark.parametrize("part", ["both", "section"])
def test_own_action_is_kept_by_a_checkpoint_and_a_restart(directory, action, part):
  program = Program("own_action", directory, action, part)
  program.file("go")
  program.save()
  program.save_and_kill()
  program.restart()
  program.end()


@pytest.mark.parametrize("action", ACTIONS)
def test_own_action_comes_back_after_failures(directory, action):
  program = Program("own_action", directory, action, "both")
  program.file("go")
  for _ in range(5):
    assert program.checkpoint(preexec_fn=with_small_files(8192)).returncode == errno.EFBIG
  program.end()


def has_handler(pid):
  return int(processes.status(pid, "SigCgt"), 16) >> 63 & 1


def tool_waits(pid, tool):
  """The tool has let the program run on."""
  return processes.status(pid, "TracerPid") == str(tool) and processes.state(pid) == "S"


@pytest.mark.parametrize("arguments", [["thread"], ["signal"], ["signal", "raw"]], ids="-".join)
@pytest.mark.parametrize("way", ["continue", "restart"])
def test_a_thread_ends_in_its_callback(directory, arguments, way):
  program = Program("ends_in_callback", directory, *arguments)
  if way == "continue":
    program.save()
  else:
    program.save_and_kill()
    program.restart()
  program.await_line(f"ends in callback {int(way == 'restart')}")
  program.await_line(f"responds {int(way == 'restart')}")
  wait_until(lambda: processes.is_untouched(program.pid), "let go")
  wait_until(lambda: program.checkpoint().returncode == 0, "another checkpoint")
  program.await_line("responds 0", 2 if way == "continue" else 1)
  # The library makes itself another thread for the others' callbacks.
  if arguments == ["thread"]:
    program.await_line("ends in callback 0", 2 if way == "continue" else 1)
  program.end()
