# SPDX-License-Identifier: Apache-2.0
"""Huge pages that are not there any more, or files in them."""

import os
import subprocess

import pytest

import huge_pages
import processes
from targets import Target, check_failure, check_success, run

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="needs root")


@pytest.fixture
def place(directory):
  """Where a target may be that uses a hugetlbfs at huge/; there are huge pages."""
  place = directory / "target"
  place.mkdir()
  try:
    with huge_pages.allowed(), huge_pages.mounted(place / "huge"):
      yield place
      processes.kill_all()
  except huge_pages.Unavailable as reason:
    pytest.skip(str(reason))


@pytest.fixture
def saved(place):
  def save(name):
    target = Target(place, name).start()
    check_success(run("cr_checkpoint", "-f", place / "context", target.pid))
    target.forget()
    return target
  return save


def remove_segments():
  with open("/proc/sysvipc/shm") as table:
    for line in table.readlines()[1:]:
      subprocess.run(["ipcrm", "-m", line.split()[1]], check=True)


def test_segments_are_in_small_pages_where_there_are_no_huge_ones(saved, place):
  target = saved("sysv_segments_in_huge_pages")
  remove_segments()
  huge_pages.allow(0)
  (place / "flag.small").touch()
  target.come_back(place / "context")
  target.check_answer()
  assert (place / "restart.err").read_text().count("was in huge pages, which cannot be had") == 4


def test_other_memory_in_huge_pages_wants_them(saved, place):
  saved("huge_pages_of_their_own")
  huge_pages.allow(0)
  check_failure(run("cr_restart", "-f", place / "context"), r"in huge pages \(see vm.nr_hugepages\)", 12)
  assert not processes.descendants(os.getpid())


def test_a_file_of_a_hugetlbfs_that_is_gone_is_made_again(saved, place):
  target = saved("files_of_a_hugetlbfs")
  (place / "huge" / "named").unlink()
  target.come_back(place / "context")
  target.check_answer()


def test_without_the_file_system_it_is_an_error(saved, place):
  saved("files_of_a_hugetlbfs")
  with huge_pages.mounted(place / "huge", "tmpfs"):
    for option in (), ("--check",):
      check_failure(run("cr_restart", *option, "-f", place / "context"), "huge/named.*no hugetlbfs is mounted", 2)
