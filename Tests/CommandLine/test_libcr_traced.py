# SPDX-License-Identifier: Apache-2.0
"""The flags of cr_request_checkpoint() that are about tracers, as those of cr_checkpoint in test_tracers.py."""

import errno
import os
import subprocess

import pytest

import runner
from libcr_programs import compile_test
from test_tracers import debugged, family, saved, traced

ALLOW, SKIP, TRACER_SKIP, ASYNC_ERR = 2, 4, 8, 0x10
TRACED, TRACER = 2360, 2361

# Used as fixtures.
_ = debugged, family


def ask(directory, scope, target, flags, number, when="reap"):
  """What the request said of itself."""
  program = compile_test("requests_with", directory)
  result = subprocess.run(
    [program, scope, str(target), str(flags), str(number), when], cwd=directory,
    stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, start_new_session=True,
    env={**os.environ, "LIBCR_TOOLS": str(runner.BUILD / "bin")})
  assert result.returncode == 0, result.stderr
  return result.stderr


@pytest.mark.parametrize("flags, number", [(0, TRACED), (SKIP, errno.ESRCH), (TRACER_SKIP, TRACED)])
@pytest.mark.parametrize("when", ["request", "reap"])
def test_a_traced_target(target, directory, flags, number, when):
  with traced("strace", target.pid) as tracer:
    said = ask(directory, "-p", target.pid, flags | (ASYNC_ERR if when == "reap" else 0), number, when)
    if number == TRACED and when == "reap":
      assert f"traced by process {tracer.pid} (strace)" in said
    assert (directory / "ctx").read_bytes() == b""
  target.check_runs()
  target.check_answer()


def test_a_traced_target_cannot_be_had_from_user_space(target, directory):
  with traced("strace", target.pid):
    assert "traced by process" in ask(directory, "-p", target.pid, ALLOW | ASYNC_ERR, TRACED)


def test_without_a_tracer_the_flags_change_nothing(target, directory):
  for flags in (ALLOW, SKIP, TRACER_SKIP, SKIP | TRACER_SKIP, ALLOW | TRACER_SKIP):
    ask(directory, "-p", target.pid, flags, 0)
    assert (directory / "ctx").stat().st_size > 0


def test_both_at_once_are_refused(target, directory):
  ask(directory, "-p", target.pid, ALLOW | SKIP, errno.EINVAL, "request")


def test_a_traced_child_is_left_out_with_its_children(family, directory):
  root, child, _ = family
  with traced("strace", child):
    ask(directory, "-T", root, 0, TRACED, "request")
    ask(directory, "-T", root, SKIP, 0)
    (directory / "ctx").rename(directory / "a")
    assert saved(directory) == [root]


def test_a_target_that_traces_others(debugged, directory):
  tracer, _ = debugged
  ask(directory, "-p", tracer, 0, TRACER, "request")
  ask(directory, "-p", tracer, SKIP, TRACER, "request")
  ask(directory, "-p", tracer, TRACER_SKIP, errno.ESRCH, "request")
