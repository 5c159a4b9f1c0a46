# SPDX-License-Identifier: Apache-2.0
"""Real programs at terminals that are in the job: shells, editors, multiplexers."""

import os
import re
import shutil
import subprocess
import time

import pytest

import processes
import runner
from processes import wait_until
from targets import check_success, run

# A terminal emulator as root of the job: it types what it finds in files "keys.N", keeps what the programs
# show, and is a subreaper, so that servers that put themselves in the background stay in the job.
EMULATOR = """
import ctypes, os, pty, select, signal, sys
ctypes.CDLL(None).prctl(36, 1, 0, 0, 0)
pid, master = pty.fork()
if pid == 0:
    os.execvp(sys.argv[1], sys.argv[1:])
screen = open("screen", "ab", buffering=0)
turn, ended = 0, None
while ended is None:
    try:
        if select.select([master], [], [], 0.01)[0]:
            screen.write(os.read(master, 65536))
    except OSError:
        pass
    if os.path.exists(f"keys.{turn}"):
        with open(f"keys.{turn}", "rb") as keys:
            os.write(master, keys.read())
        turn += 1
    while ended != 0:
        try:
            done, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            break
        if done == 0:
            break
        if done == pid:
            ended = status
sys.exit(os.waitstatus_to_exitcode(ended))
"""

ENVIRONMENT = {"PATH": os.environ["PATH"], "TERM": "xterm", "LC_ALL": "C.UTF-8", "PS1": "prompt> ", "ENV": ""}


class Emulator:
  def __init__(self, directory, *command):
    self.directory = directory
    self.turn = 0
    script = directory / "emulator.py"
    script.write_text(EMULATOR)
    self.process = subprocess.Popen(
      ["/usr/bin/python3", script, *map(str, command)], cwd=directory, start_new_session=True,
      env={**ENVIRONMENT, "HOME": str(directory)}, stdin=subprocess.DEVNULL,
      stdout=subprocess.DEVNULL, stderr=open(directory / "errors", "ab"))
    self.pid = self.process.pid

  def type(self, keys):
    aside = self.directory / "keys"
    aside.write_bytes(keys.encode())
    aside.rename(self.directory / f"keys.{self.turn}")
    self.turn += 1

  def screen(self):
    path = self.directory / "screen"
    return path.read_bytes().decode(errors="replace") if path.exists() else ""

  def expect(self, pattern, what=None):
    def seen():
      assert self.process.poll() is None, f"ended with {self.process.returncode}: {self.story()}"
      return re.search(pattern, self.screen())
    try:
      wait_until(seen, what or f"{pattern!r} on the screen")
    except processes.Timeout as problem:
      raise AssertionError(f"{problem}\n{self.story()}") from None

  def story(self):
    return self.screen()[-2000:] + (self.directory / "errors").read_text()

  def checkpoint(self, *options):
    return check_success(run("cr_checkpoint", *options, "-f", self.directory / "context", self.pid))

  def kill_and_restart(self, *options):
    self.checkpoint()
    processes.kill_all()
    self.process.poll()
    (self.directory / "screen").write_bytes(b"")
    self.process = subprocess.Popen(
      [runner.tool("cr_restart"), *options, "-f", self.directory / "context"], cwd=self.directory,
      start_new_session=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
      stderr=open(self.directory / "errors", "ab"))

  def end(self):
    try:
      return self.process.wait(20)
    except subprocess.TimeoutExpired:
      raise AssertionError(f"no end\n{self.story()}") from None


def need(*names):
  for name in names:
    if not shutil.which(name):
      pytest.skip(f"{name} is not installed")


def text_of(path):
  return path.read_text() if path.exists() else ""


def test_an_interactive_shell(directory):
  emulator = Emulator(directory, "/bin/bash", "--norc", "--noprofile", "-i")
  emulator.expect("prompt> ")
  emulator.type("variable=before; echo $$ > pid; tty > terminal\n")
  wait_until(lambda: text_of(directory / "terminal"), "the shell's answer")
  # A line that is half typed, and a job in the background.
  emulator.type("sleep 1000 &\n")
  emulator.expect(r"\[1\] \d+")
  emulator.type("echo $variable-")
  emulator.expect("variable-$")
  emulator.kill_and_restart()
  emulator.type("after > answer; echo $$ > pid.2; tty > terminal.2; jobs > jobs\n")
  wait_until(lambda: text_of(directory / "jobs"), "the shell's answer")
  assert text_of(directory / "answer") == "before-after\n"
  assert text_of(directory / "pid") == text_of(directory / "pid.2")
  assert text_of(directory / "terminal") == text_of(directory / "terminal.2")
  assert re.search(r"\[1\]\+\s+Running\s+sleep 1000", text_of(directory / "jobs"))
  # Keys reach the job in the foreground and not the shell.
  emulator.type("fg\n")
  emulator.expect("sleep 1000\r\n$")
  emulator.type("\x1a")
  emulator.expect("Stopped")
  emulator.kill_and_restart()
  emulator.type("fg\n")
  emulator.expect("sleep 1000\r\n$")
  emulator.type("\x03")
  emulator.expect("prompt> $")
  emulator.type("exit 5\n")
  assert emulator.end() == 5, emulator.story()


def test_tmux_with_an_editor(directory):
  need("tmux", "vi")
  emulator = Emulator(directory, "tmux", "-S", directory / "socket", "-f", "/dev/null",
                      "new-session", "-x", "80", "-y", "24", "/bin/bash", "--norc", "--noprofile", "-i")
  emulator.expect("prompt> ")
  emulator.type("vi -u NONE text\n")
  emulator.expect("text.*New")
  emulator.type("ione two\rthree")
  emulator.expect("three")
  emulator.kill_and_restart()
  emulator.type(" four\x1b:wq\r")
  wait_until(lambda: text_of(directory / "text"), "the editor's file")
  assert text_of(directory / "text") == "one two\nthree four\n"
  # Another window, and the server's own commands.
  emulator.type("tmux new-window -d /bin/bash -c 'tty > other; sleep 1000'; tmux list-windows | wc -l > windows\n")
  wait_until(lambda: text_of(directory / "windows"), "the server's answer")
  assert text_of(directory / "windows") == "2\n"
  emulator.type("exit\n")
  emulator.kill_and_restart()
  wait_until(lambda: subprocess.run(["tmux", "-S", directory / "socket", "kill-server"],
                                    capture_output=True, timeout=20).returncode == 0, "tmux's server")
  assert emulator.end() in (0, 1), emulator.story()


def test_script(directory):
  need("script")
  emulator = Emulator(directory, "script", "-q", "-c", "exec /bin/bash --norc --noprofile -i", "typescript")
  emulator.expect("prompt> ")
  emulator.type("variable=before\n")
  emulator.type("echo o''n; cat; echo $variable > answer\n")
  # What is typed before belongs to the shell's own editor of lines, or to nobody.
  emulator.expect("on\r\n")
  emulator.type("first\n")
  emulator.expect("first\r\nfirst")
  emulator.kill_and_restart()
  emulator.type("second\n")
  emulator.expect("second\r\nsecond")
  emulator.type("\x04")
  wait_until(lambda: text_of(directory / "answer"), "the shell's answer")
  assert text_of(directory / "answer") == "before\n"
  emulator.type("exit 3\n")
  emulator.end()
  assert "second" in (directory / "typescript").read_text()


def test_screen(directory):
  need("screen")
  emulator = Emulator(directory, "/usr/bin/env", f"SCREENDIR={directory}/screens", "screen", "-c", "/dev/null",
                      "/bin/bash", "--norc", "--noprofile", "-i")
  emulator.expect("prompt> ")
  emulator.type("variable=before; tty > terminal\n")
  wait_until(lambda: text_of(directory / "terminal"), "the shell's answer")
  # A second window, and in the first a line that is half typed.
  emulator.type("screen /bin/bash --norc --noprofile -i\n")
  wait_until(lambda: len(shells_below(emulator.pid)) == 2, "the second window")
  emulator.type("tty > second\n")
  wait_until(lambda: text_of(directory / "second"), "the second shell's answer")
  emulator.type("\x01p")
  emulator.type("echo $variable-")
  emulator.expect("variable-")
  emulator.kill_and_restart()
  emulator.type("after > answer; tty > terminal.2\n")
  wait_until(lambda: text_of(directory / "terminal.2"), "the shell's answer")
  assert text_of(directory / "answer") == "before-after\n"
  assert text_of(directory / "terminal") == text_of(directory / "terminal.2") != text_of(directory / "second")
  emulator.type("exit\n")
  wait_until(lambda: len(shells_below(emulator.pid)) == 1, "the first window's end")
  emulator.type("exit 4\n")
  assert emulator.end() == 0, emulator.story()


def shells_below(pid):
  """Of the emulator's descendants, those that are interactive shells."""
  return [one for one in processes.descendants(pid) if processes.is_alive(one)
          and b"--norc" in command_line(one) and command_line(one).startswith(b"/bin/bash")]


def command_line(pid):
  try:
    with open(f"/proc/{pid}/cmdline", "rb") as file:
      return file.read()
  except OSError:
    return b""
