# SPDX-License-Identifier: Apache-2.0
"""Where the context file goes, and what becomes of the one that was there."""

import os
import socket
import stat
import subprocess

import pytest

import runner
from targets import check_failure, check_success, run


def names(directory):
  return sorted(name for name in os.listdir(directory) if not name.startswith("target."))


def checkpoint(target, *options, **settings):
  return run("cr_checkpoint", *options, target.pid, **settings)


def check_restarts(target, context):
  target.forget()
  target.come_back(context)
  target.check_answer()


@pytest.mark.parametrize("options", ((), ("-c",), ("--cwd",)))
def test_the_default_is_context_dot_id_in_the_working_directory(options, target, directory):
  check_success(checkpoint(target, *options, cwd=directory))
  assert names(directory) == [f"context.{target.pid}"]
  check_restarts(target, directory / f"context.{target.pid}")


def test_a_file_may_be_named(target, directory):
  check_success(checkpoint(target, "--file=state", cwd=directory))
  assert names(directory) == ["state"]


def test_the_file_is_readable_by_its_owner_alone(target, directory):
  check_success(checkpoint(target, "-f", directory / "a"))
  assert stat.S_IMODE((directory / "a").stat().st_mode) == 0o400


def test_a_context_goes_through_a_pipe(target, directory):
  with open(directory / "a", "wb") as file, \
      subprocess.Popen(["cat"], stdin=subprocess.PIPE, stdout=file) as cat:
    result = checkpoint(target, "-F", cat.stdin.fileno(), pass_fds=[cat.stdin.fileno()])
    cat.stdin.close()
  check_success(result)
  check_restarts(target, directory / "a")


def test_a_context_goes_through_a_socket(target, directory):
  ours, theirs = socket.socketpair()
  with open(directory / "a", "wb") as file:
    cat = subprocess.Popen(["cat"], stdin=ours, stdout=file)
    ours.close()
    result = checkpoint(target, "-F", theirs.fileno(), pass_fds=[theirs.fileno()])
    theirs.close()
    cat.wait(20)
  check_success(result)
  check_restarts(target, directory / "a")


def test_a_context_goes_into_an_open_file(target, directory):
  with open(directory / "a", "wb") as file:
    check_success(checkpoint(target, "-F", file.fileno(), pass_fds=[file.fileno()]))
  check_restarts(target, directory / "a")


@pytest.mark.parametrize("number", (99, 1000000))
def test_a_closed_descriptor_is_an_error(number, target):
  check_failure(checkpoint(target, "-F", number), str(number))
  target.check_runs()


def test_a_descriptor_that_cannot_be_written_is_an_error(target, directory):
  (directory / "a").touch()
  with open(directory / "a", "rb") as file:
    check_failure(checkpoint(target, "-F", file.fileno(), pass_fds=[file.fileno()]),
                  "cr_checkpoint: ")
  target.check_runs()


@pytest.mark.parametrize("option", ((), ("--atomic",), ("--clobber",)))
def test_an_older_file_is_replaced(option, target, directory):
  (directory / "a").write_text("older")
  check_success(checkpoint(target, *option, "-f", directory / "a"))
  assert names(directory) == ["a"]
  check_restarts(target, directory / "a")


def test_noclobber_leaves_an_older_file(target, directory):
  (directory / "a").write_text("older")
  check_failure(checkpoint(target, "--noclobber", "-f", directory / "a"), "a.*exists", 17)
  assert (directory / "a").read_text() == "older"
  assert names(directory) == ["a"]
  target.check_runs()


def test_noclobber_makes_a_new_file(target, directory):
  check_success(checkpoint(target, "--noclobber", "-f", directory / "a"))
  assert names(directory) == ["a"]


def test_backup_keeps_the_older_ones_by_number(target, directory):
  for number in range(4):
    check_success(checkpoint(target, "--backup", "-f", directory / "a"))
  assert names(directory) == ["a", "a.~1~", "a.~2~", "a.~3~"]
  ages = [(directory / name).stat().st_mtime_ns for name in ("a.~1~", "a.~2~", "a.~3~", "a")]
  assert ages == sorted(ages)
  check_restarts(target, directory / "a.~2~")


def test_backup_keeps_the_older_one_by_name(target, directory):
  (directory / "a").write_text("older")
  check_success(checkpoint(target, f"--backup={directory}/kept", "-f", directory / "a"))
  assert names(directory) == ["a", "kept"]
  assert (directory / "kept").read_text() == "older"


def test_backup_without_an_older_one_makes_the_file_alone(target, directory):
  check_success(checkpoint(target, "--backup", "-f", directory / "a"))
  assert names(directory) == ["a"]


def test_an_older_context_is_complete_until_the_new_one_is(start, directory):
  """Somebody who opened the older file goes on reading the older file."""
  target = start()
  check_success(checkpoint(target, "-f", directory / "a"))
  before = (directory / "a").read_bytes()
  with open(directory / "a", "rb") as old:
    check_success(checkpoint(target, "-f", directory / "a"))
    assert old.read() == before
  check_restarts(target, directory / "a")


@pytest.mark.parametrize("option", ("--atomic", "--backup", "--clobber", "--noclobber"))
def test_a_failure_leaves_no_file(option, directory):
  check_failure(run("cr_checkpoint", option, "-f", directory / "a", 4190000), "4190000", 3)
  assert names(directory) == []


@pytest.mark.parametrize("option", ("--atomic", "--backup"))
def test_a_failure_leaves_the_older_file_as_it_was(option, directory):
  (directory / "a").write_text("older")
  check_failure(run("cr_checkpoint", option, "-f", directory / "a", 4190000), "4190000", 3)
  assert names(directory) == ["a"]
  assert (directory / "a").read_text() == "older"


@pytest.mark.parametrize("path", ("missing/a", "/proc/a", "a/b"))
def test_a_place_that_cannot_be_written_is_an_error(path, target, directory):
  (directory / "a").touch()
  check_failure(checkpoint(target, "-f", path, cwd=directory), path.rpartition("/")[0])
  target.check_runs()
  target.check_answer()


def test_a_directory_in_the_place_of_the_file_is_an_error(target, directory):
  (directory / "a").mkdir()
  check_failure(checkpoint(target, "-f", directory / "a"), "a")
  assert names(directory) == ["a"] and names(directory / "a") == []
  target.check_runs()


def test_no_descriptor_is_left_in_the_target(target, directory):
  before = sorted(os.listdir(f"/proc/{target.pid}/fd"))
  with open(f"/proc/{target.pid}/maps") as maps:
    mapped = maps.read()
  check_success(checkpoint(target, "-f", directory / "a"))
  assert sorted(os.listdir(f"/proc/{target.pid}/fd")) == before
  with open(f"/proc/{target.pid}/maps") as maps:
    assert maps.read() == mapped


def test_directory_holds_one_file_per_process(start, directory):
  target = start("exit_status_of_children")
  result = checkpoint(target, "-d", directory / "new")
  if result.returncode != 0:
    check_failure(result, "--dir")
    assert not (directory / "new").exists()
    target.check_runs()
    pytest.skip("--dir is not built yet")
  assert f"context.{target.pid}" in names(directory / "new")
  assert len(names(directory / "new")) == 5
