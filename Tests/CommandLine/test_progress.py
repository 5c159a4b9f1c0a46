# SPDX-License-Identifier: Apache-2.0
"""What a person at a terminal sees: progress of what takes long, colours, a summary."""

import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import time

import pytest

import processes
import runner
from processes import wait_until
from targets import check_success, run

SIZE = 256 << 20
BAR = re.compile(
  rb"\r\x1b\[K([a-z ]+) \[(#*)(\.*)\] (\d+)% of (\d+\.\d MiB), (\d+\.\d [KMG]iB)/s(, \d+ s left)?")
ERASE = b"\r\x1b[K"


@pytest.fixture
def big(directory):
  """A process with 256 MiB of memory that is not zero."""
  process = subprocess.Popen(
    [sys.executable, "-c", f"import time; b = b'x' * {SIZE}; print(len(b), flush=True); time.sleep(300)"],
    cwd=directory, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, start_new_session=True)
  process.stdout.readline()
  return process


class Watched:
  """A tool whose stderr is a terminal of 100 columns."""

  def __init__(self, name, *arguments, environment=None, **settings):
    self.master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("4H", 24, 100, 0, 0))
    self.process = subprocess.Popen(
      [runner.tool(name), *map(str, arguments)], stdin=subprocess.DEVNULL,
      stdout=subprocess.DEVNULL, stderr=slave, env={**os.environ, **(environment or {})},
      **settings)
    os.close(slave)

  def delay(self, when):
    """As if what it does took over a second: it is stopped for that time once `when()` holds."""
    wait_until(lambda: when() or self.process.poll() is not None, "under way")
    assert self.process.poll() is None, "it was over before it could be delayed"
    self.process.send_signal(signal.SIGSTOP)
    time.sleep(1.3)
    self.process.send_signal(signal.SIGCONT)
    return self

  def output(self):
    """Everything it wrote until its end."""
    text = b""
    while True:
      ready = select.select([self.master], [], [], 0.05)[0]
      if not ready and self.process.poll() is not None:
        return text
      if ready:
        try:
          text += os.read(self.master, 65536)
        except OSError:
          self.process.wait(20)
          return text


def save(big, directory, *options, **settings):
  watched = Watched("cr_checkpoint", *options, "-f", directory / "a", big.pid, **settings)
  return watched.delay(lambda: not processes.is_untouched(big.pid)).output()


def check_bar(text, words):
  found = [match for match in BAR.finditer(text) if match[1] == words]
  assert found, text
  for match in found:
    percent, width = int(match[4]), len(match[2]) + len(match[3])
    assert width == 40 and len(match[2]) == width * percent // 100
    assert float(match[5].split()[0]) >= SIZE >> 20
    assert (match[7] is None) == (percent == 100)
  assert [int(match[4]) for match in found] == sorted(int(match[4]) for match in found)
  # The line goes away: what follows begins at the left of an empty one.
  end = found[-1].end()
  assert text.startswith(ERASE, end)
  assert not BAR.search(text, end)


def test_a_long_checkpoint_shows_how_far_it_is(big, directory):
  text = save(big, directory)
  check_bar(text, b"writing memory")
  assert re.search(rb"cr_checkpoint: 1 process saved to \S+/a: 2\d\d\.\d MiB in [1-9]\.\d s, stopped for", text)


def test_a_long_restart_shows_how_far_it_is(big, directory):
  check_success(run("cr_checkpoint", "--kill", "-f", directory / "a", big.pid))
  big.wait()
  watched = Watched("cr_restart", "--detach", directory / "a", start_new_session=True)
  text = watched.delay(lambda: os.path.exists(f"/proc/{big.pid}/stat")).output()
  assert watched.process.returncode == 0, text
  check_bar(text, b"loading memory")


@pytest.mark.parametrize("options", (("--progress=never",), ("-q",)))
def test_nothing_is_shown_to_whom_it_is_not_wanted(options, big, directory):
  assert b"%" not in save(big, directory, *options)


def test_what_takes_no_second_shows_nothing(target, directory):
  text = Watched("cr_checkpoint", "-f", directory / "a", target.pid).output()
  assert b"%" not in text and text.count(b"\n") == 1


def test_always_shows_it_at_once(target, directory):
  text = Watched("cr_checkpoint", "--progress", "-f", directory / "a", target.pid).output()
  assert b"100%" in text


def test_into_a_file_it_comes_as_lines(big, directory):
  result = check_success(
    run("cr_checkpoint", "--progress=always", "--kmsg-none", "-f", directory / "a",
        big.pid))
  lines = result.stderr.splitlines()
  assert lines and all(re.match(r"writing memory \[#*\.*\] \d+% of ", line) for line in lines)
  assert "\x1b" not in result.stderr and "\r" not in result.stderr


# Colours

RED = b"\x1b[31;1m"


def test_an_error_is_red_on_a_terminal():
  text = Watched("cr_checkpoint", 4190000).output()
  assert text == b"cr_checkpoint: " + RED + b"there is no process 4190000\x1b[0m\r\n"


@pytest.mark.parametrize("tool", ("cr_checkpoint", "cr_restart", "cr_info"))
def test_no_color_is_heard(tool, directory):
  operand = "4190000" if tool == "cr_checkpoint" else directory / "none"
  assert b"\x1b" in Watched(tool, operand).output()
  assert b"\x1b" not in Watched(tool, operand, environment={"NO_COLOR": "1"}).output()
  assert b"\x1b" in Watched(tool, operand, environment={"NO_COLOR": ""}).output()


@pytest.mark.parametrize("tool", ("cr_checkpoint", "cr_restart", "cr_info"))
def test_nothing_is_coloured_where_no_terminal_is(tool, directory):
  operand = "4190000" if tool == "cr_checkpoint" else directory / "none"
  assert "\x1b" not in run(tool, operand).stderr
