# SPDX-License-Identifier: Apache-2.0
"""Programs and files on tmpfs and on overlay file systems, as containers have."""

import contextlib
import os
import shutil
import subprocess

import pytest

import runner

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="needs root to mount")

SCENARIOS = ("private_file_mapping", "shared_file_mapping", "file_position_and_flags", "mapped_deleted_file",
             "deleted_file_still_open", "deleted_file_with_another_name", "directory_read_half_way",
             "inotify_watches", "locks_on_files", "file_never_named", "umask_and_working_directory")


class Scenario(runner.Scenario):
  """Its program is a copy on the file system under test."""
  copy = None

  @property
  def program(self):
    return str(self.copy)


@contextlib.contextmanager
def mounted(kind, directory):
  """(Where programs are put before, where the file system is)."""
  below, above, work, place = (directory / name for name in ("lower", "upper", "work", "place"))
  for folder in below, above, work, place:
    folder.mkdir()
  options = f"lowerdir={below},upperdir={above},workdir={work}" if kind == "overlay" else "size=64m"

  def mount():
    result = subprocess.run(["mount", "-t", kind, "-o", options, "none", place], capture_output=True, text=True)
    if result.returncode != 0:
      pytest.skip(result.stderr.strip())
  # What is in the lower layer must be there before.
  if kind == "overlay":
    yield below, mount, place
  else:
    mount()
    yield place, lambda: None, place
  subprocess.run(["umount", place], check=True)


@pytest.mark.parametrize("name", SCENARIOS)
@pytest.mark.parametrize("kind", ("tmpfs", "overlay"))
def test_a_scenario_survives_there(kind, name, directory):
  with mounted(kind, directory) as (programs, mount, place):
    shutil.copy(runner.program(name), programs / "program")
    mount()
    scenario = Scenario(runner.sources()[name])
    scenario.copy = place / "program"
    (place / "here").mkdir()
    run = runner.Run(scenario, place / "here")
    try:
      run.go_through("again")
    except runner.Skipped as reason:
      pytest.skip(str(reason))
    finally:
      run.kill()
