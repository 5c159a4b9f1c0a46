# SPDX-License-Identifier: Apache-2.0
"""Targets for the tests of the tools: scenarios that wait, and can say at any time that they run."""

import os
import re
import shutil
import subprocess

import processes
import runner
from processes import wait_until


def run(name, *arguments, **settings):
  """Runs one of our tools to its end."""
  settings = {"capture_output": True, "text": True, "timeout": 60, "stdin": subprocess.DEVNULL,
              **settings}
  return subprocess.run([runner.tool(name), *map(str, arguments)], **settings)


# Settings of a subprocess that is an ordinary user, when we are root.
NOBODY = {"user": 65534, "group": 65534, "extra_groups": []} if os.geteuid() == 0 else {}


def run_as_nobody(directory, name, *arguments):
  """As run(), but as an ordinary user; the build may stand where only root can read."""
  return subprocess.run([readable_copy(directory, name), *map(str, arguments)],
                        capture_output=True, text=True, timeout=60, **NOBODY)


def readable_copy(directory, name):
  copy = directory / name
  if not copy.exists():
    shutil.copy(runner.tool(name), copy)
    copy.chmod(0o755)
  return copy


def check_success(result):
  assert result.returncode == 0, f"{result.args}\n{result.returncode}\n{result.stderr}"
  return result


def check_failure(result, pattern, status=None):
  """The tool failed, with this status if given, and its message has `pattern` in it."""
  name = os.path.basename(result.args[0])
  assert result.returncode != 0, f"{result.args} ought to have failed"
  assert result.returncode > 0, f"{name} died of signal {-result.returncode}\n{result.stderr}"
  if status is not None:
    assert result.returncode == status, result.stderr
  assert re.search(pattern, result.stderr, re.I | re.S), f"no {pattern!r} in: {result.stderr}"
  for line in result.stderr.splitlines():
    assert line.startswith(f"{name}: ") or line.startswith(("Usage:", "Try ")), line
  return result


class Target(runner.Run):
  """A scenario that has arrived at its checkpoint_here()."""

  def __init__(self, directory, name="pipe_with_unread_bytes", machine=None):
    directory.mkdir(exist_ok=True)
    directory.chmod(0o777)
    super().__init__(runner.Scenario(runner.sources(machine)[name], machine), directory)

  @property
  def pid(self):
    return self.root

  def start(self, **settings):
    super().start(**settings)
    assert self.next_stop() == "ready", self.output()
    return self

  def check_runs(self):
    """It is held by nobody, and the program itself says that it runs."""
    ping = self.path("ping")
    ping.touch()
    wait_until(lambda: not ping.exists(), "the target runs", 10)
    assert processes.is_untouched(self.pid)
    assert processes.state(self.pid) in "SRD"

  def check_answer(self):
    """It finishes with the right answer."""
    self.go()
    while self.next_stop():
      self.go()
    self.judge_end()

  def forget(self):
    """Killed; its pid is free."""
    self.kill()

  def come_back(self, context, *options, **settings):
    """cr_restart is started; the scenario runs again."""
    self.path("restarted").touch()
    self.judge = subprocess.Popen(
      self.command(runner.tool("cr_restart"), *options, "-f", context),
      **{"stdin": subprocess.DEVNULL, "start_new_session": True, "cwd": self.directory,
         "stderr": open(self.path("restart.err"), "ab"), **settings})
    self.await_answer()
    return self

  def await_answer(self):
    ping = self.path("ping")
    ping.touch()

    def answered():
      if self.judge.poll() is not None:
        error = self.path("restart.err")
        self.fail(f"cr_restart ended with {self.judge.returncode}: "
                  f"{error.read_text() if error.exists() else ''}")
      return not ping.exists()
    wait_until(answered, "the restarted scenario runs", 20)
