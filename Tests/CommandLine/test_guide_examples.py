# SPDX-License-Identifier: Apache-2.0
"""The programs of Docs/guide/libcr.md: the page has their very text, they are compiled as a user
does it, against an installed tree, and they do what the page says."""

import os
import re
import socket
import subprocess
import threading
import time
from pathlib import Path

import pytest

import processes
import runner
from libcr_programs import Program, with_small_files
from processes import wait_until

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "Docs" / "guide" / "libcr.md"
EXAMPLES = PAGE.parent / "examples"
HEAD = "/* SPDX-License-Identifier: Apache-2.0 */\n"

pytestmark = pytest.mark.skipif(not PAGE.exists(), reason="not in a source tree")


@pytest.fixture(scope="session")
def compiler(tmp_path_factory):
  """The end of a compiler's command line, as pkg-config gives it for what `make install` made."""
  stage = tmp_path_factory.mktemp("stage")
  subprocess.run(["cmake", "--install", runner.BUILD], check=True, stdout=subprocess.DEVNULL,
                 env={**os.environ, "DESTDIR": str(stage)})
  found = sorted(stage.rglob("libcr.pc"))
  assert len(found) == 1, found
  words = subprocess.run(
    ["pkg-config", "--cflags", "--libs", "libcr"], check=True, stdout=subprocess.PIPE, text=True,
    env={**os.environ, "PKG_CONFIG_LIBDIR": str(found[0].parent),
         "PKG_CONFIG_SYSROOT_DIR": str(stage)}).stdout.split()
  assert "-lcr" in words
  # In place of ldconfig.
  return [*words, f"-Wl,-rpath,{found[0].parents[1]}"]


@pytest.fixture
def example(directory, compiler):
  """example(name, …): it runs."""
  def start(name, *arguments, until, **settings):
    subprocess.run(
      ["cc", "-Wall", "-Wextra", "-Werror", EXAMPLES / f"{name}.c", *compiler, "-o",
       directory / name], check=True)
    return Program(name, directory, *arguments, until=until, **settings)
  return start


def stop(program):
  program.file("stop")
  assert program.process.wait(30) == 0, program.lines()


def await_text(path, pattern):
  wait_until(lambda: path.exists() and re.search(pattern, path.read_text(), re.M),
             f"{pattern!r} in {path.name}")


def test_the_page_has_the_text_of_the_files():
  shown = re.findall(r"^\[examples/(\S+)\]\(examples/\1\):\n\n```c\n(.*?)^```$", PAGE.read_text(),
                     re.M | re.S)
  for name, text in shown:
    assert HEAD + text == (EXAMPLES / name).read_text(), f"{name} differs from the page"
  # Each once, and each has its test.
  assert sorted(name for name, _ in shown) == sorted(path.name for path in EXAMPLES.iterdir())
  for name, _ in shown:
    assert f"test_{name[:-2]}" in globals()


def test_callback_thread(directory, example):
  program = example("callback_thread", "journal", until="ready")
  journal = directory / "journal"
  program.save()
  await_text(journal, f"^saved to {directory}/ctx$")
  assert program.checkpoint(preexec_fn=with_small_files(8192)).returncode != 0
  await_text(journal, "^not saved: ")
  for generation in 1, 2:
    program.save_and_kill()
    program.restart()
    wait_until(lambda: journal.read_text().count(f"restarted from {directory}/ctx") == generation,
               "restarted")
    wait_until(lambda: processes.runs_again(program.pid), "let go")
  stop(program)


def test_callback_signal(directory, example):
  program = example("callback_signal", until="filled")
  program.save()
  # Without the 64 MiB.
  assert (directory / "ctx").stat().st_size < 8 << 20
  program.await_line("filled", 2)
  program.save_and_kill()
  program.restart()
  program.await_line("restarted")
  program.await_line("filled", 3)
  stop(program)


def test_critical_section(directory, example):
  program = example("critical_section", until=None)
  left, right = directory / "left", directory / "right"
  await_text(right, r"^ *\d+$")

  def values():
    return int(left.read_text()), int(right.read_text())
  for _ in range(3):
    program.save_and_kill()
    # Killed where it was saved: never between the two.
    assert sum(values()) == 0, values()
    program.restart()
    wait_until(lambda: processes.runs_again(program.pid), "let go")
    before = values()[1]
    wait_until(lambda: int(right.read_text() or 0) > before, "it goes on")
  stop(program)
  assert program.lines() == ["0"] and sum(values()) == 0


def test_good_moment(directory, example):
  program = example("good_moment", "mine", until="step 11")
  program.process.kill()
  program.process.wait()
  assert not (directory / "mine.new").exists()
  for generation in 1, 2:
    program.restart(context="mine")
    program.await_line(r"back at step \d*[05]$", generation)
    # Only what it did since is to be done again.
    step = int(re.search(r"back at step (\d+)", "\n".join(program.lines()[-3:]))[1])
    program.await_line(f"step {step + 6}$")
    os.kill(program.pid, 9)
    program.process.wait()
  program.restart(context="mine")
  program.await_line("back at", 3)
  stop(program)


def test_every_minutes(directory, example):
  program = example("every_minutes", "mine", "1", until="^10$")
  wait_until(lambda: (directory / "mine").exists(), "it was saved")
  processes.kill_all()
  for generation in 1, 2:
    program.restart(context="mine")
    program.await_line("restarted", generation)
    first = (directory / "mine").stat().st_ino
    wait_until(lambda: (directory / "mine").stat().st_ino != first, "it was saved again")
    os.kill(program.pid, 9)
    program.process.wait()
  counts = [int(line) for line in program.lines() if line.isdigit()]
  assert counts == list(range(len(counts)))


def test_leave_out(directory, example):
  program = example("leave_out", until="ready")
  monitor = int(re.search(r"monitor (\d+)", program.lines()[0])[1])
  program.save(scope="--tree")
  assert processes.is_alive(monitor)
  program.save_and_kill(scope="--tree")
  # It was no target of the signal either.
  assert processes.is_alive(monitor)
  processes.kill_all()
  program.restart()
  program.await_line("monitor", 2)
  assert program.process.poll() is None and not processes.is_alive(monitor)
  stop(program)


def test_refuse(directory, example):
  program = example("refuse", until=None)
  wait_until(lambda: program.checkpoint().returncode == 0, "it is ready")
  program.file("pay")
  program.await_line("paying")
  result = program.checkpoint()
  assert result.returncode == 97 and "called it off" in result.stderr
  (directory / "pay").unlink()
  program.await_line("paid")
  program.save_and_kill()
  program.restart()
  wait_until(lambda: processes.runs_again(program.pid), "let go")
  stop(program)


class LicenceServer:
  """One licence: who comes second while it is taken gets no answer."""

  def __init__(self):
    self.socket = socket.create_server(("127.0.0.1", 0))
    self.port = self.socket.getsockname()[1]
    self.taken = self.answers = 0
    threading.Thread(target=self.serve, daemon=True).start()

  def serve(self):
    while True:
      try:
        client, _ = self.socket.accept()
      except OSError:
        return
      self.taken += 1
      with client:
        while client.recv(64):
          client.sendall(b"yes\n")
          self.answers += 1


def test_licence(directory, example):
  server = LicenceServer()
  program = example("licence", server.port, until="^5$")
  assert server.taken == 1
  program.save()
  program.await_line(f"^{server.answers + 5}$")
  assert server.taken == 2
  for generation in 1, 2:
    program.save_and_kill()
    taken = server.taken
    program.restart()
    # As it is killed it is connected again, but the connection that was saved is none.
    wait_until(lambda: server.taken > taken, "the licence is taken again")
    last = int(program.lines()[-1])
    program.await_line(f"^{last + 5}$")
  stop(program)
  server.socket.close()


def test_ring(directory, example):
  program = example("ring", until="40")
  for _ in range(3):
    program.save(scope="--tree")
  for generation in 1, 2:
    program.save_and_kill(scope="--tree")
    processes.kill_all()
    program.restart()
    wait_until(lambda: processes.runs_again(program.pid), "let go")
    last = int(program.lines()[-1])
    wait_until(lambda: int(program.lines()[-1]) > last + 80, "the number goes around")
  stop(program)
