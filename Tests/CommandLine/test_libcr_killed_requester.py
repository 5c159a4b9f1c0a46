# SPDX-License-Identifier: Apache-2.0
"""SIGKILL for whoever asks for a checkpoint, at any moment: the target with its callbacks goes on.

CR_LIBCR_KILLS=5000 in the environment: that many kills in all.
"""

import os
import random
import re
import subprocess
import time

import processes
import runner
from libcr_programs import Program, compile_test
from processes import wait_until

KILLS = int(os.environ.get("CR_LIBCR_KILLS", "500")) // 2


def descriptors(pid):
  return sorted(os.listdir(f"/proc/{pid}/fd"))


def mappings(pid):
  with open(f"/proc/{pid}/maps") as file:
    return [line.split()[0:2] for line in file]


def resident(pid):
  return int(processes.status(pid, "VmRSS").split()[0])


def check_goes_on(target):
  """The next checkpoint works, once callbacks that were under way are over."""
  wait_until(lambda: target.checkpoint().returncode == 0, "a checkpoint succeeds")
  target.save()


def whole(once):
  """How long a request takes that nobody kills, on this machine as busy as it is."""
  begin = time.monotonic()
  requester = once()
  assert requester.wait(60) == 0
  return time.monotonic() - begin


def kill_many(target, start, once, *, keeps_all):
  choice = random.Random(start.__name__)
  target.save()
  before = descriptors(target.pid), mappings(target.pid), resident(target.pid)
  for turn in range(KILLS):
    if turn % 25 == 0:
      wait_until(lambda: target.checkpoint().returncode == 0, "the killed one is over")
      span = whole(once)
    requester = start()
    time.sleep(choice.uniform(0, 1.1 * span))
    requester.kill()
    requester.wait()
    assert target.process.poll() is None, target.lines()
  check_goes_on(target)
  # Threads of other tests' helpers are not ours: nothing but the target is left.
  wait_until(lambda: [pid for pid in processes.descendants(os.getpid())
                      if processes.is_alive(pid)] == [target.pid], "all tools have ended", 30)
  if keeps_all:
    assert descriptors(target.pid) == before[0]
    assert mappings(target.pid) == before[1]
  # An engine that is killed outright may leave its file open in the target, and scratch memory.
  assert len(descriptors(target.pid)) <= len(before[0]) + KILLS // 10
  assert resident(target.pid) < before[2] + 4096
  target.save_and_kill()
  target.restart()
  target.end()
  said = target.lines()[-1]
  callbacks, failures = map(int, re.match(r"right: (\d+) callbacks, (\d+) failures", said).groups())
  assert callbacks > KILLS // 5 and failures > 0, said
  assert said.endswith("restarted 1")


def test_cr_checkpoint_killed(directory):
  target = Program("stays_right", directory)

  def checkpoint():
    return subprocess.Popen(
      [runner.tool("cr_checkpoint"), "-p", "--nosync", "-f", directory / "dead", str(target.pid)],
      stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
  kill_many(target, checkpoint, checkpoint, keeps_all=False)


def test_requesting_program_killed(directory):
  target = Program("stays_right", directory)
  program = compile_test("asks", directory)

  def request(times=0):
    return subprocess.Popen(
      [program, str(target.pid), "dead", str(times)], cwd=directory, stdin=subprocess.DEVNULL,
      stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
      env={**os.environ, "LIBCR_TOOLS": str(runner.BUILD / "bin")})
  kill_many(target, request, lambda: request(1), keeps_all=True)


def test_a_program_that_requests_a_restart_killed(directory):
  """What it had begun is undone, or is whole and goes on without it; nothing in between."""
  target = Program("stays_right", directory)
  target.save_and_kill()
  program = compile_test("restart_request", directory)
  choice, whole_ones, undone = random.Random(1), 0, 0

  def start():
    with open(directory / "said", "wb") as said:
      return subprocess.Popen(
        [program, "file", "ctx"], cwd=directory, stdin=subprocess.DEVNULL, stdout=said, stderr=said,
        env={**os.environ, "LIBCR_TOOLS": str(runner.BUILD / "bin")})

  def alive():
    return [pid for pid in processes.descendants(os.getpid()) if processes.is_alive(pid)]

  def is_settled():
    return all(pid == target.pid and processes.runs_again(pid) for pid in alive())
  begin = time.monotonic()
  requester = start()
  wait_until(lambda: b"root" in (directory / "said").read_bytes(), "the restart", 60)
  span = time.monotonic() - begin
  requester.kill()
  for turn in range(max(20, KILLS // 10)):
    requester.wait()
    wait_until(is_settled, "what was begun is over", 30)
    if alive():
      whole_ones += 1
      (directory / "end").touch()
      # It has come to us, as to init.
      assert os.waitpid(target.pid, 0)[1] == 0, target.lines()
      (directory / "end").unlink()
    else:
      undone += 1
    requester = start()
    time.sleep(choice.uniform(0, 1.3 * span))
    requester.kill()
  requester.wait()
  assert whole_ones > 0 and undone > 0
