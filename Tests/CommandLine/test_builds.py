# SPDX-License-Identifier: Apache-2.0
"""However a program was linked and started, it survives."""

import os
import shutil
import subprocess

import pytest

from targets import Target

NAMES = ("mutex_waited_for_over_the_checkpoint", "clock_read_through_the_vdso",
         "program_break_at_an_odd_place", "stack_grows_deep_after_the_checkpoint",
         "exit_status_of_children")
WAYS = {
  "static": ("-static",),
  "static, position independent": ("-static-pie",),
  "at a fixed address": ("-no-pie",),
  "with an executable stack": ("-z", "execstack"),
  "without optimisation": ("-O0",),
}


def go_through(target, command):
  with open(target.path("output"), "ab") as output:
    target.judge = subprocess.Popen(
      command, cwd=target.directory, stdin=subprocess.DEVNULL, stdout=output, stderr=output,
      start_new_session=True,
      env={"PATH": os.environ["PATH"], "SCENARIO_DIR": str(target.directory)})
  target.root = target.judge.pid
  while target.next_stop():
    target.kill_and_restart()
    target.await_running_again()
    target.go()
  target.judge_end()


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("way", WAYS)
def test_built(way, name, directory):
  target = Target(directory / "target", name)
  built = target.path("program")
  subprocess.run(["gcc", "-O1", "-g", "-pthread", *WAYS[way], "-o", built, target.scenario.source],
                 check=True)
  go_through(target, [built])


@pytest.mark.parametrize("name", NAMES)
def test_started_by_the_dynamic_linker(name, directory):
  """Then /proc/PID/exe is the linker and not the program."""
  target = Target(directory / "target", name)
  go_through(target, ["/lib64/ld-linux-x86-64.so.2", target.scenario.program])


@pytest.mark.parametrize("name", NAMES)
def test_without_address_randomisation(name, directory):
  target = Target(directory / "target", name)
  go_through(target, ["setarch", "-R", target.scenario.program])


@pytest.mark.parametrize("name", NAMES)
def test_with_an_unlimited_stack(name, directory):
  """The kernel then lays out memory from below."""
  target = Target(directory / "target", name)
  go_through(target, ["/bin/sh", "-c", 'ulimit -s unlimited; exec "$0"', target.scenario.program])


def test_a_program_found_by_a_relative_path(directory):
  target = Target(directory / "target")
  shutil.copy(target.scenario.program, target.path("here"))
  go_through(target, ["./here"])
