# SPDX-License-Identifier: Apache-2.0
"""cr_restart as a job of an interactive shell behaves as the program itself would."""

import os
import re

import pytest

import processes
import runner
from processes import wait_until
from targets import check_success, run
from test_terminal import SHOUTER, Terminal

COUNTER = """
import time, itertools
for number in itertools.count():
    with open("count", "w") as file: file.write(str(number))
    if number == 0: print("ready", flush=True)
    time.sleep(0.01)
"""


class Shell(Terminal):
  """An interactive bash with job control at a terminal of its own."""

  def __init__(self, directory):
    os.environ["PS1"] = "prompt> "
    super().__init__("/bin/bash", "--norc", "--noprofile", "--noediting", "-i", directory=directory)
    self.turn = 0
    self.expect("prompt> ")

  def enter(self, line, seen=None):
    """What this command shows; with `seen` it goes on running behind that."""
    if seen:
      self.send(line + "\n")
      return self.expect(seen)
    self.turn += 1
    self.send(f"{line}\necho end'-'{self.turn}\n")
    return self.expect(f"end-{self.turn}\r\n")


@pytest.fixture
def shell(directory):
  """Opened by the test that wants it, when the program is saved."""
  shells = []

  def opened():
    shells.append(Shell(directory))
    return shells[-1]
  yield opened
  for one in shells:
    one.close()


def saved(directory, program, *words):
  """Saves this program, which ends by that."""
  terminal = Terminal("/usr/bin/python3", "-c", program, *words, directory=directory)
  terminal.expect("ready")
  check_success(run("cr_checkpoint", "-f", directory / "context", terminal.pid))
  processes.kill_all()
  terminal.close()


def restart(*options):
  return " ".join([runner.tool("cr_restart"), *options, "-f", "context"])


def counts(directory):
  """Whether the counter runs: it writes other numbers from time to time."""
  before = (directory / "count").read_text()
  try:
    wait_until(lambda: (directory / "count").read_text() not in ("", before), "the counter", 0.5)
    return True
  except processes.Timeout:
    return False


GROUPS = pytest.mark.parametrize("options", [[], ["--restore-pgid"]], ids=["our group", "old group"])


@GROUPS
def test_keys_stop_and_end_it(shell, directory, options):
  saved(directory, COUNTER)
  (directory / "count").unlink()
  bash = shell()
  bash.send(restart(*options) + "\n")
  wait_until(lambda: (directory / "count").exists(), "the counter")
  bash.send("\x1a")
  bash.expect("Stopped")
  bash.expect("prompt> ")
  assert not counts(directory)
  bash.enter("bg")
  wait_until(lambda: counts(directory), "the counter in the background")
  assert "Running" in bash.enter("jobs")
  bash.enter("fg", "context")
  assert counts(directory)
  bash.send("\x03")
  assert "status 130\r\n" in bash.enter("echo status $?")
  assert not counts(directory)


@GROUPS
def test_it_begins_in_the_background(shell, directory, options):
  saved(directory, SHOUTER)
  bash = shell()
  bash.enter(restart(*options) + " &")
  # It wants to read, and the terminal is the shell's.
  wait_until(lambda: "Stopped" in bash.enter("jobs"), "the stop of a reader in the background")
  bash.enter("fg", "context")
  bash.send("two\n")
  bash.expect("TWO True True")
  bash.send("\x04")
  bash.expect("end")
  assert "status 0\r\n" in bash.enter("echo status $?")


@pytest.mark.parametrize("how, status", [("sys.exit(5)", 5), ("os.kill(os.getpid(), 15)", 143),
                                         ("os.kill(os.getpid(), 11)", 139)])
def test_it_ends_as_the_program(shell, directory, how, status):
  saved(directory, "import os, sys\nprint('ready', flush=True)\nsys.stdin.readline()\n" + how)
  bash = shell()
  bash.send(restart() + "\n")
  bash.send("go\n")
  assert f"status {status}\r\n" in bash.enter("echo status $?")


def test_the_shell_stops_and_ends_it_by_signals(shell, directory):
  saved(directory, COUNTER)
  (directory / "count").unlink()
  bash = shell()
  bash.enter(restart() + " &")
  wait_until(lambda: (directory / "count").exists(), "the counter")
  bash.enter("kill -TSTP %1")
  wait_until(lambda: "Stopped" in bash.enter("jobs"), "the stop")
  assert not counts(directory)
  bash.enter("kill -CONT %1")
  wait_until(lambda: counts(directory), "the counter")
  assert "status 143\r\n" in bash.enter("kill %1; wait %1; echo status $?")
  assert not counts(directory)


def test_a_shell_comes_back_with_its_stopped_job(shell, directory):
  (directory / "counter.py").write_text(COUNTER)
  bash = shell()
  bash.enter("python3 counter.py", "ready")
  bash.send("\x1a")
  bash.expect("Stopped")
  bash.expect("prompt> ")
  check_success(run("cr_checkpoint", "-f", directory / "context", bash.pid))
  processes.kill_all()
  bash.close()
  (directory / "count").unlink()
  other = shell()
  other.send(restart("--restore-pgid") + "\n")
  assert re.search(r"\[1\]\+\s+Stopped", other.enter("jobs"))
  assert not (directory / "count").exists()
  other.enter("fg", "counter.py")
  wait_until(lambda: (directory / "count").exists(), "the counter")
  other.send("\x03")
  other.expect("KeyboardInterrupt")
  other.enter("exit 4", "exit")
  assert "status 4\r\n" in other.enter("echo status $?")
