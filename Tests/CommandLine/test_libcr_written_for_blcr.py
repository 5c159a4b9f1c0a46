# SPDX-License-Identifier: Apache-2.0
"""A program written for BLCR, by its documentation, is compiled and does what its author wanted."""

import os
import subprocess

import pytest

import processes
import runner
from libcr_programs import LIBRARIES, LIBRARY, SOURCES, Program

# What such programs are compiled as.
COMPILERS = {
  "c99": ["cc", "-std=gnu99"], "c17": ["cc", "-std=gnu17"], "c++": ["c++", "-x", "c++", "-std=gnu++11"],
  "c++20": ["c++", "-x", "c++", "-std=gnu++20"], "static": ["cc", "-std=gnu11", "-static"],
}


def compile_as(kind, directory):
  """By the line that BLCR's documentation gives: -lcr, and nothing of this project's own."""
  subprocess.run(
    [*COMPILERS[kind], "-Wall", "-Wextra", "-Werror", "-I", LIBRARY / "include", "-o",
     directory / "written_for_blcr", SOURCES / "written_for_blcr.c", "-L", LIBRARIES, "-lcr",
     f"-Wl,-rpath,{LIBRARIES}", "-lpthread"], check=True)


def launcher(directory, *arguments, **settings):
  return subprocess.Popen(
    [directory / "written_for_blcr", *map(str, arguments)], cwd=directory, stdin=subprocess.DEVNULL,
    start_new_session=True, env={**os.environ, "LIBCR_TOOLS": str(runner.BUILD / "bin")}, **settings)


def save_from_outside(directory, program, status=0):
  process = launcher(directory, "save", program.pid, "ctx", stderr=subprocess.PIPE, text=True)
  _, errors = process.communicate(timeout=60)
  assert process.returncode == status, errors
  return errors


@pytest.mark.parametrize("kind", COMPILERS)
def test_its_whole_life(directory, kind):
  compile_as(kind, directory)
  program = Program("written_for_blcr", directory, "work", "own")
  log = directory / "log"
  program.file("save")
  program.await_line("^saved 1$")
  assert f"checkpoint by {program.pid} of {program.pid} scope 0 signal 0 to '{directory}/own.1'" in log.read_text()
  program.file("busy")
  program.file("save")
  program.await_line("^not saved: ")
  assert "called it off" in save_from_outside(directory, program, 3)
  program.unfile("busy")
  save_from_outside(directory, program)
  assert f"scope 3 signal 0 to '{directory}/ctx'" in log.read_text()
  # From what it has saved itself: BLCR's own tool does it.
  program.process.kill()
  program.process.wait(30)
  program.restart(context="own.1")
  program.await_line("^saved and restarted 1$")
  processes.wait_until(lambda: processes.runs_again(program.pid), "let go")
  # And a launcher that asks as mpiexec does.
  save_from_outside(directory, program)
  processes.kill_all()
  program.process.wait(30)
  with open(directory / "said", "wb") as said:
    program.process = launcher(directory, "restart", "ctx", stdout=said, stderr=said)
  processes.wait_until(lambda: (directory / "said").read_text(), "it is restarted")
  assert (directory / "said").read_text() == f"restarted {program.pid}\n"
  processes.wait_until(lambda: processes.runs_again(program.pid), "let go")
  assert f"restarted by {program.process.pid} from '{directory}/ctx'" in log.read_text()
  program.end()
  checkpoints, restarts, postponed, hooked = (
    int(words.split()[0]) for words in program.lines()[-1].split(", "))
  # As of the files: none when own.1 was made.
  assert (checkpoints, restarts, postponed) == (0, 2, 0)
  # The thread of the thread context and three workers, twice.
  assert hooked == 8
