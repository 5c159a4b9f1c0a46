# SPDX-License-Identifier: Apache-2.0
"""A static program that is not of ours, a shell with its children: Debian's busybox, on every processor."""

import os
import subprocess

import pytest

import processes
from processes import wait_until
from targets import check_success, run

BUSYBOX = "/bin/busybox"
SCRIPT = "i=0; while :; do i=$((i + 1)); echo $i >> counts; sleep 0.1; done"


def test_it_counts_on(directory):
  """Where CR_KEEP_CONTEXT leads, its file stays: for a machine with another processor (tools/check-vm)."""
  if not os.path.exists(BUSYBOX):
    if os.environ.get("CR_SKIP_NOTHING"):
      pytest.fail("busybox-static is missing")
    pytest.skip("needs busybox-static")
  counts = directory / "counts"

  def numbers(at_least):
    def enough():
      found = [int(line) for line in counts.read_text().split("\n")[:-1]] if counts.exists() else []
      return found if len(found) >= at_least else None
    return wait_until(enough, f"{at_least} numbers")

  settings = {"cwd": directory, "start_new_session": True, "stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL}
  shell = subprocess.Popen([BUSYBOX, "sh", "-c", SCRIPT], **settings)
  before = numbers(3)
  context = os.environ.get("CR_KEEP_CONTEXT") or directory / "context"
  check_success(run("cr_checkpoint", "--compress", "-f", context, shell.pid, timeout=60 * processes.PATIENCE))
  numbers(len(before) + 3)
  processes.kill_all()
  shell.wait()
  after = numbers(1)
  counts.unlink()
  with open(directory / "errors", "w+") as errors:
    subprocess.Popen([os.path.join(os.environ["CR_BUILD_DIR"], "bin", "cr_restart"), "-f", context],
                     stderr=errors, **settings)
    # From where it was saved, and no number is left out.
    again = numbers(3)
    errors.seek(0)
    assert again == list(range(again[0], again[0] + len(again))), errors.read()
  assert before[-1] < again[0] <= after[-1]
