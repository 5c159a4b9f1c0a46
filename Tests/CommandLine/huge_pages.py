# SPDX-License-Identifier: Apache-2.0
"""Huge pages are the machine's: who allows them has them alone, and takes them away again.

PostgreSQL and UCX take them wherever there are some, so that a test of theirs beside one of these would
have another job than it thinks.
"""

import contextlib
import fcntl
import os
import subprocess
import tempfile
from pathlib import Path

LIMIT = Path("/proc/sys/vm/nr_overcommit_hugepages")
LOCK = Path(tempfile.gettempdir()) / "cr-tests.huge-pages"


class Unavailable(Exception):
  pass


@contextlib.contextmanager
def _locked(how):
  number = os.open(LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
  try:
    fcntl.flock(number, how)
    yield
  finally:
    os.close(number)


def nobody_allows_them():
  """While this is held no test changes whether there are huge pages."""
  return _locked(fcntl.LOCK_SH)


def allow(count):
  """At most so many, made when they are wanted and gone when they are free."""
  try:
    LIMIT.write_text(str(count))
  except OSError as problem:
    raise Unavailable(f"huge pages cannot be had: {problem}") from None


@contextlib.contextmanager
def allowed(count=128):
  with _locked(fcntl.LOCK_EX):
    before = LIMIT.read_text() if LIMIT.exists() else None
    try:
      allow(count)
      yield
    finally:
      if before is not None:
        with contextlib.suppress(OSError):
          LIMIT.write_text(before)


@contextlib.contextmanager
def mounted(place, kind="hugetlbfs"):
  """Such a file system at `place`, for as long as this lasts."""
  place.mkdir(exist_ok=True)
  result = subprocess.run(["mount", "-t", kind, "none", place], capture_output=True, text=True)
  if result.returncode != 0:
    raise Unavailable(f"no {kind} can be mounted: {result.stderr.strip()}")
  try:
    yield
  finally:
    subprocess.run(["umount", "-l", place], check=True)
