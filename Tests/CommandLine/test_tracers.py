# SPDX-License-Identifier: Apache-2.0
"""Targets that strace or gdb has in its hands, and such tracers as targets."""

import contextlib
import json
import subprocess

import pytest

import processes
from processes import wait_until
from targets import check_failure, check_success, run

TRACERS = {
  "strace": lambda pid: ["strace", "-f", "-qq", "-o", "/dev/null", "-p", str(pid)],
  # Attached, and letting the program run.
  "gdb": lambda pid: ["gdb", "-q", "-nx", "-p", str(pid), "-ex", "continue"],
}


@contextlib.contextmanager
def traced(name, pid):
  """`name` traces the process `pid`, which runs on."""
  tracer = subprocess.Popen(TRACERS[name](pid), stdin=subprocess.PIPE, stdout=subprocess.DEVNULL,
                            stderr=subprocess.DEVNULL, start_new_session=True)
  try:
    wait_until(lambda: processes.status(pid, "TracerPid") == str(tracer.pid), "traced")
    wait_until(lambda: processes.state(pid) in "SR", "runs under the tracer")
    yield tracer
  finally:
    tracer.terminate() if name == "strace" else tracer.kill()
    tracer.wait(20)


@pytest.fixture(params=TRACERS)
def tool(request):
  return request.param


@pytest.mark.parametrize("option", ((), ("--ptraced-error",), ("--ptraced-skip", "--ptraced-error")))
def test_a_traced_target_is_an_error(option, tool, target, directory):
  with traced(tool, target.pid) as tracer:
    result = run("cr_checkpoint", *option, "-f", directory / "a", target.pid)
    check_failure(result, rf"process {target.pid} .*traced by process {tracer.pid} \({tool}\)", 56)
  assert not (directory / "a").exists()


def test_strace_goes_on_tracing_after_the_refusal(target, directory):
  with traced("strace", target.pid) as tracer:
    run("cr_checkpoint", "-f", directory / "a", target.pid)
    assert processes.status(target.pid, "TracerPid") == str(tracer.pid)
  target.check_runs()
  target.check_answer()


def test_nobody_is_left_when_the_only_target_is_traced(tool, target, directory):
  with traced(tool, target.pid):
    result = run("cr_checkpoint", "--ptraced-skip", "-f", directory / "a", target.pid)
    check_failure(result, f"no process {target.pid}", 3)
  assert not (directory / "a").exists()


@pytest.fixture
def family(directory):
  """A shell with a child that has a child: (root, child, grandchild)."""
  root = subprocess.Popen(
    ["/bin/sh", "-c", "sh -c 'sleep 300 & wait' & wait"], start_new_session=True,
    stdin=subprocess.DEVNULL)
  wait_until(lambda: len(processes.descendants(root.pid)) == 2, "a family")
  return root.pid, *processes.descendants(root.pid)


def saved(directory):
  report = json.loads(check_success(run("cr_info", "--json", directory / "a")).stdout)
  return [process["pid"] for process in report["processes"]]


def test_a_traced_child_is_left_out_with_its_children(tool, family, directory):
  root, child, _ = family
  with traced(tool, child):
    result = check_success(
      run("cr_checkpoint", "--ptraced-skip", "-f", directory / "a", root))
    assert saved(directory) == [root]
    assert f"process {child}" in result.stderr and "left out" in result.stderr


def test_kmsg_none_leaves_out_in_silence(family, directory):
  root, child, _ = family
  with traced("strace", child):
    result = check_success(
      run("cr_checkpoint", "--ptraced-skip", "--kmsg-none", "-f", directory / "a", root))
    assert result.stderr == ""


@pytest.fixture
def debugged(directory):
  """strace with the program that it started: (strace, program)."""
  tracer = subprocess.Popen(["strace", "-qq", "-o", "/dev/null", "sleep", "300"],
                            start_new_session=True, stdin=subprocess.DEVNULL)

  def program():
    below = processes.descendants(tracer.pid)
    return below and processes.status(below[0], "TracerPid") == str(tracer.pid) and \
      processes.status(below[0], "Name") == "sleep" and below[0]
  return tracer.pid, wait_until(program, "sleep under strace")


@pytest.mark.parametrize("option", ((), ("--ptracer-error",), ("--ptracer-skip", "--ptracer-error")))
def test_a_tracing_target_is_an_error(option, debugged, directory):
  tracer, _ = debugged
  result = run("cr_checkpoint", *option, "-p", "-f", directory / "a", tracer)
  check_failure(result, rf"process {tracer} \(strace\) traces others", 57)
  assert not (directory / "a").exists()


def test_a_tracing_target_is_left_out(debugged, directory):
  tracer, program = debugged
  result = run("cr_checkpoint", "--ptracer-skip", "-f", directory / "a", tracer)
  check_failure(result, f"no process {tracer}", 3)
  assert processes.status(program, "TracerPid") == str(tracer)


def test_ptraced_allow_takes_the_kernel_engine(debugged, directory):
  tracer, program = debugged
  result = run("cr_checkpoint", "--ptraced-allow", "--engine=user", "-f", directory / "a", program)
  check_failure(result, rf"traced by process {tracer} .*use --engine=kernel", 56)
