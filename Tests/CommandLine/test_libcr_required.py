# SPDX-License-Identifier: Apache-2.0
"""--require-libcr: a process that has not loaded libcr is refused, before any callback is called."""

import os
import subprocess

import pytest

import processes
import runner
from libcr_programs import LIBRARIES, Program, compile_test
from targets import run

NO_SUPPORT = 2356
STATUS = NO_SUPPORT & 0xff


def require(directory, pid, *options):
  return run("cr_checkpoint", "--require-libcr", *options, "-f", directory / "ctx", pid)


def check_refused(result, directory, *names):
  assert result.returncode == STATUS, (result.returncode, result.stderr)
  for name in names:
    assert f"({name})" in result.stderr and "cr_run" in result.stderr, result.stderr
  assert not [path for path in directory.iterdir() if "ctx" in path.name]


def test_a_program_without_libcr(target, directory):
  name = processes.status(target.pid, "Name")
  check_refused(require(directory, target.pid), directory, name)
  check_refused(require(directory, target.pid, "--check"), directory, name)
  target.check_runs()
  target.check_answer()


def test_a_program_under_cr_run(directory):
  process = subprocess.Popen(
    [runner.tool("cr_run"), "sleep", "60"], stdin=subprocess.DEVNULL,
    env={**os.environ, "LD_LIBRARY_PATH": str(LIBRARIES)})
  processes.wait_until(lambda: processes.status(process.pid, "Name") == "sleep", "it runs")
  processes.wait_until(lambda: processes.state(process.pid) == "S", "it sleeps")
  for options in ((), ("--check",)):
    result = require(directory, process.pid, *options)
    assert result.returncode == 0, result.stderr
  process.kill()
  process.wait()


@pytest.mark.parametrize("kind", ["shared", "static"])
def test_a_program_linked_with_libcr(directory, kind):
  if kind == "static":
    compile_test("family", directory, "-static", "-u", "cr_link_me", str(LIBRARIES / "libcr.a"))
  program = Program("family", directory)
  assert require(directory, program.pid, "--check").returncode == 0
  program.save("--require-libcr", scope="-T")
  program.await_line("ends 0", 3)
  program.end()


def shell_with(directory, command):
  """A program of a shell script; its pid and the shell."""
  compile_test("callbacks", directory)
  shell = subprocess.Popen(
    ["/bin/sh", "-c", f"{command} & exec ./callbacks"], cwd=directory, stdin=subprocess.DEVNULL,
    stdout=open(directory / "out", "wb"), start_new_session=True)
  processes.wait_until(lambda: "main waits" in (directory / "out").read_text(), "it waits")
  processes.wait_until(lambda: processes.descendants(shell.pid) and all(
    processes.status(pid, "Name") == "sleep" and processes.state(pid) == "S"
    for pid in processes.descendants(shell.pid)), "its child sleeps")
  return shell


def test_one_of_a_tree_is_without(directory):
  shell = shell_with(directory, "sleep 60")
  for options in ((), ("--check",)):
    check_refused(require(directory, shell.pid, *options), directory, "sleep")
  assert require(directory, shell.pid, "-p").returncode == 0
  # The callbacks of the only checkpoint that there was.
  assert (directory / "out").read_text().count("thread begins") == 1


def test_who_is_left_out_need_not_have_it(directory):
  shell = shell_with(directory, f"LD_PRELOAD={LIBRARIES}/libcr_omit.so.0 exec sleep 60")
  for options in (("--check",), ()):
    result = require(directory, shell.pid, *options)
    assert result.returncode == 0, result.stderr


def test_one_that_a_callback_forwards_to(directory):
  other = subprocess.Popen(["sleep", "60"], stdin=subprocess.DEVNULL)
  program = Program("forwards_to", directory, other.pid)
  assert program.checkpoint("--require-libcr").returncode == STATUS
  program.await_line("ends -2354")
  program.save()
  program.await_line("ends 0")
  program.end()


def test_a_request_from_inside(directory, target):
  """The helper that carries it out, and the tool that it starts, are none of its processes."""
  program = compile_test("requires", directory)
  def ask(*arguments):
    return subprocess.run(
      [program, *map(str, arguments)], cwd=directory, stdin=subprocess.DEVNULL, timeout=60,
      start_new_session=True, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
      env={**os.environ, "LIBCR_TOOLS": str(runner.BUILD / "bin")})
  for arguments in ((target.pid, NO_SUPPORT), (0, NO_SUPPORT, "sleep"), (0, 0)):
    result = ask(*arguments)
    assert result.returncode == 0, result.stderr
  assert subprocess.run([runner.tool("cr_restart"), "ctx"], cwd=directory,
                        stdin=subprocess.DEVNULL, timeout=60).returncode == 7
