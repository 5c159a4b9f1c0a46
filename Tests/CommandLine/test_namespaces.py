# SPDX-License-Identifier: Apache-2.0
"""A target that does not see the same machine: which namespace differs is said, for each kind."""

import os
import re
import shutil
import subprocess

import pytest

import processes
from processes import wait_until
from targets import check_failure, check_success, run

pytestmark = pytest.mark.skipif(os.geteuid() != 0 or not shutil.which("unshare"),
                                reason="needs root and unshare")

# Paths and ids are told from outside: these must be ours, or it is refused.
NEEDED = {"--mount": "mount", "--user": "user"}
# Only what the program sees differs after a restart.
OTHERS = {"--net": "network", "--ipc": "IPC", "--uts": "host name", "--cgroup": "control group",
          "--time": "time"}


def started_in(option, directory):
  """The pid of a program in a new namespace of that kind."""
  process = subprocess.Popen(
    ["unshare", option, *(["--fork"] if option == "--time" else []), "sleep", "300"], cwd=directory,
    stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, start_new_session=True, text=True)

  def find():
    if process.poll() is not None:
      pytest.skip(process.stderr.read().strip())
    return next((pid for pid in [process.pid, *processes.descendants(process.pid)]
                 if processes.status(pid, "Name") == "sleep"), None)
  return wait_until(find, "the program")


@pytest.mark.parametrize("option", NEEDED)
def test_a_namespace_that_must_be_ours_is_named(option, directory):
  pid = started_in(option, directory)
  expected = rf"process {pid} \(sleep\) is in another {NEEDED[option]} namespace .*inside it"
  for check in (), ("--check",):
    check_failure(run("cr_checkpoint", *check, "-f", directory / "context", pid), expected, 95)
  assert not (directory / "context").exists()
  assert processes.is_untouched(pid)


@pytest.mark.parametrize("option", OTHERS)
def test_a_namespace_that_will_be_another_is_a_warning(option, directory):
  pid = started_in(option, directory)
  for check in ("--check",), ():
    result = check_success(run("cr_checkpoint", *check, "-f", directory / "context", pid))
    assert re.search(rf"warning: process {pid} .* in another {OTHERS[option]} namespace", result.stderr)
  assert "--restore-clock" in result.stderr or option != "--time"
  # The file tells, too.
  assert f"another {OTHERS[option]} namespace" in run("cr_info", directory / "context").stdout
