# SPDX-License-Identifier: Apache-2.0
"""libcr configured for another signal than 64: programs, tools and installed header agree, and the tools go along
with libraries of either number at once."""

import re
import subprocess

import pytest

import processes
from libcr_programs import LIBRARY, Program, compile_test

NUMBER = 62


def cmake(*arguments):
  return subprocess.run(["cmake", *map(str, arguments)], capture_output=True, text=True, timeout=300)


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
  """Where the libraries are, as `configure CR_SIGNUM=62` makes and installs them."""
  place = tmp_path_factory.mktemp("signum")
  for arguments in (
      ["-G", "Ninja", "-S", LIBRARY, "-B", place / "build", f"-DCR_SIGNUM={NUMBER}",
       f"-DCMAKE_INSTALL_PREFIX={place}", "-DCMAKE_INSTALL_LIBDIR=lib"],
      ["--build", place / "build"], ["--install", place / "build"]):
    result = cmake(*arguments)
    assert result.returncode == 0, result.stdout + result.stderr
  return place


@pytest.fixture
def start_with(installed, directory):
  """As Program(…), with that library."""
  def start(name, *arguments, **settings):
    library = installed / "lib"
    compile_test(name, directory, "-L", library, "-lcr", f"-Wl,-rpath,{library}",
                 options=("-I", installed / "include"))
    return Program(name, directory, *arguments, **settings)
  return start


def test_the_header_and_the_reserved_signals(installed, directory, start_with):
  header = (installed / "include" / "blcr_common.h").read_text()
  assert re.findall(r"^#define CR_SIGNUM (\d+)$", header, re.M) == [str(NUMBER)]
  # SIGRTMAX is below it, and the signal harmless; and all that needs no checkpoint.
  assert start_with("calls_and_errors", until=None).process.wait(60) == 0


def test_going_on_and_two_generations_of_restarts(start_with):
  program = start_with("stays_right")
  program.save()
  for _ in range(2):
    program.save_and_kill()
    program.restart()
    processes.wait_until(lambda: processes.runs_again(program.pid), "let go")
  program.save()
  program.end()
  assert program.lines()[-1].endswith("restarted 1")


@pytest.mark.parametrize("action", ["default", "ignore", "own", "blocked"])
def test_a_programs_own_action_of_that_signal(start_with, action):
  program = start_with("own_action", action, "both")
  program.file("go")
  program.save()
  program.save_and_kill()
  program.restart()
  program.end()


def test_a_request_that_waits_for_a_critical_section(start_with):
  program = start_with("tight_sections")
  for _ in range(5):
    program.save("--time", "30", scope="-T")
  program.end()


def test_programs_of_both_numbers_in_one_checkpoint(start_with, directory):
  other = Program("stays_right", directory, output="other")
  program = start_with("forwards_to", other.pid)
  program.save()
  program.await_line("ends 0")
  program.file("end")
  assert program.process.wait(30) == 0 and other.process.wait(30) == 0
  assert re.match(r"right: [1-9]\d* callbacks, 0 failures", other.lines()[-1]), other.lines()


@pytest.mark.parametrize("number", ["39", "65", "SIGRTMAX", ""])
def test_numbers_that_are_refused(directory, number):
  result = cmake("-G", "Ninja", "-S", LIBRARY, "-B", directory / "build", f"-DCR_SIGNUM={number}")
  assert result.returncode != 0 and "must be one of the upper real-time signals" in result.stderr


def test_configure_hands_it_on(directory):
  result = subprocess.run(
    [LIBRARY.parent.parent / "configure", "--without-kmod", f"CR_SIGNUM={NUMBER}"], cwd=directory,
    stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=300)
  assert result.returncode == 0, result.stdout + result.stderr
  assert f"CR_SIGNUM:STRING={NUMBER}" in (directory / "build" / "CMakeCache.txt").read_text()
  header = directory / "build" / "Sources" / "libcr" / "include" / "blcr_common.h"
  assert f"#define CR_SIGNUM {NUMBER}\n" in header.read_text()
