# SPDX-License-Identifier: Apache-2.0
"""Programs at a terminal: after the restart they talk to the terminal of cr_restart."""

import os
import pty
import select
import signal
import time

import pytest

import processes
import runner
from processes import wait_until
from targets import check_success, run

SHOUTER = """
import sys, os
print("ready", flush=True)
for line in sys.stdin:
    print(line.strip().upper(), os.isatty(0), os.isatty(1), flush=True)
print("end", flush=True)
"""


class Terminal:
  """A new pseudo-terminal with one command as its session's leader."""

  def __init__(self, *command, directory):
    self.pid, self.master = pty.fork()
    if self.pid == 0:
      try:
        os.chdir(directory)
        os.execv(command[0], [str(word) for word in command])
      finally:
        os._exit(127)
    os.set_inheritable(self.master, False)
    self.seen = ""

  def expect(self, text, seconds=15):
    end = time.monotonic() + seconds
    while text not in self.seen:
      assert time.monotonic() < end, f"no {text!r} in {self.seen!r}"
      if select.select([self.master], [], [], 0.1)[0]:
        try:
          self.seen += os.read(self.master, 4096).decode()
        except OSError:
          assert text in self.seen, f"closed without {text!r}: {self.seen!r}"
    before, _, self.seen = self.seen.partition(text)
    return before

  def send(self, text):
    os.write(self.master, text.encode())

  def end(self, seconds=15):
    """The wait status of the leader."""
    ends = []

    def ended():
      pid, status = os.waitpid(self.pid, os.WNOHANG)
      ends.append(status)
      return pid
    wait_until(ended, f"the end; seen {self.seen!r}", seconds)
    return ends[-1]

  def close(self):
    """As when its window is closed."""
    if self.master is not None:
      os.close(self.master)
    self.master = None


@pytest.fixture
def shouter(directory):
  terminal = Terminal("/usr/bin/python3", "-c", SHOUTER, directory=directory)
  terminal.expect("ready")
  terminal.send("one\n")
  terminal.expect("ONE True True")
  yield terminal
  terminal.close()


def checkpoint(terminal, directory):
  check_success(run("cr_checkpoint", "-f", directory / "context", terminal.pid))


def test_a_dialogue_goes_on_after_a_checkpoint(shouter, directory):
  checkpoint(shouter, directory)
  shouter.send("two\n")
  shouter.expect("TWO True True")
  shouter.send("\x04")
  shouter.expect("end")
  assert shouter.end() == 0


def test_a_dialogue_goes_on_at_another_terminal(shouter, directory):
  checkpoint(shouter, directory)
  processes.kill_all()
  shouter.close()
  other = Terminal(runner.tool("cr_restart"), "-f", directory / "context", directory=directory)
  time.sleep(0.2)
  other.send("two\n")
  other.expect("TWO True True")
  other.send("three\n")
  other.expect("THREE True True")
  other.send("\x04")
  other.expect("end")
  assert other.end() == 0
  other.close()


def test_the_interrupt_key_reaches_the_restarted_program(shouter, directory):
  checkpoint(shouter, directory)
  processes.kill_all()
  shouter.close()
  other = Terminal(runner.tool("cr_restart"), "-f", directory / "context", directory=directory)
  time.sleep(0.2)
  other.send("two\n")
  other.expect("TWO True True")
  other.send("\x03")
  other.expect("KeyboardInterrupt")
  status = other.end()
  assert os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGINT
  other.close()


def test_without_a_terminal_the_new_streams_take_its_place(shouter, directory):
  checkpoint(shouter, directory)
  processes.kill_all()
  shouter.close()
  result = run("cr_restart", "-f", directory / "context", stdin=None, input="two\n")
  assert "TWO False False" in result.stdout, result.stderr
  assert result.returncode == 0
