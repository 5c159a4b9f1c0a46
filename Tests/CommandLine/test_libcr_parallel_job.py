# SPDX-License-Identifier: Apache-2.0
"""A job as MPI libraries make them: it closes its connections in callbacks and opens them again."""

import errno
import re
import subprocess
import time

import pytest

import processes
import runner
from libcr_programs import Program, with_small_files

CONTEXTS = ["thread", "signal"]


class Job(Program):
  def __init__(self, directory, context, way="tree"):
    super().__init__("parallel_job", directory, context, way)
    self.generation = 0

  def said(self, pattern):
    return sum(1 for line in self.lines() if re.search(pattern, line))

  def save_all(self):
    """… and the ranks talk to each other again."""
    before = self.said("reconnected 0")
    self.save(scope="--tree")
    self.await_line("reconnected 0", before + 1)

  def ask(self):
    """Rank 0 does it."""
    before = self.said("asked 1")
    self.file("ask")
    self.await_line("asked 1", before + 1)

  def restart_all(self, context="ctx"):
    processes.kill_all()
    self.generation += 1
    self.restart(context=context)
    self.await_line("reconnected 1", self.generation)

  def end_right(self):
    self.end()
    said = re.match(r"right: (\d+) turns, (\d+) callbacks, (\d+) restarts, (\d+) in flight",
                    self.lines()[-1])
    assert said, self.lines()
    return dict(zip(("turns", "callbacks", "restarts", "in flight"), map(int, said.groups())))


def has_socket(context):
  shown = subprocess.run([runner.tool("cr_info"), "--fds", context], check=True,
                         stdout=subprocess.PIPE, text=True).stdout
  return "socket" in shown.lower() or "tcp" in shown.lower()


@pytest.mark.parametrize("context", CONTEXTS)
def test_saved_many_times_and_restarted_twice(directory, context):
  job = Job(directory, context)
  for _ in range(8):
    job.save_all()
    # In the midst of a turn, and not always at its beginning.
    time.sleep(0.005)
  assert not has_socket(directory / "ctx")
  for generation in range(2):
    job.save_and_kill(scope="--tree")
    job.restart_all()
    job.save_all()
  said = job.end_right()
  # Those of four ranks; restarts are as of the last context.
  assert said["callbacks"] == 4 * 12 and said["restarts"] == 2, said
  assert said["in flight"] > 0, "no checkpoint came while bytes were on their way"


@pytest.mark.parametrize("way", ["tree", "forward"])
@pytest.mark.parametrize("context", CONTEXTS)
def test_asked_for_by_rank_0(directory, context, way):
  job = Job(directory, context, way)
  for _ in range(3):
    job.ask()
  # A request that was under way when it was saved has succeeded.
  for generation in 1, 2:
    job.restart_all("own")
    job.await_line("asked -2 Restarted", generation)
    job.ask()
  assert not has_socket(directory / "own")
  said = job.end_right()
  assert said["restarts"] == 2 and said["callbacks"] == 4 * 5, said


@pytest.mark.parametrize("context", CONTEXTS)
def test_a_checkpoint_that_fails_leaves_the_job_connected(directory, context):
  job = Job(directory, context)
  for turn in range(1, 4):
    result = job.checkpoint(scope="--tree", preexec_fn=with_small_files(8192))
    assert result.returncode == errno.EFBIG, result.stderr
    job.await_line("reconnected -2354", turn)
  job.save_and_kill(scope="--tree")
  job.restart_all()
  said = job.end_right()
  assert said["restarts"] == 1
