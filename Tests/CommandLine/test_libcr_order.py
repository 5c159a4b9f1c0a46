# SPDX-License-Identifier: Apache-2.0
"""In which order callbacks of both contexts run, in several threads and processes."""

import processes
from libcr_programs import Program

PROCESSES = ("parent", "child")
STACKS = ("signal.a", "signal.b")


def check_order(lines, result):
  """One checkpoint: what was said from its beginning on."""
  said = [line.split() for line in lines]
  begins = [(process, name) for what, process, name, _ in said if what == "begins"]
  ends = [(process, name, got) for what, process, name, got in said if what == "ends"]
  names = [f"thread.{i}" for i in range(3)] + [f"{stack}.{i}" for stack in STACKS for i in range(3)]
  assert sorted(begins) == sorted((process, name) for process in PROCESSES for name in names), lines
  assert sorted(ends) == sorted((process, name, result) for process in PROCESSES for name in names), lines
  # All of thread context, in all processes, before the first of signal context.
  assert all(name.startswith("thread") for _, name in begins[:6]), begins
  for process in PROCESSES:
    for stack in STACKS:
      mine = [name for who, name in begins if who == process and name.startswith(stack)]
      # The last registered first, each inside the one before.
      assert mine == [f"{stack}.{i}" for i in (2, 1, 0)], begins
      mine = [name for who, name, _ in ends if who == process and name.startswith(stack)]
      assert mine == [f"{stack}.{i}" for i in (0, 1, 2)], ends


def test_going_on_restart_and_second_generation(directory):
  program = Program("order_of_callbacks", directory, until=None)
  program.await_line("^waits", 2)
  done = len(program.lines())
  for _ in range(2):
    program.save(scope="-T")
    program.await_line("^ends .* 0$", 18 * (1 + _))
    check_order(program.lines()[done:], "0")
    done = len(program.lines())
  program.save_and_kill(scope="-T")
  for generation in (1, 2):
    processes.kill_all()
    before = [line for line in program.lines() if line.endswith(" 1") and line.startswith("ends")]
    # The callbacks said that they begin before they were saved.
    begun = [line for line in program.lines() if line.startswith("begins")][-18:]
    program.restart()
    program.await_line("^ends .* 1$", len(before) + 18)
    check_order(begun + [line for line in program.lines() if line.startswith("ends")][-18:], "1")
    processes.wait_until(lambda: processes.runs_again(program.pid), "let go")
    if generation == 1:
      program.save_and_kill(scope="-T")
  program.end()
