# SPDX-License-Identifier: Apache-2.0
"""Programs with libcr under AddressSanitizer and under valgrind."""

import os
import shutil
import subprocess

import pytest

import processes
import runner
from libcr_programs import Program, compile_test
from test_libcr_own_handles import WAYS

TOOLS = {"LIBCR_TOOLS": str(runner.BUILD / "bin")}
# Instrumented code, as a developer compiles it; the stacks that it reports are what they look at.
SANITIZED = ["-fsanitize=address,undefined", "-fno-sanitize-recover=all", "-fno-omit-frame-pointer"]


def run(*command, directory):
  return subprocess.run(
    list(map(str, command)), cwd=directory, stdin=subprocess.DEVNULL, capture_output=True, text=True,
    timeout=180, start_new_session=True, env={**os.environ, **TOOLS})


@pytest.mark.parametrize("way", WAYS)
def test_own_requests_of_a_sanitized_program(directory, way):
  program = compile_test("own_handles", directory, options=SANITIZED)
  result = run(program, way, directory=directory)
  assert result.returncode == 0, result.stderr


@pytest.mark.parametrize("requester", ["self", "external"])
def test_a_sanitized_program_is_saved_and_restarted(directory, requester):
  program = Program("all_calls", directory, "msg", options=SANITIZED)
  context = "ctx"
  for turn in (1, 2):
    if requester == "self":
      context = "own"
      program.file("ask")
    else:
      program.save()
    program.await_line(f"^turn {turn} result 0$", seconds=60)
    if turn == 1:
      processes.wait_until(lambda: processes.is_untouched(program.pid), "let go")
  program.process.kill()
  program.process.wait(30)
  program.restart(context=context)
  program.await_line("^turn 2 result 1$", seconds=60)
  processes.wait_until(lambda: processes.runs_again(program.pid), "let go")
  program.end()
  assert program.lines()[-1] == "right"


@pytest.fixture
def valgrind():
  path = shutil.which("valgrind")
  if not path:
    assert not os.environ.get("CR_SKIP_NOTHING"), "valgrind is not installed (tools/install-dependencies)"
    pytest.skip("valgrind is not installed")
  return [path, "--vgdb=no", "-q", "--error-exitcode=99", "--leak-check=full", "--errors-for-leak-kinds=definite",
          "--show-leak-kinds=definite"]


@pytest.mark.parametrize("name", ["calls_and_errors", "sections_and_spinlocks"])
def test_calls_under_valgrind(directory, valgrind, name):
  result = run(*valgrind, compile_test(name, directory), directory=directory)
  assert result.returncode == 0 and not result.stderr, result.stderr


def test_callbacks_and_requests_under_valgrind_are_refused(directory, valgrind):
  """Called from outside they would be run by the processor, and not by valgrind; and that knows no helpers."""
  program, out = compile_test("written_for_blcr", directory), directory / "out"
  with open(out, "wb") as file:
    process = subprocess.Popen(
      [*valgrind, program, "work", "own"], cwd=directory, stdin=subprocess.DEVNULL, stdout=file, stderr=file,
      start_new_session=True, env={**os.environ, **TOOLS})
  processes.wait_until(lambda: "main waits" in out.read_text(), "it waits", 60)
  result = subprocess.run(
    [runner.tool("cr_checkpoint"), "-p", "-f", directory / "ctx", str(process.pid)],
    stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60)
  assert result.returncode == 52 and "valgrind" in result.stderr, result.stderr
  assert not (directory / "ctx").exists()
  (directory / "save").touch()
  processes.wait_until(lambda: "not saved: Process does not take part" in out.read_text(), "refusal", 60)
  (directory / "end").touch()
  assert process.wait(60) == 0, out.read_text()


class UnderValgrind(Program):
  """takes_part.c, which is valgrind to the kernel."""

  def __init__(self, directory, valgrind, has):
    self.directory, self.output = directory, directory / "out"
    program = compile_test("takes_part", directory)
    with open(self.output, "wb") as out:
      self.process = subprocess.Popen(
        [*valgrind, program, has], cwd=directory, stdin=subprocess.DEVNULL, stdout=out, stderr=out,
        start_new_session=True, env={**os.environ, **TOOLS})
    self.pid = self.process.pid
    self.await_line("main waits", seconds=60)


@pytest.mark.parametrize("has", ["section", "callback", "hook"])
def test_what_would_have_to_be_called_under_valgrind_is_refused(directory, valgrind, has):
  program = UnderValgrind(directory, valgrind, has)
  result = program.checkpoint()
  assert result.returncode == 52, result.stderr
  assert f"process {program.pid} runs under valgrind" in result.stderr
  assert not (directory / "ctx").exists()
  program.end()
  assert program.lines() == ["main waits", "right"]


def test_a_program_without_callbacks_is_saved_under_valgrind(directory, valgrind):
  program = UnderValgrind(directory, valgrind, "nothing")
  program.save()
  for _ in range(2):
    program.save_and_kill()
    program.restart()
    processes.wait_until(lambda: processes.runs_again(program.pid), "let go")
  program.end()
  assert program.lines() == ["main waits", "right"]
