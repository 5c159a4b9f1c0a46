# SPDX-License-Identifier: Apache-2.0
"""Requests of every scope; what cr_reap_checkpoint() says of those that fail: for the program itself and for others,
at once and later."""

import errno
import json
import os
import signal
import subprocess

import pytest

import runner
from libcr_programs import Program, compile_test, with_small_files
from test_libcr_processors import Processor

TEMPORARY, PERMANENT, NO_SUPPORT = 2354, 2355, 2356
ASYNC_ERR, REQUIRE_LIBCR = 0x10, 0x10000
# What a callback gives to cr_checkpoint(); what the requester hears, and what the callback; whether it lives on.
REFUSALS = {
  "temporary": (1, TEMPORARY, -TEMPORARY, True), "temporary-code": (1 | 77 << 16, 77, -77, True),
  "largest-code": (1 | 65535 << 16, 65535, -65535, True), "omit": (4, errno.ESRCH, -2358, True),
  "permanent": (2, PERMANENT, None, False), "permanent-code": (2 | 78 << 16, 78, None, False),
}


def ask(directory, target, number, *more, flags=0, when="reap", **settings):
  program = compile_test("requests_with", directory)
  return subprocess.run(
    [program, "-p", str(target), str(flags), str(number), when, *more], cwd=directory,
    stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, start_new_session=True,
    env={**os.environ, "LIBCR_TOOLS": str(runner.BUILD / "bin")}, **settings)


@pytest.mark.parametrize("scope", ["-p", "-g", "-s", "-T"])
def test_scopes(directory, scope):
  """Of itself, below a shell that leads session and group, beside a sleeper in this group and one in another."""
  program = compile_test("requests_with", directory)
  script = f"sleep 60 & set -m; sleep 60 & set +m; {program} {scope} 0 0 0 reap; code=$?; echo $! $$; exit $code"
  # Not pipes, which the sleepers would keep open.
  with open(directory / "out", "w") as out, open(directory / "errors", "w") as errors:
    result = subprocess.run(
      ["bash", "-c", script], cwd=directory, stdin=subprocess.DEVNULL, stdout=out, stderr=errors, timeout=60,
      start_new_session=True, env={**os.environ, "LIBCR_TOOLS": str(runner.BUILD / "bin")})
  assert result.returncode == 0, (directory / "errors").read_text()
  shown = subprocess.run([runner.tool("cr_info"), "--json", directory / "ctx"], check=True,
                         stdout=subprocess.PIPE, text=True).stdout
  saved = {process["pid"] for process in json.loads(shown)["processes"]}
  elsewhere, shell = map(int, (directory / "out").read_text().split())
  # Never the helper, nor the tool that it has started.
  assert len(saved) == {"-p": 1, "-T": 1, "-g": 3, "-s": 4}[scope]
  assert (shell in saved) == (scope in ("-g", "-s")) and (elsewhere in saved) == (scope == "-s")


@pytest.mark.parametrize("refusal", REFUSALS)
def test_a_callback_of_another_refuses(directory, refusal):
  flags, number, said, lives = REFUSALS[refusal]
  target = Program("callbacks", directory, hex(flags))
  result = ask(directory, target.pid, number)
  assert result.returncode == 0, result.stderr
  assert (target.process.wait(30) == 0) == lives
  if lives:
    assert f"thread ends {said}" in target.lines()
  assert (directory / "ctx").stat().st_size == 0


@pytest.mark.parametrize("refusal", REFUSALS)
def test_a_callback_of_its_own_refuses(directory, refusal):
  flags, number, said, lives = REFUSALS[refusal]
  result = ask(directory, 0, number, hex(flags))
  assert result.returncode == (0 if lives else -signal.SIGKILL), result.stderr
  if lives:
    assert f"responds {said}" in result.stdout


@pytest.mark.parametrize("own", [True, False], ids=["self", "other"])
def test_the_error_of_a_failing_write_is_told(directory, own):
  target = 0 if own else Program("stays_right", directory).pid
  result = ask(directory, target, errno.EFBIG, preexec_fn=with_small_files(8192))
  assert result.returncode == 0, result.stderr
  (directory / "ctx").unlink()
  (directory / "ctx").symlink_to("/dev/full")
  result = ask(directory, target, errno.ENOSPC)
  assert result.returncode == 0, result.stderr


@pytest.mark.parametrize("when", ["request", "reap"])
def test_nobody_of_this_number(directory, when):
  process = subprocess.Popen(["true"])
  process.wait()
  result = ask(directory, process.pid, errno.ESRCH, when=when, flags=ASYNC_ERR if when == "reap" else 0)
  assert result.returncode == 0, result.stderr


@pytest.mark.parametrize("when", ["request", "reap"])
def test_a_process_without_libcr_is_told_as_early_as_others(directory, target, when):
  result = ask(directory, target.pid, NO_SUPPORT, when=when,
               flags=REQUIRE_LIBCR | (ASYNC_ERR if when == "reap" else 0))
  assert result.returncode == 0, result.stderr


@pytest.mark.skipif(os.getuid() != 0, reason="only root has processes of other users")
@pytest.mark.parametrize("when", ["request", "reap"])
def test_a_process_of_another_user(directory, target, when):
  result = ask(directory, target.pid, errno.EPERM, when=when, flags=ASYNC_ERR if when == "reap" else 0,
               user=65534, group=65534, extra_groups=[])
  assert result.returncode == 0, result.stderr
  target.check_runs()
  target.check_answer()


@pytest.mark.skipif(os.getuid() != 0, reason="only root has processes of other users")
def test_a_callback_may_not_forward_to_another_users_process(directory, target):
  nobody = {"user": 65534, "group": 65534, "extra_groups": []}
  program = Program("forwards_to", directory, target.pid, errno.EPERM, **nobody)
  for _ in range(2):
    # The checkpoint goes on without it.
    program.save(**nobody)
  program.await_line("ends 0", 2)
  program.end()
  target.check_runs()
  target.check_answer()


def test_a_callback_may_not_forward_to_one_in_another_checkpoint(directory):
  other = Program("own_action", directory, "own", "thread", output="other")
  first = other.start_checkpoint(context="first")
  other.await_line("thread begins")
  program = Program("forwards_to", directory, other.pid, errno.EBUSY)
  program.save()
  program.await_line("ends 0")
  other.file("go")
  assert first.wait(30) == 0
  program.file("end")
  assert program.process.wait(30) == 0 and other.process.wait(30) == 0


def test_a_message_that_there_is_no_memory_for_can_be_had_later(directory):
  result = subprocess.run(
    [compile_test("message_without_memory", directory)], cwd=directory, stdin=subprocess.DEVNULL,
    capture_output=True, text=True, timeout=60,
    env={**os.environ, "LIBCR_TOOLS": str(runner.BUILD / "bin")})
  assert result.returncode == 0, result.stderr


def test_limits(directory):
  processor = Processor("x86_64").build_libraries()
  processor.run(processor.compile("inside_limits", directory, "-static", processor.build / "lib" / "libcr.a"))
