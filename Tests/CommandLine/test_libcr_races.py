# SPDX-License-Identifier: Apache-2.0
"""Checkpoints while everything else happens, too: threads and processes come and go, signals rain,
threads are cancelled, the library is loaded, the target dies.

CR_LIBCR_STRESS=30 in the environment: that many seconds for each of the tests; else a short while.
"""

import os
import random
import re
import signal
import subprocess
import time

import pytest

import processes
import runner
from libcr_programs import LIBRARIES, Program, compile_test
from processes import wait_until

SECONDS = float(os.environ.get("CR_LIBCR_STRESS", "1"))


def save_for(program, seconds, *options, **settings):
  """Checkpoints in close succession; each of them succeeds."""
  choice, end, count = random.Random(program.pid), time.monotonic() + seconds, 0
  while time.monotonic() < end or count < 5:
    program.save("--nosync", "--time", "30", *options, **settings)
    count += 1
    time.sleep(choice.uniform(0, 0.02))
  return count


def save_kill_restart(program, **settings):
  """A series of checkpoints, a restart from the last, and a series again."""
  count = save_for(program, SECONDS / 2, **settings)
  program.save("--time", "30", **settings)
  processes.kill_all()
  program.process.poll()
  program.restart()
  wait_until(lambda: processes.runs_again(program.pid), "let go")
  return count + 1 + save_for(program, SECONDS / 2, **settings)


def said(program, pattern):
  found = re.match(pattern, program.lines()[-1])
  assert found, program.lines()
  return list(map(int, found.groups()))


def test_threads_come_and_go(directory):
  program = Program("short_threads", directory)
  count = save_kill_restart(program)
  program.end()
  threads, callbacks, restarts = said(program, r"right: (\d+) threads, (\d+) callbacks, (\d+) restarts")
  assert threads > 10 and callbacks >= count and restarts == 1


def test_processes_come_and_go(directory):
  program = Program("makes_processes", directory)
  save_kill_restart(program, scope="-T")
  program.end()
  _, signals, servers, failures, restarts = said(
    program, r"right: (\d+) children, (\d+) and (\d+) callbacks, (\d+) failures, (\d+) restarts")
  assert signals > 5 and servers > 5 and failures == 0 and restarts == 1


def test_a_process_alone_makes_others(directory):
  program = Program("makes_processes", directory)
  count = save_for(program, SECONDS)
  program.end()
  _, signals, servers, failures, _ = said(
    program, r"right: (\d+) children, (\d+) and (\d+) callbacks, (\d+) failures, (\d+) restarts")
  assert signals == servers == count and failures == 0


def test_it_executes_itself(directory):
  program = Program("makes_processes", directory, "exec", 1000000, until="main waits")
  save_for(program, SECONDS)
  program.save("--time", "30")
  program.process.kill()
  program.process.wait(30)
  program.restart()
  program.end()


def test_a_call_comes_at_any_instruction_of_enter_and_leave(directory):
  """While the callbacks of another process keep everybody waiting."""
  program = Program("tight_sections", directory)
  count = save_kill_restart(program, scope="-T")
  program.end()
  callbacks, restarts = said(program, r"right: (\d+) callbacks, (\d+) restarts")
  assert callbacks == count and restarts == 1


def test_signals_rain_on_callbacks(directory):
  program = Program("interrupted_callbacks", directory)
  count = save_kill_restart(program)
  program.end()
  callbacks, signals, ticks, inside, restarts = said(
    program, r"right: (\d+) callbacks, (\d+) signals, (\d+) ticks, (\d+) of them inside, (\d+) restarts")
  assert callbacks == 2 * count and restarts == 1
  assert signals > 100 and inside > count


def test_threads_are_cancelled(directory):
  program = Program("cancelled", directory)
  count = save_kill_restart(program)
  program.end()
  threads, callbacks, restarts = said(program, r"right: (\d+) threads, (\d+) callbacks, (\d+) restarts")
  assert threads > 20 and callbacks >= count and restarts == 1


@pytest.mark.parametrize("uses", ["loads", "uses", "owns"])
def test_the_library_is_loaded_and_unloaded(directory, uses):
  compile_test("loads_library", directory, "-ldl")
  program = Program("loads_library", directory, LIBRARIES / "libcr.so.0", uses)
  save_kill_restart(program)
  program.end()
  loads, callbacks, restarts = said(program, r"right: (\d+) loads, (\d+) callbacks, (\d+) restarts")
  assert loads > 20 and (callbacks == 0 if uses == "loads" else callbacks > 0)


def test_the_library_is_loaded_during_a_request(directory):
  compile_test("loads_library", directory, "-ldl")
  for turn in range(max(10, int(SECONDS * 5))):
    (directory / "end").unlink(missing_ok=True)
    program = Program("loads_library", directory, LIBRARIES / "libcr.so.0", "uses")
    time.sleep(turn % 10 / 2000)
    program.save("--nosync", "--time", "30")
    program.end()


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_the_target_dies_during_a_request(directory, number):
  """Whenever it dies: no hang, and a file only if it was complete."""
  choice, failed = random.Random(number), 0
  for turn in range(max(20, int(SECONDS * 10))):
    program = Program("stays_right", directory, output=f"out.{turn}")
    (directory / "ctx").unlink(missing_ok=True)
    checkpoint = program.start_checkpoint("--nosync")
    time.sleep(choice.uniform(0, 0.012))
    os.kill(program.pid, number)
    _, errors = checkpoint.communicate(timeout=20)
    assert program.process.wait(20) == -number
    left = sorted(path.name for path in directory.iterdir() if path.name.startswith(("ctx", ".")))
    if checkpoint.returncode == 0:
      assert left == ["ctx"]
      check = subprocess.run([runner.tool("cr_info"), "--check", directory / "ctx"],
                             capture_output=True, text=True, timeout=30)
      assert check.returncode == 0, check.stderr
    else:
      failed += 1
      assert left == [] and re.search(f"process {program.pid}|have ended", errors), (left, errors)
  assert failed > 0


def test_stopped_ones_stay_stopped(directory):
  program = Program("stays_right", directory)
  for turn in range(max(5, int(SECONDS * 5))):
    os.kill(program.pid, signal.SIGSTOP)
    wait_until(lambda: processes.state(program.pid) == "T", "the stop")
    program.save("--nosync", "--time", "30")
    # It is on its way there when it has been let go.
    wait_until(lambda: processes.state(program.pid) == "T", "the stop again", 5)
    os.kill(program.pid, signal.SIGCONT)
    wait_until(lambda: processes.state(program.pid) != "T", "it goes on")
    if turn % 2:
      program.save("--nosync", "--time", "30")
  program.end()
