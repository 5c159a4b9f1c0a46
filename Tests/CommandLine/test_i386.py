# SPDX-License-Identifier: Apache-2.0
"""32-bit programs under a 64-bit kernel, held by the 64-bit tools: every scenario compiled for i386,
and what is special about them."""

import json
import os
import random
import shutil
import subprocess
import time

import pytest

import processes
import runner
from libcr_programs import Program, compile_test
from processes import wait_until
from targets import Target, check_success, run
from test_libcr_processors import Processor

pytestmark = pytest.mark.skipif(os.uname().machine != "x86_64", reason="no kernel for both word sizes")

# Undisturbed and once restarted are said by test_scenarios.py of the same sources: less of everything
# is in "continue" and "again", and they find what goes wrong here.
WAYS = ("continue", "again")


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("scenario", runner.all_scenarios("i386"), ids=lambda scenario: scenario.name)
def test_scenario(scenario, way, directory):
  if scenario.needs_root and os.geteuid() != 0:
    pytest.skip("needs root")
  if scenario.once and way == "again":
    way = "restart"
  try:
    runner.Run(scenario, directory).go_through(way)
  except runner.Skipped as reason:
    pytest.skip(str(reason))


@pytest.fixture
def start(directory):
  """Starts a scenario as a 32-bit program."""
  started = []

  def begin(name, program=None):
    started.append(Target(directory / f"target.{len(started)}", name, "i386"))
    return started[-1].start()
  yield begin
  processes.kill_all()


@pytest.mark.parametrize("name", [
  "threads_64_with_futexes", "waits_for_input", "pipe_between_processes", "registers_x87_and_sse",
  "signals_arriving_all_the_time"])
def test_sigkill_at_any_moment(name, start, directory):
  """Whenever cr_checkpoint dies, its target finds its way back by the vdso."""
  target = start(name)
  target.path("restarted").touch()
  choice = random.Random(name)
  context = directory / "context"
  for _ in range(50):
    tool = subprocess.Popen([runner.tool("cr_checkpoint"), "-f", context, str(target.pid)],
                            stderr=subprocess.DEVNULL)
    time.sleep(choice.uniform(0, 0.012))
    tool.kill()
    tool.wait()
    if context.exists():
      check_success(run("cr_info", "--check", context))
      context.unlink()
  wait_until(lambda: processes.is_untouched(target.pid), "let go")
  target.check_runs()
  target.check_answer()


def test_the_file_says_what_it_is(start, directory):
  target = start("private_anonymous_memory")
  context = directory / "context"
  check_success(run("cr_checkpoint", "-f", context, target.pid))
  kind = subprocess.check_output(["file", "-b", context], text=True)
  assert kind.startswith("ELF 32-bit LSB core file, Intel 80386")
  notes = subprocess.check_output(["readelf", "-n", context], text=True)
  for name in ("NT_PRSTATUS", "NT_FPREGSET", "NT_386_TLS", "NT_X86_XSTATE", "NT_AUXV", "NT_FILE"):
    assert name in notes, notes
  report = json.loads(check_success(run("cr_info", "--json", context)).stdout)
  assert [process["bits"] for process in report["processes"]] == [32]
  assert "i386" in json.loads(check_success(run("cr_info", "--json")).stdout)["architectures"]


def test_a_program_that_is_gone_is_stood_in_for(directory):
  """A process begins as some program: our own has the wrong word size."""
  scenario = runner.Scenario(runner.sources("i386")["threads_64_with_futexes"], "i386")
  copy = directory / "gone"
  shutil.copy(scenario.program, copy)
  target = Target(directory / "target", scenario.name, "i386")
  target.scenario = type("Copy", (), {**vars(scenario), "program": str(copy)})()
  target.start()
  context = directory / "context"
  check_success(run("cr_checkpoint", "--save-exe", "-f", context, target.pid))
  copy.unlink()
  target.forget()
  target.come_back(context)
  target.check_answer()


@pytest.fixture(scope="session")
def libraries():
  """libcr for 32-bit programs, by its own CMakeLists.txt."""
  return Processor("i386").build_libraries().build / "lib"


@pytest.mark.parametrize("name, line, options", [
  ("stays_right", "", []), ("stays_right", "", ["--no-restore-pid"]), ("family", "ends 1", [])])
def test_callbacks_of_a_32_bit_program(name, line, options, libraries, directory):
  """Its control block is the same as that of a 64-bit one."""
  compile_test(name, directory, "-static", "-u", "cr_link_me", libraries / "libcr.a",
               compiler="i686-linux-gnu-gcc")
  program = Program(name, directory)
  program.save_and_kill(scope="-T")
  processes.kill_all()
  program.restart(*options)
  if line:
    program.await_line(line, 3)
  program.end()
