# SPDX-License-Identifier: Apache-2.0
"""Control groups: what was the job's own is entered again, what belongs to the place is not."""

import contextlib
import json
import os
from pathlib import Path

import pytest

import processes
from processes import wait_until
from targets import check_success, run


def hierarchies():
  """(name in /proc/PID/cgroup, mount point) of a hierarchy of version 1 and that of version 2, if there are."""
  found = {}
  for line in Path("/proc/self/mountinfo").read_text().splitlines():
    fields, _, rest = line.partition(" - ")
    kind, _, options = rest.split(" ")[:3]
    root, place = fields.split()[3:5]
    if root == "/" and kind == "cgroup2":
      found["2"] = ("", place)
    if root == "/" and kind == "cgroup" and "pids" in options.split(","):
      found["1"] = ("pids", place)
  return found


def groups(pid):
  lines = Path(f"/proc/{pid}/cgroup").read_text().splitlines()
  return dict(line.split(":", 2)[1:] for line in lines)


@pytest.fixture(params=["1", "2"])
def group(request):
  """(hierarchy, path, directory) of a new control group."""
  found = hierarchies().get(request.param)
  if not found or os.geteuid() != 0:
    pytest.skip("no control groups to be made here")
  hierarchy, place = found
  path = groups(os.getpid())[hierarchy].rstrip("/") + f"/cr-test.{os.getpid()}"
  directory = Path(place + path)
  try:
    directory.mkdir()
  except OSError as problem:
    pytest.skip(f"no control groups to be made here: {problem}")
  yield hierarchy, path, directory
  processes.kill_all()
  with contextlib.suppress(FileNotFoundError):
    wait_until(lambda: not (directory / "cgroup.procs").read_text(), "the group is empty")
    directory.rmdir()


def saved(target, group, context):
  """The target, moved into the group, is saved and ended."""
  hierarchy, path, directory = group
  (directory / "cgroup.procs").write_text(str(target.pid))
  assert groups(target.pid)[hierarchy] == path
  check_success(run("cr_checkpoint", "-f", context, target.pid))
  target.forget()


def test_a_group_of_its_own_is_entered_again(target, group, directory):
  saved(target, group, directory / "context")
  target.come_back(directory / "context")
  assert groups(target.pid)[group[0]] == group[1]
  target.check_answer()


def test_cr_info_shows_it(target, group, directory):
  saved(target, group, directory / "context")
  process = json.loads(run("cr_info", "--json", directory / "context").stdout)["processes"][0]
  assert {"hierarchy": group[0], "path": group[1], "own": True} in process["control_groups"]
  assert group[1] in run("cr_info", directory / "context").stdout


def test_without_it_nobody_is_moved(target, group, directory):
  saved(target, group, directory / "context")
  target.come_back(directory / "context", "--no-restore-cgroup")
  assert groups(target.pid)[group[0]] != group[1]
  assert not target.path("restart.err").read_text()
  target.check_answer()


def test_a_group_that_is_gone_is_a_warning(target, group, directory):
  saved(target, group, directory / "context")
  wait_until(lambda: not (group[2] / "cgroup.procs").read_text(), "the group is empty")
  group[2].rmdir()
  target.come_back(directory / "context")
  assert f"control group {group[1]}" in target.path("restart.err").read_text()
  assert "not there any more" in target.path("restart.err").read_text()
  target.check_answer()


def test_the_group_of_whoever_asked_is_no_matter(target, directory):
  # Ours, where the target is too: a restart from elsewhere says nothing.
  check_success(run("cr_checkpoint", "-f", directory / "context", target.pid))
  process = json.loads(run("cr_info", "--json", directory / "context").stdout)["processes"][0]
  assert not any(group["own"] for group in process["control_groups"])
