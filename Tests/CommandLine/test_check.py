# SPDX-License-Identifier: Apache-2.0
"""--check tells what the real thing would say, and does nothing."""

import json
import os
import shutil
import socket
import subprocess
import sys

import pytest

import processes
from processes import wait_until
from targets import NOBODY, check_failure, check_success, readable_copy, run, run_as_nobody

root_only = pytest.mark.skipif(os.geteuid() != 0, reason="needs root to be two users")


def check(target, *options, **settings):
  return run("cr_checkpoint", "--check", *options, target.pid, **settings)


def test_a_process_that_can_be_saved(target, directory):
  before = sorted(os.listdir(directory))
  result = check_success(check(target, cwd=directory))
  assert result.stdout == ""
  assert result.stderr == "cr_checkpoint: 1 process can be saved\n"
  assert sorted(os.listdir(directory)) == before
  target.check_runs()


def test_nobody_is_stopped(start):
  """A program that cannot be stopped for a long time is looked at at once."""
  target = start("parent_waiting_for_its_vfork_child")
  check_success(check(target, timeout=5))


def test_quiet_leaves_the_status(target, directory):
  result = check_success(check(target, "-q", cwd=directory))
  assert result.stdout == result.stderr == ""
  assert run("cr_checkpoint", "--check", "-q", 4190000, cwd=directory).returncode == 3


def test_json_of_a_success(target, directory):
  result = check_success(check(target, "--json", cwd=directory))
  assert json.loads(result.stdout) == {
    "possible": True, "processes": [target.pid], "problems": [], "warnings": []}


@pytest.fixture
def holder(directory):
  """A child process with two sockets to netfilter."""
  process = subprocess.Popen(
    [sys.executable, "-c", "import os, socket, time\n"
     "both = [socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 12) for _ in range(2)]\n"
     "print(*(one.fileno() for one in both), flush=True); time.sleep(100)"],
    cwd=directory, stdout=subprocess.PIPE, text=True)
  process.fds = process.stdout.readline().split()
  return process


def test_every_reason_is_told(holder, directory):
  result = run("cr_checkpoint", "--check", "-f", "no/such/place", holder.pid, cwd=directory)
  check_failure(result, "", 95)
  assert len(result.stderr.splitlines()) == 3
  for number in holder.fds:
    assert f"descriptor {number} is a socket" in result.stderr
  assert "no/such/place" in result.stderr


def test_the_status_and_words_are_those_of_the_checkpoint(holder, directory):
  one = run("cr_checkpoint", "--check", holder.pid, cwd=directory)
  other = run("cr_checkpoint", holder.pid, cwd=directory)
  assert one.returncode == other.returncode == 95
  assert one.stderr == other.stderr


def test_json_of_a_failure(holder, directory):
  result = run("cr_checkpoint", "--check", "--json", holder.pid, cwd=directory)
  answer = json.loads(result.stdout)
  assert answer["possible"] is False
  assert [problem["errno"] for problem in answer["problems"]] == [95, 95]


def test_no_such_process(directory):
  check_failure(run("cr_checkpoint", "--check", 4190000, cwd=directory), "no process 4190000", 3)


def test_an_older_file_is_not_touched(target, directory):
  (directory / "a").write_text("older")
  for option in ("--atomic", "--backup", "--clobber"):
    check_success(check(target, option, "-f", directory / "a"))
  check_failure(check(target, "--noclobber", "-f", directory / "a"), "exists", 17)
  assert (directory / "a").read_text() == "older"
  assert not list(directory.glob(".*")) and not list(directory.glob("a.*"))


def test_a_waiting_fifo_goes_on_waiting(target, directory):
  os.mkfifo(directory / "fifo")
  reader = subprocess.Popen(["cat", str(directory / "fifo")], stdout=subprocess.DEVNULL)
  wait_until(lambda: processes.state(reader.pid) == "S", "waits")
  check_success(check(target, "-f", directory / "fifo"))
  assert reader.poll() is None


def test_a_tracer_is_named(target, directory):
  tracer = subprocess.Popen(["strace", "-qq", "-o", "/dev/null", "-p", str(target.pid)])
  wait_until(lambda: not processes.is_untouched(target.pid), "traced")
  check_failure(check(target, cwd=directory), rf"traced by process {tracer.pid} \(strace\)", 56)
  check_failure(check(target, "--ptraced-skip", cwd=directory), "left out", 3)
  tracer.terminate()
  tracer.wait(10)


@root_only
def test_a_missing_right_is_told(target, directory):
  result = run_as_nobody(directory, "cr_checkpoint", "--check", "-f", directory / "a", target.pid)
  check_failure(result, "Operation not permitted.*root", 1)


# cr_restart

def test_a_context_that_can_be_restarted(context, directory):
  result = check_success(run("cr_restart", "--check", context))
  assert result.stderr == "cr_restart: 1 process can be restarted here\n"
  assert processes.descendants(os.getpid()) == []


def test_what_was_checked_does_restart(context, target):
  check_success(run("cr_restart", "--check", context))
  target.come_back(context).check_answer()


def test_a_pid_in_use_is_told(target, directory):
  check_success(run("cr_checkpoint", "-f", directory / "a", target.pid))
  result = run("cr_restart", "--check", directory / "a")
  check_failure(result, f"process id {target.pid}.*in use", 16)
  check_success(run("cr_restart", "--check", "--no-restore-pid", directory / "a"))
  target.check_runs()


def test_every_missing_file_is_told(start, directory):
  target = start("file_position_and_flags")
  check_success(run("cr_checkpoint", "-f", directory / "a", target.pid))
  names = ("read", "written", "appended")
  for name in names:
    (target.directory / name).rename(target.directory / f"{name}.away")
  target.forget()
  result = run("cr_restart", "--check", directory / "a")
  check_failure(result, "", 2)
  for name in names:
    assert f"{target.directory}/{name}, open as descriptor" in result.stderr
  answer = json.loads(run("cr_restart", "--check", "--json", directory / "a").stdout)
  assert answer["possible"] is False and len(answer["problems"]) >= 3
  assert {problem["errno"] for problem in answer["problems"]} == {2}


def test_relocated_files_are_found(start, directory):
  target = start("file_position_and_flags")
  check_success(run("cr_checkpoint", "-f", directory / "a", target.pid))
  target.forget()
  moved = directory / "moved"
  shutil.copytree(target.directory, moved)
  shutil.rmtree(target.directory)
  assert run("cr_restart", "--check", directory / "a").returncode != 0
  check_success(run("cr_restart", "--check", f"--relocate={target.directory}={moved}",
                    directory / "a"))


@root_only
def test_rights_that_are_missing_are_told(context, directory):
  context.chmod(0o644)
  result = run_as_nobody(directory, "cr_restart", "--check", context)
  check_failure(result, "ran as user 0.*ids", 1)


def test_a_damaged_context_is_told(context):
  content = bytearray(context.read_bytes())
  content[len(content) // 2] ^= 1
  context.chmod(0o600)
  context.write_bytes(content)
  check_failure(run("cr_restart", "--check", context), "damaged|checksum")
  answer = json.loads(run("cr_restart", "--check", "--json", context).stdout)
  assert answer["possible"] is False and len(answer["problems"]) == 1


def test_no_hook_is_run(context, directory):
  mark = directory / "mark"
  check_success(run("cr_restart", "--check", f"--run-on-success=touch {mark}", context))
  result = run("cr_restart", "--check", f"--run-on-failure=touch {mark}", directory / "none")
  check_failure(result, "none", 2)
  assert not mark.exists()


NODES = "/sys/devices/system/node/has_memory"
POLICY = """
import ctypes, mmap, time
memory = mmap.mmap(-1, 1 << 16)
address = ctypes.addressof(ctypes.c_char.from_buffer(memory))
nodes = ctypes.c_ulong(1)
# MPOL_BIND
result = ctypes.CDLL(None).syscall(237, ctypes.c_ulong(address), ctypes.c_ulong(1 << 16), 2,
                                   ctypes.byref(nodes), ctypes.c_ulong(64), 0)
print(result, flush=True)
time.sleep(1000)
"""


@root_only
@pytest.mark.skipif(os.uname().machine != "x86_64" or not os.path.exists(NODES),
                    reason="a number of mbind(2), and a kernel that knows of nodes")
@pytest.mark.parametrize("nodes", ["0-1", "0"])
def test_memory_policies_are_warned_of_where_there_are_several_nodes(nodes, directory):
  (directory / "nodes").write_text(nodes + "\n")
  target = subprocess.Popen(
    ["unshare", "-m", "sh", "-c", f"mount --bind {directory}/nodes {NODES} && exec python3 -c \"$0\"", POLICY],
    stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True)
  assert target.stdout.readline() == "0\n"
  inside = ["nsenter", "-m", "-t", str(target.pid)]
  tool = readable_copy(directory, "cr_checkpoint")
  for arguments in (["--check"], ["-f", str(directory / "context")]):
    result = subprocess.run([*inside, tool, *arguments, str(target.pid)], cwd=directory, capture_output=True,
                            text=True, timeout=60)
    assert result.returncode == 0, result.stderr
    assert ("has memory policies (mbind, set_mempolicy: bind:0)" in result.stderr) == (nodes == "0-1")
  target.kill()
  target.wait()
