# SPDX-License-Identifier: Apache-2.0
"""A program that nobody wrote for us, as a job that is saved, killed and brought back."""

import subprocess

import processes
import runner
from processes import wait_until
from targets import check_success, run


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
    check_success(run("cr_checkpoint", *options, "-f", self.directory / "context", self.pid,
                      timeout=60 * processes.PATIENCE))

  def restart(self):
    processes.kill_all()
    self.judge.wait()
    with open(self.directory / "restart.err", "ab") as errors:
      self.judge = subprocess.Popen(
        [runner.tool("cr_restart"), "-f", self.directory / "context"], cwd=self.directory,
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=errors,
        start_new_session=True)


def undisturbed_answer(command, directory):
  job = Job(command, directory)
  return job.answer()
