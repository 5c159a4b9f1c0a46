# SPDX-License-Identifier: Apache-2.0
"""System V objects: made again, taken over, and what stands in the way. Root makes chosen ids."""

import os
import re
import subprocess

import pytest

from targets import NOBODY, Target, check_failure, check_success, run, run_as_nobody

NAMES = ("sysv_shared_memory", "sysv_semaphores", "sysv_message_queue")
KINDS = {"sysv_shared_memory": "m", "sysv_semaphores": "s", "sysv_message_queue": "q"}
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root")


def objects(kind):
  """Key and id of each."""
  lines = subprocess.run(["ipcs", "-" + kind], capture_output=True, text=True, check=True).stdout
  return re.findall(r"^0x([0-9a-f]{8}) +(\d+)", lines, re.M)


def remove(kind, before):
  for key, number in objects(kind):
    if (key, number) not in before:
      subprocess.run(["ipcrm", "-" + kind, number], check=True)


@pytest.fixture(params=NAMES)
def saved(request, directory):
  """A target that is no more, its objects still there: (target, context, kind, what was before)."""
  kind = KINDS[request.param]
  before = objects(kind)
  target = Target(directory / "target", request.param).start()
  context = directory / "context"
  check_success(run("cr_checkpoint", "-f", context, target.pid))
  target.forget()
  yield target, context, kind, before
  target.kill()
  remove(kind, before)


@needs_root
def test_what_is_gone_is_made_again_with_its_id(saved):
  target, context, kind, before = saved
  remove(kind, before)
  target.come_back(context)
  target.check_answer()
  assert objects(kind) == before


@needs_root
def test_a_key_in_use_is_an_error_before_anything_runs(saved):
  target, context, kind, before = saved
  key = next(key for key, _ in objects(kind) if key.startswith("435"))
  remove(kind, before)
  # Another id under the same key.
  make = {"m": "shmget(0x%s, 77, 01600)", "s": "semget(0x%s, 1, 01600)", "q": "msgget(0x%s, 01600)"}
  dummy = make[kind] % "0"
  subprocess.run(
    ["python3", "-c", "import ctypes, sys\nlibc = ctypes.CDLL(None)\n"
     + "libc." + dummy.replace("01600", "0o1600") + "\nassert libc."
     + (make[kind] % key).replace("01600", "0o1600") + " >= 0"], check=True)
  there = objects(kind)
  check_failure(run("cr_restart", "-f", context), f"key 0x{key}|id of System V .* in use", None)
  check_failure(run("cr_restart", "--check", "-f", context), "in use")
  assert objects(kind) == there


def attach(number):
  """A process that has this segment attached until its standard input ends."""
  process = subprocess.Popen(
    ["python3", "-c", "import ctypes, sys\nlibc = ctypes.CDLL(None)\nlibc.shmat.restype = ctypes.c_void_p\n"
     f"assert libc.shmat({number}, None, 0) > 0\nprint(flush=True)\nsys.stdin.read()"],
    stdin=subprocess.PIPE, stdout=subprocess.PIPE)
  process.stdout.readline()
  return process


@needs_root
def test_an_attached_segment_is_not_taken_over(directory):
  before = objects("m")
  target = Target(directory / "target", "sysv_shared_memory").start()
  context = directory / "context"
  try:
    number = next(number for key, number in objects("m") if key.startswith("4352"))
    attach(number)
    result = check_success(run("cr_checkpoint", "-f", context, target.pid))
    assert re.search(f"segment {number}.* attached outside of the job", result.stderr)
    target.forget()
    other = attach(number)
    check_failure(run("cr_restart", "-f", context), f"segment {number} .*still in use", 16)
    other.communicate()
    target.come_back(context)
    target.check_answer()
  finally:
    target.kill()
    remove("m", before)


@needs_root
def test_an_ordinary_user_takes_over_what_is_there(directory):
  before = objects("s")
  target = Target(directory / "target", "sysv_semaphores").start(**NOBODY)
  try:
    context = directory / "target" / "context"
    check_success(run_as_nobody(directory, "cr_checkpoint", "-f", context, target.pid))
    target.forget()
    remove("s", before)
    result = run_as_nobody(directory, "cr_restart", "--no-restore-pid", "-f", context)
    check_failure(result, "not permitted to give System V semaphores .* its old id", 1)
    # The old ids are for root to give; whose the set is stays as it was.
    target.come_back(context)
    target.check_answer()
  finally:
    target.kill()
    remove("s", before)


@needs_root
def test_new_ids_where_they_are_wanted(directory):
  before = objects("s")
  target = Target(directory / "target", "sysv_semaphores").start()
  try:
    context = directory / "context"
    check_success(run("cr_checkpoint", "-f", context, target.pid))
    old = [entry for entry in objects("s") if entry not in before]
    target.forget()
    target.come_back(context, "--no-restore-ipc")
    now = [entry for entry in objects("s") if entry not in before + old]
    assert len(old) == 1 and len(now) == 1
    assert now[0][0] == "00000000" and now[0][1] != old[0][1]
    assert re.search("its key is in use", target.path("restart.err").read_text())
  finally:
    target.kill()
    remove("s", before)
