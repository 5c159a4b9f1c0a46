# SPDX-License-Identifier: Apache-2.0
"""cr_run puts a stub library before a program, and is otherwise not there."""

import os
import signal
import subprocess

import pytest

import runner
from targets import check_failure, check_success, run


@pytest.fixture
def stubs(directory):
  """Libraries of the right names that do nothing, where the dynamic linker finds them."""
  for name in ("libcr_run.so.0", "libcr_omit.so.0", "libother.so"):
    subprocess.run(["gcc", "-shared", "-x", "c", "/dev/null", "-o", directory / name], check=True)
  return {"PATH": os.environ["PATH"], "LD_LIBRARY_PATH": str(directory)}


def preloaded(*options, environment):
  result = check_success(
    run("cr_run", *options, "/bin/sh", "-c", 'echo "$LD_PRELOAD"', env=environment))
  return result.stdout.strip().replace(" ", ":").split(":")


def names(paths):
  return [os.path.basename(path) for path in paths]


@pytest.mark.parametrize("options, name", (
  ((), "libcr_run.so.0"), (("--run",), "libcr_run.so.0"), (("--omit",), "libcr_omit.so.0"),
  (("--",), "libcr_run.so.0"), (("--run", "--omit"), "libcr_omit.so.0")))
def test_the_stub_comes_first(options, name, stubs):
  assert names(preloaded(*options, environment=stubs)) == [name]


def test_the_entries_of_the_user_are_kept(stubs):
  environment = {**stubs, "LD_PRELOAD": "libother.so"}
  assert names(preloaded(environment=environment)) == ["libcr_run.so.0", "libother.so"]


def test_an_earlier_stub_is_dropped(stubs, directory):
  environment = {**stubs, "LD_PRELOAD": f"libother.so:{directory}/libcr_run.so.0"}
  assert names(preloaded("--omit", environment=environment)) == ["libcr_omit.so.0", "libother.so"]


def test_the_command_keeps_the_pid(stubs):
  with subprocess.Popen([runner.tool("cr_run"), "/bin/sh", "-c", "echo $$"], env=stubs,
                        stdout=subprocess.PIPE, text=True) as process:
    assert int(process.stdout.read()) == process.pid


@pytest.mark.parametrize("status", (0, 3, 255))
def test_the_status_is_that_of_the_command(status, stubs):
  assert run("cr_run", "/bin/sh", "-c", f"exit {status}", env=stubs).returncode == status


def test_a_signal_is_that_of_the_command(stubs):
  assert run("cr_run", "/bin/sh", "-c", "kill -TERM $$", env=stubs).returncode == -signal.SIGTERM


def test_options_after_the_command_are_its_own(stubs):
  assert check_success(run("cr_run", "echo", "--omit", "-x", env=stubs)).stdout == "--omit -x\n"


def test_a_command_that_is_missing(stubs):
  check_failure(run("cr_run", "no-such-command", env=stubs), "no-such-command.*no such file", 127)


def test_a_command_that_is_no_program(stubs):
  check_failure(run("cr_run", "/etc/passwd", env=stubs), "/etc/passwd.*permission", 126)
