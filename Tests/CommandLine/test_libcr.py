# SPDX-License-Identifier: Apache-2.0
"""libcr from a program's side: Tests/libcr/*.c, run alone, under the tools, and under emulation."""

import os
import subprocess
import time
from pathlib import Path

import pytest

import runner

SOURCES = runner.SOURCES.parent / "libcr"
LIBRARY = SOURCES.parent.parent / "Sources" / "libcr"
LIBRARIES = runner.BUILD / "lib"

PUBLIC = """cr_link_me cr_init cr_inc_persist cr_dec_persist cr_status cr_register_callback
cr_replace_callback cr_replace_self cr_checkpoint cr_get_checkpoint_info cr_get_restart_info
cr_forward_checkpoint cr_register_hook cr_hold_ctrl cr_enter_cs cr_tryenter_cs cr_leave_cs
cr_spinlock_init cr_spinlock_lock cr_spinlock_unlock cr_spinlock_trylock cri_init_checkpoint_args_t
cri_init_restart_args_t cr_request_checkpoint cr_wait_checkpoint cr_log_checkpoint
cr_reap_checkpoint cr_poll_checkpoint_msg cr_poll_checkpoint cr_request_restart cr_wait_restart
cr_log_restart cr_reap_restart cr_poll_restart_msg cr_poll_restart cr_request cr_request_file
cr_request_fd cr_strerror""".split()


def compile_test(name, directory, *more, compiler="cc"):
  program = directory / name
  subprocess.run(
    [compiler, "-std=gnu11", "-Wall", "-Werror", "-I", LIBRARY / "include", "-o", program,
     SOURCES / f"{name}.c", *(more or ("-L", LIBRARIES, "-lcr", f"-Wl,-rpath,{LIBRARIES}")),
     "-pthread"],
    check=True)
  return program


@pytest.fixture
def environment(monkeypatch):
  monkeypatch.setenv("LIBCR_TOOLS", str(runner.BUILD / "bin"))


@pytest.mark.parametrize("library, names", [
  ("cr", PUBLIC), ("cr_run", ["cr_run_link_me"]), ("cr_omit", ["cr_omit_link_me"])])
def test_only_public_names_are_exported(library, names):
  shown = subprocess.run(
    ["nm", "-D", "--defined-only", "--format=posix", LIBRARIES / f"lib{library}.so.0"], check=True,
    stdout=subprocess.PIPE, text=True).stdout
  assert sorted(line.split()[0] for line in shown.splitlines()) == sorted(names)


@pytest.mark.parametrize("name", ["calls_and_errors", "sections_and_spinlocks"])
@pytest.mark.parametrize("kind", ["shared", "static"])
def test_alone(name, kind, directory):
  more = () if kind == "shared" else ("-static", "-u", "cr_link_me", str(LIBRARIES / "libcr.a"))
  subprocess.run([compile_test(name, directory, *more)], check=True, timeout=60)


def test_header_in_cxx(directory):
  (directory / "a.cc").write_text("#include <libcr.h>\nint main() { return cr_init() < 0; }\n")
  subprocess.run(
    ["c++", "-Wall", "-Werror", "-I", LIBRARY / "include", "-c", directory / "a.cc", "-o",
     directory / "a.o"], check=True)


def started(directory, *arguments):
  program = compile_test("callbacks", directory)
  output = directory / "out"
  with open(output, "w") as out:
    process = subprocess.Popen(
      [program, *arguments], stdin=subprocess.DEVNULL, stdout=out, stderr=out, cwd=directory)
  end = time.monotonic() + 10
  while "main waits" not in output.read_text() and time.monotonic() < end:
    time.sleep(0.02)
  return process, output


def checkpoint(process, directory, *more):
  return subprocess.run(
    [runner.tool("cr_checkpoint"), "-p", *more, "-f", directory / "ctx", str(process.pid)],
    stdin=subprocess.DEVNULL, timeout=60).returncode


def test_callbacks_in_order_when_going_on(directory):
  process, output = started(directory)
  assert checkpoint(process, directory) == 0
  assert process.wait(30) == 0
  lines = output.read_text().splitlines()[1:]
  # Thread context is inside cr_checkpoint() before signal context begins.
  assert lines[:2] == ["thread begins 0", "signal begins 0"]
  assert sorted(lines[2:]) == ["hook runs 0", "hook runs 1", "signal ends 0", "thread ends 0"]


def test_callbacks_after_a_restart(directory):
  process, output = started(directory)
  assert checkpoint(process, directory, "--kill") == 0
  process.wait(30)
  assert subprocess.run(
    [runner.tool("cr_restart"), "ctx"], cwd=directory, stdin=subprocess.DEVNULL,
    timeout=60).returncode == 0
  lines = output.read_text().splitlines()[1:]
  assert lines[:2] == ["thread begins 0", "signal begins 0"]
  assert sorted(lines[2:]) == ["hook runs 3", "hook runs 4", "signal ends 1", "thread ends 1"]


@pytest.mark.parametrize("flags, status, said, lives", [
  ("1", 50, -2354, True), (str(1 | 77 << 16), 77, -77, True), ("4", 3, -2358, True),
  ("2", 51, None, False), (str(2 | 78 << 16), 78, None, False)],
  ids=["temporary", "temporary-code", "omit", "permanent", "permanent-code"])
def test_callback_refuses(directory, flags, status, said, lives):
  process, output = started(directory, flags)
  assert checkpoint(process, directory) == status
  assert not (directory / "ctx").exists() and not (directory / ".ctx.tmp").exists()
  assert (process.wait(30) == 0) == lives
  if said is not None:
    assert f"thread ends {said}" in output.read_text()
    assert "signal begins" not in output.read_text()


def test_own_request_and_restart_from_it(directory, environment):
  program = compile_test("own_request", directory)
  # A session of its own: its terminal is nobody's.
  assert subprocess.run(
    [program, "ctx"], cwd=directory, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
    stderr=subprocess.DEVNULL, start_new_session=True, timeout=60).returncode == 0
  assert subprocess.run(
    [runner.tool("cr_restart"), "ctx"], cwd=directory, stdin=subprocess.DEVNULL,
    timeout=60).returncode == 7
