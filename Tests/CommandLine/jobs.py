# SPDX-License-Identifier: Apache-2.0
"""A program that nobody wrote for us, as a job that is saved, killed and brought back."""

import subprocess
import time

import processes
import runner
from processes import wait_until
from targets import check_success, run


class Ended(Exception):
  """The job was done before the checkpoint came."""


class Job:
  """A command whose output goes to a file; what came back from the dead goes on there."""

  def __init__(self, command, directory):
    self.directory = directory
    self.output = directory / "output"
    self.output.unlink(missing_ok=True)
    with open(self.output, "wb") as output:
      self.judge = subprocess.Popen(
        command, cwd=directory, stdout=output, stderr=output, stdin=subprocess.DEVNULL,
        start_new_session=True)
    self.pid = self.judge.pid

  def await_begun(self):
    wait_until(lambda: b"begun" in self.output.read_bytes() or self.judge.poll() is not None,
               "the program has begun", 60)

  def answer(self):
    status = self.judge.wait(90)
    text = self.output.read_text()
    assert status == 0, f"{status}\n{text[-2000:]}\n{self.complaint()}"
    return text

  def complaint(self):
    path = self.directory / "restart.err"
    return path.read_text() if path.exists() else ""

  def checkpoint(self, *options):
    result = run("cr_checkpoint", *options, "-f", self.directory / "context", self.pid,
                 timeout=60 * processes.PATIENCE)
    if result.returncode != 0 and self.judge.poll() is not None:
      raise Ended
    check_success(result)

  def restart(self):
    processes.kill_all()
    self.judge.wait()
    with open(self.directory / "restart.err", "ab") as errors:
      self.judge = subprocess.Popen(
        [runner.tool("cr_restart"), "-f", self.directory / "context"], cwd=self.directory,
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=errors,
        start_new_session=True)


def undisturbed_answer(command, directory):
  return Job(command, directory).answer()


def killed_in_the_middle(start, between=0.0):
  """The answer of an undisturbed job, and a job that was saved, then saved again and killed, at work.

  How long a job takes, and we, depends on the machine and on what else it does: an undisturbed one
  tells, and one that is done too early is tried again from an earlier moment on. start() makes a job.
  """
  job = start()
  job.await_begun()
  begun = time.monotonic()
  expected = job.answer()
  pause = (time.monotonic() - begun) / 4
  for attempt in range(8):
    job = start()
    job.await_begun()
    time.sleep(pause)
    try:
      # On a machine that is too busy for two, one is left.
      if attempt < 4:
        job.checkpoint()
        time.sleep(min(between, pause))
      # The one that dies with all that it might have changed on disk.
      job.checkpoint("--kill")
      return expected, job
    except Ended:
      assert job.answer() == expected
      processes.kill_all()
      pause /= 2
  raise AssertionError("it is always done before its checkpoint")
