# SPDX-License-Identifier: Apache-2.0
"""Every call of libcr in every checkpoint: asked for by the program and from outside, going on, restarted,
and restarted again from what the restarted one saved."""

import pytest

import processes
from libcr_programs import Program

WAYS = ["reap", "poll", "msg"]


class Course:
  """What happens to one program; each checkpoint is the next turn."""

  def __init__(self, directory, way):
    self.program = Program("all_calls", directory, way)
    self.turn = 1

  def save(self, requester):
    program, context = self.program, "own"
    if requester == "self":
      program.file("ask")
    else:
      context = "ctx"
      program.save()
    program.await_line(rf"^turn {self.turn} result 0$")
    processes.wait_until(lambda: processes.is_untouched(program.pid), "let go")
    return context

  def restart(self, context):
    """In the place of what ran on; its own turn of this number."""
    program = self.program
    said = len([line for line in program.lines() if line == f"turn {self.turn} result 1"])
    program.process.kill()
    program.process.wait(30)
    processes.kill_all()
    program.restart(context=context)
    program.await_line(rf"^turn {self.turn} result 1$", said + 1)
    processes.wait_until(lambda: processes.runs_again(program.pid), "let go")


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("requester", ["self", "external"])
def test_going_on_restart_and_second_generation(directory, requester, way):
  course = Course(directory, way)
  for _ in range(2):
    course.save(requester)
    course.turn += 1
  for _ in range(3):
    context = course.save(requester)
    course.restart(context)
    course.turn += 1
  course.save(requester)
  course.program.end()
  assert course.program.lines()[-1] == "right"


def test_requesters_in_turn(directory):
  course = Course(directory, "msg")
  for requester in ("self", "external", "self", "external"):
    context = course.save(requester)
    course.restart(context)
    course.turn += 1
    course.save("external" if requester == "self" else "self")
    course.turn += 1
  course.program.end()
  assert course.program.lines()[-1] == "right"
