# SPDX-License-Identifier: Apache-2.0
"""cr_restart --restore-clock: the clocks since boot go on where they stood."""

import json
import os
import subprocess
import time
from pathlib import Path

import pytest

import processes
import runner
from processes import wait_until
from targets import NOBODY, check_failure, check_success, run, run_as_nobody

# Tells CLOCK_MONOTONIC and CLOCK_BOOTTIME for each line that it reads; and once when a moment of the former
# has come, for which a thread waits.
PROGRAM = """
import ctypes, sys, threading, time
libc = ctypes.CDLL(None)
def wait(moment):
  # TIMER_ABSTIME; made again when a checkpoint or a signal has interrupted it.
  times = (ctypes.c_long * 2)(int(moment), int(moment % 1 * 1e9))
  while libc.clock_nanosleep(time.CLOCK_MONOTONIC, 1, times, None): pass
  print("moment", time.monotonic() - moment, flush=True)
threading.Thread(target=wait, args=(time.monotonic() + float(sys.argv[1]),), daemon=True).start()
while True:
  with open("ask") as ask: ask.read()
  print("clocks", time.monotonic(), time.clock_gettime(time.CLOCK_BOOTTIME), flush=True)
"""

needs_namespaces = pytest.mark.skipif(
  not Path("/proc/self/timens_offsets").exists(), reason="no time namespaces")


class Job:
  def __init__(self, directory, moment, **settings):
    self.directory = directory
    os.mkfifo(directory / "ask")
    (directory / "ask").chmod(0o666)
    with open(directory / "output", "ab") as output:
      self.process = subprocess.Popen(
        ["/usr/bin/python3", "-c", PROGRAM, str(moment)], cwd=directory, stdin=subprocess.DEVNULL,
        stdout=output, stderr=output, start_new_session=True, **settings)
    self.pid = self.process.pid

  def lines(self, word):
    lines = (self.directory / "output").read_text().splitlines()
    return [tuple(map(float, line.split()[1:])) for line in lines if line.startswith(word)]

  def ask(self):
    """(CLOCK_MONOTONIC, CLOCK_BOOTTIME) as the program sees them."""
    known = len(self.lines("clocks"))

    def opened():
      try:
        return os.open(self.directory / "ask", os.O_WRONLY | os.O_NONBLOCK)
      except OSError:
        assert self.process.poll() is None, (self.directory / "errors").read_text()
        return None
    os.close(wait_until(opened, "it listens"))
    wait_until(lambda: len(self.lines("clocks")) > known, "it answers")
    return self.lines("clocks")[-1]

  def save_and_kill(self):
    check_success(run("cr_checkpoint", "--kill", "-f", self.directory / "context", self.pid))
    processes.kill_all()
    self.process.wait()

  def restart(self, *options, **settings):
    with open(self.directory / "errors", "ab") as errors:
      self.process = subprocess.Popen(
        [runner.tool("cr_restart"), *options, "-f", self.directory / "context"], cwd=self.directory,
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=errors, start_new_session=True,
        **settings)


@needs_namespaces
@pytest.mark.skipif(os.geteuid() != 0, reason="needs root")
def test_clocks_go_on_where_they_stood(directory):
  job = Job(directory, 1000)
  before, saved_at = job.ask(), time.monotonic()
  job.save_and_kill()
  time.sleep(2)
  job.restart("--restore-clock")
  after, answered_at = job.ask(), time.monotonic()
  # Two seconds less than have passed.
  for one, other in zip(before, after):
    assert one < other < one + answered_at - saved_at - 1.9
  # And once more, from the outside of that namespace.
  job.save_and_kill()
  time.sleep(1)
  job.restart("--restore-clock")
  assert after[0] < job.ask()[0] < after[0] + time.monotonic() - answered_at - 0.9


@needs_namespaces
@pytest.mark.skipif(os.geteuid() != 0, reason="needs root")
def test_a_moment_that_is_waited_for_comes_when_the_programs_clock_shows_it(directory):
  job = Job(directory, 3)
  job.ask()
  job.save_and_kill()
  time.sleep(4)
  job.restart("--restore-clock")
  job.ask()
  assert not job.lines("moment")
  late = wait_until(lambda: job.lines("moment"), "the moment")[0][0]
  assert 0 <= late


def test_without_the_option_they_are_those_of_the_machine(directory):
  job = Job(directory, 1)
  job.ask()
  job.save_and_kill()
  time.sleep(1.5)
  job.restart(*([] if os.geteuid() == 0 else ["--no-restore-pid"]))
  asked = time.monotonic()
  assert job.ask()[0] >= asked
  # It was over when the program came back.
  wait_until(lambda: job.lines("moment"), "the moment")


@needs_namespaces
def test_ordinary_users_need_rootless(directory):
  job = Job(directory, 1000, **NOBODY)
  before = job.ask()
  saved_at = time.monotonic()
  result = subprocess.run(
    [runner.tool("cr_checkpoint"), "--kill", "-f", directory / "context", str(job.pid)],
    capture_output=True, text=True, timeout=60)
  assert result.returncode == 0, result.stderr
  processes.kill_all()
  job.process.wait()
  for file in "context", "output":
    (directory / file).chmod(0o666)
  for options in (), ("--check",):
    check_failure(
      run_as_nobody(directory, "cr_restart", "--no-restore-pid", "--restore-clock", *options, "-f",
                    directory / "context"), "--restore-clock needs root.*--rootless", 1)
  time.sleep(1.5)
  with open(directory / "errors", "ab") as errors:
    job.process = subprocess.Popen(
      [directory / "cr_restart", "--rootless", "--restore-clock", "-f", directory / "context"],
      cwd=directory, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=errors,
      start_new_session=True, **NOBODY)
  after = job.ask()
  assert before[0] < after[0] < before[0] + time.monotonic() - saved_at - 1.4
