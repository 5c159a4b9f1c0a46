# SPDX-License-Identifier: Apache-2.0
"""Processes of a test: found, waited for, and ended for certain.

Every process a test makes stays below the test process: it is a subreaper, so that orphans come
to it and not to pid 1, and a killed pid is free again as soon as kill() returns.
"""

import ctypes
import os
import signal
import time

PR_SET_CHILD_SUBREAPER = 36
CLONE_NEWIPC = 0x08000000


def become_subreaper():
  libc = ctypes.CDLL(None, use_errno=True)
  if libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0:
    raise OSError(ctypes.get_errno(), "PR_SET_CHILD_SUBREAPER")


class Timeout(Exception):
  pass


# An emulated processor takes its time: every limit is this many times as long.
PATIENCE = float(os.environ.get("CR_PATIENCE") or 1)


def have_own_ipc():
  """System V objects of other tests at the same time, and left over ones, are not seen; as far as
  we may."""
  ctypes.CDLL(None).unshare(CLONE_NEWIPC)


def wait_until(condition, what, seconds=20.0):
  """Polls condition() until it is true, and returns its value."""
  end = time.monotonic() + seconds * PATIENCE
  pause = 0.001
  while True:
    value = condition()
    if value:
      return value
    if time.monotonic() > end:
      raise Timeout(f"{what}: not within {seconds:g} s")
    time.sleep(pause)
    pause = min(pause * 1.5, 0.02)


def _stat(pid):
  """(state, parent) from /proc/PID/stat, or None."""
  try:
    with open(f"/proc/{pid}/stat", "rb") as file:
      fields = file.read().rpartition(b")")[2].split()
    return fields[0].decode(), int(fields[1])
  except (FileNotFoundError, ProcessLookupError):
    return None


def descendants(root):
  """The pids of all processes below `root`, zombies too, parents before children."""
  children = {}
  for name in os.listdir("/proc"):
    if name.isdigit():
      stat = _stat(name)
      if stat:
        children.setdefault(stat[1], []).append(int(name))
  found, todo = [], [root]
  while todo:
    below = children.get(todo.pop(0), [])
    found += below
    todo += below
  return found


def is_alive(pid):
  """Is there such a process, and is it not a zombie?"""
  stat = _stat(pid)
  return stat is not None and stat[0] not in "ZX"


def state(pid):
  stat = _stat(pid)
  return stat[0] if stat else None


def status(pid, field, task=None):
  """One field of /proc/PID/status as text, or None when there is no such process."""
  path = f"/proc/{pid}/task/{task}/status" if task else f"/proc/{pid}/status"
  try:
    with open(path) as file:
      for line in file:
        name, _, value = line.partition(":")
        if name == field:
          return value.strip()
  except (FileNotFoundError, ProcessLookupError):
    pass
  return None


def threads(pid):
  try:
    return [int(name) for name in os.listdir(f"/proc/{pid}/task")]
  except (FileNotFoundError, ProcessLookupError):
    return []


def is_untouched(pid):
  """Is no thread of `pid` traced or held?"""
  tasks = threads(pid)
  return bool(tasks) and all(status(pid, "TracerPid", task) in ("0", None) for task in tasks)


def runs_again(pid):
  """Has a restart let go of `pid`? Until it executes its program it is a copy of cr_restart, which is
  untouched for a moment."""
  return status(pid, "Name") not in ("cr_restart", None) and is_untouched(pid)


def _reap(pid):
  try:
    os.waitpid(pid, os.WNOHANG)
  except ChildProcessError:
    pass


def kill_all(*, keep=(), seconds=20.0):
  """Kills and reaps everything below this process but `keep`; their pids are free afterwards."""
  kept = set(keep)

  def gone():
    left = [pid for pid in descendants(os.getpid()) if pid not in kept]
    for pid in left:
      try:
        os.kill(pid, signal.SIGKILL)
      except ProcessLookupError:
        pass
      _reap(pid)
    return not left

  wait_until(gone, "killed processes are gone", seconds)
