# SPDX-License-Identifier: Apache-2.0
"""cr_checkpoint --dir and cr_restart --dir: a file for each process, and what is shared stays shared."""

import json
import os
import random
import shutil
import stat
import subprocess
import time

import pytest

import processes
import runner
from processes import wait_until
from targets import check_failure, check_success, run

# What processes share, and what belongs to none of them alone.
SHARING = (
  "children_and_grandchildren", "deleted_file_still_open", "descriptors_of_one_open_file",
  "memfd_sealed_and_shared", "pages_shared_by_a_fork", "pipe_between_processes",
  "processes_sharing_memory", "robust_mutex_shared_between_processes",
  "shared_memory_kept_by_a_child_alone", "shared_memory_of_parent_and_children", "socket_pairs",
  "sysv_shared_memory", "zombies",
)


class Run(runner.Run):
  place = "--dir"


@pytest.mark.parametrize("name", SHARING)
def test_what_processes_share_is_shared_afterwards(name, directory):
  scenario = runner.Scenario(runner.sources()[name])
  if scenario.needs_root and os.geteuid() != 0:
    pytest.skip("needs root")
  Run(scenario, directory).go_through("again")


def files(place):
  return sorted(os.listdir(place))


@pytest.fixture
def tree(start):
  return start("shared_memory_of_parent_and_children")


@pytest.fixture
def saved(tree, directory):
  """A directory with the context of a tree that is no more."""
  place = directory / "saved"
  check_success(run("cr_checkpoint", "--dir", place, tree.pid))
  tree.forget()
  return place


def pids(target):
  return sorted([target.pid, *processes.descendants(target.pid)])


def come_back(target, place, *options):
  """As Target.come_back, from a directory."""
  target.path("restarted").touch()
  with open(target.path("restart.err"), "ab") as errors:
    target.judge = subprocess.Popen(
      [runner.tool("cr_restart"), *options, "--dir", str(place)], stdin=subprocess.DEVNULL,
      start_new_session=True, cwd=target.directory, stderr=errors)
  target.await_answer()
  target.check_answer()


def test_every_process_has_its_file(tree, directory):
  result = check_success(run("cr_checkpoint", "--json", "-d", "job", tree.pid, cwd=directory))
  assert json.loads(result.stdout)["context"] == str(directory / "job")
  everybody = pids(tree)
  assert len(everybody) > 1
  assert files(directory / "job") == sorted(f"context.{pid}" for pid in everybody)
  assert stat.S_IMODE((directory / "job").stat().st_mode) == 0o700
  for path in (directory / "job").iterdir():
    assert stat.S_IMODE(path.stat().st_mode) == 0o400
    # A core file of that process as it is.
    head = subprocess.run(["readelf", "-h", path], capture_output=True, text=True, timeout=20)
    assert "CORE" in head.stdout and head.stderr == ""
  tree.check_answer()


@pytest.mark.parametrize("options", ((), ("--compress",), ("--nosync",), ("--clobber",), ("--noclobber",)))
def test_it_comes_back(options, tree, directory):
  check_success(run("cr_checkpoint", *options, "-d", directory / "job", tree.pid))
  tree.forget()
  come_back(tree, directory / "job")


def test_after_the_directory_was_moved(tree, saved, directory):
  saved.rename(directory / "elsewhere")
  come_back(tree, f"{directory}/elsewhere/")


def test_through_a_link(tree, saved, directory):
  (directory / "link").symlink_to("saved")
  come_back(tree, directory / "link")


def test_relocated(directory):
  """What its processes refer to moves with --relocate, as from one file."""
  home = directory / "home"
  home.mkdir()
  (home / "data").write_text("0123456789")
  program = ("import os,time\nf=open('data')\nf.read(4)\nif os.fork()==0:\n time.sleep(1000)\n"
             "while not os.path.exists('go'): time.sleep(0.01)\n"
             "open('answer','w').write(f.read()+os.getcwd())\n")
  job = subprocess.Popen(["/usr/bin/python3", "-S", "-c", program], cwd=home,
                         stdin=subprocess.DEVNULL)
  wait_until(lambda: processes.descendants(job.pid), "it has a child")
  check_success(run("cr_checkpoint", "--dir", directory / "job", job.pid))
  processes.kill_all()
  job.wait()
  home.rename(directory / "moved")
  check_failure(run("cr_restart", "--check", "--dir", directory / "job"), "home")
  restarted = subprocess.Popen([runner.tool("cr_restart"), "--relocate", f"{home}={directory}/moved",
                                "--dir", directory / "job"], stdin=subprocess.DEVNULL)
  (directory / "moved" / "go").touch()
  assert restarted.wait(20) == 0
  assert (directory / "moved" / "answer").read_text() == f"456789{directory}/moved"


def test_check_finds_it_whole_and_starts_nothing(tree, saved):
  result = check_success(run("cr_restart", "--check", "--json", "--dir", saved))
  assert json.loads(result.stdout)["possible"] is True
  assert not processes.descendants(os.getpid())


# Older ones

def test_noclobber_leaves_an_older_one(tree, directory):
  (directory / "job").mkdir()
  check_failure(run("cr_checkpoint", "--noclobber", "-d", directory / "job", tree.pid), "exists", 17)
  assert files(directory / "job") == []
  tree.check_runs()


def test_backup_sets_older_ones_aside(tree, directory):
  for _ in range(3):
    check_success(run("cr_checkpoint", "--backup", "-d", "job", tree.pid, cwd=directory))
  check_success(run("cr_checkpoint", "--backup=kept", "-d", "job", tree.pid, cwd=directory))
  mine = [name for name in files(directory) if not name.startswith("target")]
  assert mine == ["job", "job.~1~", "job.~2~", "kept"]
  for name in mine:
    check_success(run("cr_info", "--check", directory / name))


@pytest.mark.parametrize("option", ("--atomic", "--clobber"))
def test_files_of_others_are_never_removed(option, tree, directory):
  (directory / "job").mkdir()
  (directory / "job" / "thesis.tex").write_text("years")
  (directory / "job" / "context.77").write_text("not ours")
  result = run("cr_checkpoint", option, "-d", directory / "job", tree.pid)
  check_failure(result, "thesis.tex.*another name", 39)
  assert files(directory / "job") == ["context.77", "thesis.tex"]
  tree.check_runs()


def test_a_directory_is_safe_before_it_has_its_name(tree, directory):
  """After a power failure there is the old context, or the new one whole."""
  check_success(run("cr_checkpoint", "-d", directory / "job", tree.pid))
  log = directory / "calls"
  subprocess.run(
    ["strace", "-f", "-y", "-o", log, "-e", "trace=fsync,fdatasync,rename,renameat,renameat2",
     runner.tool("cr_checkpoint"), "-d", directory / "job", str(tree.pid)],
    check=True, timeout=60, stderr=subprocess.DEVNULL)
  calls = [line.split(" ", 1)[1].strip() for line in log.read_text().splitlines() if "sync" in line or "rename" in line]
  move = next(number for number, call in enumerate(calls) if call.startswith("rename"))
  before = calls[:move]
  for pid in pids(tree):
    assert any(f".job.tmp/context.{pid}>" in call for call in before), calls
  assert before[-1].startswith("fsync") and "/.job.tmp>" in before[-1], calls
  assert "RENAME_EXCHANGE" in calls[move] and f"<{directory}>" in calls[-1] and "fsync" in calls[-1], calls


def test_killed_at_any_moment_leaves_the_old_one_or_the_new_one(tree, directory):
  place = directory / "job"
  check_success(run("cr_checkpoint", "-d", place, tree.pid))
  choice = random.Random(5)
  for _ in range(30):
    tool = subprocess.Popen([runner.tool("cr_checkpoint"), "-d", place, str(tree.pid)],
                            stderr=subprocess.DEVNULL)
    time.sleep(choice.uniform(0, 0.03))
    tool.kill()
    tool.wait()
    check_success(run("cr_info", "--check", place))
  check_success(run("cr_checkpoint", "-d", place, tree.pid))
  assert [name for name in files(directory) if not name.startswith("target")] == ["job"]
  wait_until(lambda: processes.is_untouched(tree.pid), "let go")
  tree.forget()
  come_back(tree, place)


@pytest.mark.skipif(os.geteuid() != 0, reason="needs a small file system")
def test_a_full_disk_leaves_nothing(tree, directory):
  disk = directory / "disk"
  disk.mkdir()
  subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", disk], check=True)
  try:
    check_failure(run("cr_checkpoint", "-d", disk / "job", tree.pid), "no room.*another file system", 28)
    assert files(disk) == []
  finally:
    subprocess.run(["umount", disk], check=True)
  tree.check_runs()


# Damage

def refuse(place, pattern, status=None):
  result = check_failure(run("cr_restart", "--dir", place, timeout=20), pattern, status)
  assert not processes.descendants(os.getpid()), "nothing was started"
  check_failure(run("cr_info", "--check", place), pattern)
  return result


def test_a_missing_file_is_named(tree, saved):
  for name in files(saved):
    (saved / name).rename(saved.parent / name)
    pattern = "first process is missing" if name == f"context.{tree.pid}" else f"incomplete: .*{name} is missing"
    refuse(saved, pattern, 2)
    (saved.parent / name).rename(saved / name)
  come_back(tree, saved)


def test_a_damaged_file_is_named(tree, saved):
  for name in files(saved):
    path = saved / name
    whole = path.read_bytes()
    path.chmod(0o600)
    for place in (20, len(whole) // 3, len(whole) - 20):
      path.write_bytes(whole[:place] + bytes([whole[place] ^ 4]) + whole[place + 1:])
      refuse(saved, name)
    path.write_bytes(whole[:-100])
    refuse(saved, f"{name} is truncated")
    path.write_bytes(whole)
  come_back(tree, saved)


def test_a_file_of_an_earlier_checkpoint_is_found_out(tree, directory):
  """The same pids, and the same shape: only that it was another time."""
  for name in ("one", "two"):
    check_success(run("cr_checkpoint", "--dir", directory / name, tree.pid))
  child = next(name for name in files(directory / "one") if name != f"context.{tree.pid}")
  shutil.copy(directory / "one" / child, directory / "two" / "copy")
  (directory / "two" / "copy").rename(directory / "two" / child)
  tree.forget()
  refuse(directory / "two", f"{child} .*another context")


def test_words_for_the_wrong_option(tree, saved, directory):
  first = saved / f"context.{tree.pid}"
  check_failure(run("cr_restart", saved), "directory.*--dir", 21)
  check_failure(run("cr_restart", first), "alone, one of the .*--dir")
  check_failure(run("cr_info", first), "alone, one of the .*--dir")
  check_failure(run("cr_restart", "--dir", first), "Not a directory", 20)
  check_failure(run("cr_restart", "--dir", directory / "nowhere"), "nowhere", 2)
  (directory / "empty").mkdir()
  check_failure(run("cr_restart", "--dir", directory / "empty"), "no context in .*empty", 2)
  check_failure(run("cr_restart", "--dir", saved, first), "more than one context file")
  check_failure(run("cr_checkpoint", "--dir", directory / "a", "--file", "b", os.getpid()),
                "more than one destination")
  check_failure(run("cr_checkpoint", "--dir", directory / "no" / "where", os.getpid()), "no: No such")
  check_failure(run("cr_checkpoint", "--dir", "/", os.getpid()), "name of a directory")


def test_cr_info_of_a_directory(tree, saved, directory):
  count = len(files(saved))
  for arguments in ((saved,), ("--dir", saved), ("-d", f"{saved}/")):
    result = check_success(run("cr_info", *arguments))
    assert f"in {count} files" in result.stdout and f"{count} processes" in result.stdout
  told = json.loads(check_success(run("cr_info", "--json", "--check", saved)).stdout)
  assert told["verified"] is True and len(told["processes"]) == count
  assert told["size"] == sum(path.stat().st_size for path in saved.iterdir())
  # A core file has the shared memory too, which stands in the first process's file alone.
  for process in told["processes"]:
    core = directory / f"core.{process['pid']}"
    check_success(run("cr_info", "--core", process["pid"], "-o", core, saved))
    assert core.stat().st_size > 0


def test_hooks_take_a_missing_directory_for_a_wrong_argument(directory):
  result = run("cr_restart", "--run-on-fail-args", "exit 66", "--dir", directory / "nowhere")
  assert result.returncode == 66


@pytest.mark.skipif(os.geteuid() != 0, reason="makes a pid namespace")
def test_a_container_is_saved_to_a_directory(directory):
  """A process inside writes the files, and they are named by the ids that it sees."""
  room = subprocess.Popen(["unshare", "--pid", "--fork", "--mount-proc", "sh", "-c",
                           "sleep 1000 & sleep 1000; true"], stdin=subprocess.DEVNULL)
  wait_until(lambda: len(processes.descendants(room.pid)) == 3, "it has processes")
  shell = processes.descendants(room.pid)[0]
  check_success(run("cr_checkpoint", "--dir", directory / "job", shell))
  assert "context.1" in files(directory / "job") and len(files(directory / "job")) == 3
  check_success(run("cr_info", "--check", directory / "job"))
  check_failure(run("cr_checkpoint", "--noclobber", "--dir", directory / "job", shell), "exists", 17)
  assert [name for name in files(directory) if not name.startswith("target")] == ["job"]
