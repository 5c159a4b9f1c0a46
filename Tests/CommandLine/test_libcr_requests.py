# SPDX-License-Identifier: Apache-2.0
"""Callbacks of many processes, held threads, critical sections, and requests of every kind."""

import errno
import os
import socket
import subprocess

import pytest

import processes
import runner
from libcr_programs import Program, compile_test

TEMPORARY, OMITTED = -2354, -2358
SCOPES = {"-p": 0, "-g": 1, "-s": 2, "-T": 3}


def named(lines, *words):
  return sorted(line for line in lines if any(word in line for word in words))


@pytest.mark.parametrize("scope", ["-g", "-s", "-T"])
def test_callbacks_of_all_processes_of_a_scope(directory, scope):
  program = Program("family", directory)
  program.save_and_kill(scope=scope)
  began = [f"{name} begins {SCOPES[scope]}" for name in ("first", "parent", "second")]
  assert named(program.lines(), "begins") == began
  processes.kill_all()
  program.restart()
  program.await_line("ends 1", 3)
  program.end()


def test_a_process_alone_is_not_its_family(directory):
  program = Program("family", directory)
  program.save()
  assert named(program.lines(), "begins") == ["parent begins 0"]
  program.end()


def test_a_callback_forwards(directory):
  program = Program("family", directory, 0, "forward")
  program.save()
  assert named(program.lines(), "begins") == ["first begins 0", "parent begins 0", "second begins 0"]
  program.await_line("ends 0", 3)
  program.save_and_kill()
  processes.kill_all()
  program.restart()
  program.await_line("ends 1", 3)
  program.end()


def test_a_whole_family_is_left_out(directory):
  program = Program("family", directory, 4)
  result = program.checkpoint(scope="-T")
  assert result.returncode == errno.ESRCH, result.stderr
  assert not [path for path in directory.iterdir() if "ctx" in path.name]
  program.await_line(f"ends {OMITTED}", 3)
  program.end()


def test_a_permanent_failure_kills_the_family_and_nobody_else(directory):
  program = Program("family", directory, 2)
  bystander = subprocess.Popen(["sleep", "60"])
  result = program.checkpoint(scope="-T")
  assert result.returncode == 51, result.stderr
  assert program.process.wait(30) == -9
  assert bystander.poll() is None
  bystander.kill()
  bystander.wait()


@pytest.mark.parametrize("way", ["continue", "restart"])
def test_children_end_while_callbacks_run(directory, way):
  program = Program("child_ends_meanwhile", directory)
  program.save(scope="-T")
  if way == "restart":
    processes.kill_all()
    program.process.wait(30)
    program.restart()
  program.end()
  assert program.lines()[-1] == f"right {int(way == 'restart')}"


HOLDS = [(who, setting) for who in ("init", "uninit", "thread") for setting in range(4)]


@pytest.mark.parametrize("who, setting", HOLDS)
def test_hold_control(directory, who, setting):
  """CR_HOLD_NONE, _CONT, _RSTRT, _BOTH: whether others run while callbacks do."""
  program = Program("holds", directory, who, setting)
  program.save()
  program.await_line("held 0" if setting & 1 else "runs 0")
  program.save_and_kill()
  program.restart()
  program.await_line("held 1" if setting & 2 else "runs 1")
  program.end()


@pytest.mark.parametrize("context", ["thread", "signal"])
def test_a_pending_checkpoint_happens_when_the_section_is_left(directory, context):
  program = Program("pending", directory, context, until="main waits 1")
  program.save()
  program.await_line("main waits 2")
  program.save_and_kill()
  program.restart()
  program.await_line("responds 1")
  program.await_line("main waits 3")
  program.save()
  program.await_line("main waits 4")
  program.end()


@pytest.mark.parametrize("kind", ["any", "chain"])
def test_crowded_sections_do_not_keep_a_checkpoint_out(directory, kind):
  program = Program("crowded_sections", directory, kind)
  for _ in range(5):
    program.save("--time", "20")
  program.end()


def test_callbacks_in_two_generations_of_restarts(directory):
  program = Program("stays_right", directory)
  for _ in range(3):
    program.save_and_kill()
    program.restart()
    processes.wait_until(lambda: processes.runs_again(program.pid), "let go")
  program.save()
  program.end()
  assert program.lines()[-1].endswith("restarted 1")


def test_the_second_of_two_requests_is_told_that_the_program_is_busy(directory):
  program = Program("own_action", directory, "own", "both")
  first = program.start_checkpoint()
  program.await_line("thread begins")
  assert program.checkpoint(scope="-p").returncode == errno.EBUSY
  program.file("go")
  assert first.wait(30) == 0
  program.save()
  program.end()


def test_requests_that_overlap_leave_each_other_the_permission_to_trace(directory):
  targets = [Program("stays_right", directory, output=f"out.{number}") for number in range(2)]
  program = compile_test("overlapping_requests", directory)
  result = subprocess.run(
    [program, *(str(target.pid) for target in targets)], cwd=directory, stdin=subprocess.DEVNULL,
    capture_output=True, text=True, timeout=60,
    env={**os.environ, "LIBCR_TOOLS": str(runner.BUILD / "bin")})
  assert result.returncode == 0, result.stderr
  for name in "one", "two":
    check = subprocess.run([runner.tool("cr_info"), "--check", directory / name],
                           capture_output=True, text=True, timeout=30)
    assert check.returncode == 0, check.stderr


def test_many_programs_ask_for_the_same_target(directory):
  target = Program("stays_right", directory)
  asks = compile_test("asks", directory)
  requesters = [
    subprocess.Popen([asks, str(target.pid), f"context.{n}", "20"], cwd=directory,
                     stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True,
                     env={**os.environ, "LIBCR_TOOLS": str(runner.BUILD / "bin")})
    for n in range(3)]
  said = [requester.communicate(timeout=60)[0] for requester in requesters]
  assert all(requester.returncode == 0 for requester in requesters), said
  assert any("done" in text for text in said)
  target.save()
  target.end()


def test_the_time_limit_holds_in_callbacks(directory):
  program = Program("own_action", directory, "own", "both")
  assert program.checkpoint("--time", "1").returncode == errno.ETIMEDOUT
  program.file("go")
  program.await_line(f"thread ends {TEMPORARY}")
  program.save()
  program.end()


def received(end):
  parts = []
  while True:
    part = os.read(end, 1 << 20)
    if not part:
      return b"".join(parts)
    parts.append(part)


def save_into_stream(directory, kind, *target):
  """requests_into into a pipe or a socket, which are read into the file `ctx`."""
  program = compile_test("requests_into", directory)
  if kind == "pipe":
    reading, writing = os.pipe()
  else:
    ours, theirs = socket.socketpair()
    reading, writing = ours.detach(), theirs.detach()
  process = subprocess.Popen(
    [program, str(writing), "0", "0", *target], pass_fds=[writing], cwd=directory,
    start_new_session=True, stdin=subprocess.DEVNULL, stdout=open(directory / "said", "wb"),
    stderr=subprocess.STDOUT, env={**os.environ, "LIBCR_TOOLS": str(runner.BUILD / "bin")})
  os.close(writing)
  context = received(reading)
  os.close(reading)
  assert process.wait(30) == 0, (directory / "said").read_text()
  (directory / "ctx").write_bytes(context)


@pytest.mark.parametrize("kind", ["pipe", "socket"])
def test_a_request_for_another_into_a_stream(directory, kind):
  target = Program("stays_right", directory)
  save_into_stream(directory, kind, str(target.pid))
  target.process.kill()
  target.process.wait()
  target.restart()
  target.end()
  assert target.lines()[-1].endswith("restarted 1")


def test_a_request_for_itself_into_a_pipe(directory):
  save_into_stream(directory, "pipe")
  assert subprocess.run(
    [runner.tool("cr_restart"), "ctx"], cwd=directory, stdin=subprocess.DEVNULL,
    timeout=60).returncode == 7


def test_the_time_limit_of_a_programs_request(directory):
  program = compile_test("requests_into", directory)
  with open(directory / "context", "wb") as context:
    result = subprocess.run(
      [program, str(context.fileno()), "1", str(errno.ETIMEDOUT)], pass_fds=[context.fileno()],
      stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60,
      env={**os.environ, "LIBCR_TOOLS": str(runner.BUILD / "bin")})
  assert result.returncode == 0, result.stderr
  assert f"slow ends {TEMPORARY}" in result.stdout


@pytest.mark.parametrize("keeps", [(), ("keeps",)], ids=["renames", "keeps"])
def test_the_context_that_a_program_has_open_itself_stays_whole(directory, keeps):
  """At its restart, for it had no bytes yet when the program was saved; and wherever it is then."""
  program = compile_test("renames", directory)
  assert subprocess.run(
    [program, "ctx", "3", *keeps], cwd=directory, stdin=subprocess.DEVNULL,
    stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=60,
    env={**os.environ, "LIBCR_TOOLS": str(runner.BUILD / "bin")}).returncode == 0
  context = directory / "ctx"
  if keeps:
    (directory / "ctx.new").rename(context)
  whole = context.read_bytes()
  for _ in range(3):
    assert subprocess.run(
      [runner.tool("cr_restart"), "ctx"], cwd=directory, stdin=subprocess.DEVNULL,
      timeout=60).returncode == 7
    assert context.read_bytes() == whole
  # In its place there is a file that it may write.
  assert (directory / "ctx.new").read_bytes() == b"x"


def test_a_context_under_its_old_name_is_not_cut_back(directory):
  program = compile_test("own_request", directory)
  assert subprocess.run(
    [program, "ctx"], cwd=directory, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
    stderr=subprocess.DEVNULL, start_new_session=True, timeout=60,
    env={**os.environ, "LIBCR_TOOLS": str(runner.BUILD / "bin")}).returncode == 0
  whole = (directory / "ctx").read_bytes()
  for _ in range(2):
    assert subprocess.run(
      [runner.tool("cr_restart"), "ctx"], cwd=directory, stdin=subprocess.DEVNULL,
      timeout=60).returncode == 7
    assert (directory / "ctx").read_bytes() == whole
