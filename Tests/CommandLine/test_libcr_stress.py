# SPDX-License-Identifier: Apache-2.0
"""Critical sections under continuous checkpoints: none is in a context file, and nobody starves.

Half a minute of it with callbacks, a short while without; CR_LIBCR_STRESS=300 in the environment: that many seconds
for each of the tests.
"""

import os
import re
import struct
import time

import pytest

import processes
from libcr_programs import Program

SECONDS = {callbacks: float(os.environ.get("CR_LIBCR_STRESS", usual))
           for callbacks, usual in (("both", "30"), ("none", "2"))}
MARK = b"halves of stress_sections\0"
MOST = 8
RESTARTED = 4 if "CR_LIBCR_STRESS" not in os.environ else 100


def check_saved_state(context):
  """The state of the program as it is in the file, found by its mark."""
  contents = context.read_bytes()
  places = [match.start() for match in re.finditer(re.escape(MARK), contents)]
  assert len(places) == 1, f"the mark is at {places} of {context}"
  words = struct.unpack_from(f"={3 + 2 * MOST}q", contents, places[0] + 32)
  inside, halves, own = words[0], words[1:3], words[3:]
  assert inside == 0 and halves[0] == halves[1] > 0, words
  assert own[0::2] == own[1::2] and sum(own[0::2]) == halves[0], words
  return halves[0]


class Stress(Program):
  def __init__(self, directory, threads, callbacks):
    super().__init__("stress_sections", directory, threads, callbacks)
    self.has_callbacks = callbacks != "none"
    self.count = 0
    self.generation = 0
    self.made_in = {}

  def save_for(self, seconds):
    """One checkpoint after the other. The files, and what they say was done by then."""
    end = time.monotonic() + seconds
    kept, done = [], []
    while time.monotonic() < end or len(done) < 3:
      # Far more than it takes: a checkpoint that starves.
      self.save("--nosync", "--time", "30")
      context = self.directory / f"context.{self.count}"
      (self.directory / "ctx").rename(context)
      self.count += 1
      done.append(check_saved_state(context))
      kept.append(context)
      self.made_in[context] = self.generation
      if len(kept) > RESTARTED:
        kept.pop(self.count * 7 % len(kept)).unlink()

    # It may not have had the processor between two of them, but on the whole it went on.
    assert done == sorted(done) and len(set(done)) > len(done) // 2, done
    return kept

  def end_right(self, restarts):
    self.end()
    said = re.match(r"right: (\d+) sections, (\d+) callbacks, (\d+) restarts", self.lines()[-1])
    assert said, self.lines()
    if self.has_callbacks:
      assert int(said[3]) == restarts, self.lines()
    return int(said[1]), int(said[2])


@pytest.mark.parametrize("callbacks", ["none", "both"])
@pytest.mark.parametrize("threads", [1, MOST])
def test_sections_under_continuous_checkpoints(directory, threads, callbacks):
  program = Stress(directory, threads, callbacks)
  kept = program.save_for(SECONDS[callbacks] / 2)
  program.save_and_kill("--time", "30")
  program.restart()
  program.generation = 1
  processes.wait_until(lambda: processes.runs_again(program.pid), "let go")
  kept += program.save_for(SECONDS[callbacks] / 2)
  program.end_right(1)
  # Whichever is restarted: it finds all as it must be, and goes on.
  for context in kept:
    program.unfile("end")
    program.restart(context=context.name)
    processes.wait_until(lambda: processes.runs_again(program.pid), "let go")
    program.save("--time", "30")
    check_saved_state(directory / "ctx")
    program.end_right(program.made_in[context] + 1)
