# SPDX-License-Identifier: Apache-2.0
"""cr_request_restart(): every field of its arguments, every error, and nothing to be seen of it."""

import errno
import os
import re
import signal
import socket
import subprocess
import threading

import pytest

import processes
import runner
from libcr_programs import Program, compile_test

ASYNC_ERR, RESTORE_PID, RESTORE_PGID, RESTORE_SID = 1, 2, 4, 8


def words(fields):
  return [str(word) for pair in fields for word in pair]


class Restarter(Program):
  """Tests/libcr/restart_request.c, which becomes the parent of what it restarts."""

  def __init__(self, directory, *fields, **settings):
    super().__init__("restart_request", directory, *words(fields), until="root ", output="said",
                     **settings)
    said = next(line for line in self.lines() if line.startswith("root "))
    self.roots = [int(pid) for pid in re.findall(r"\d+", said)]
    self.root = self.roots[0]


def fail(directory, when, number, *fields, **settings):
  """restart_request, which checks that it fails in this way; what it was told."""
  program = compile_test("restart_request", directory)
  result = subprocess.run(
    [program, *words(fields), "fails", when, "errno", str(number)], cwd=directory,
    **{"stdin": subprocess.DEVNULL, "capture_output": True, "text": True, "timeout": 60,
       "env": {**os.environ, "LIBCR_TOOLS": str(runner.BUILD / "bin")}, **settings})
  assert result.returncode == 0, result.stderr
  return result.stderr


def saved(directory, name="stays_right", scope="-p"):
  """A program that is no more, but for the file `ctx`."""
  target = Program(name, directory)
  target.save_and_kill(scope=scope)
  processes.kill_all()
  return target


@pytest.mark.parametrize("by", ["msg", "poll", "reap"])
@pytest.mark.parametrize("flags", [RESTORE_PID, RESTORE_PID | ASYNC_ERR], ids=["now", "later"])
def test_ways_to_wait(directory, by, flags):
  target = saved(directory)
  restarter = Restarter(directory, ("file", "ctx"), ("by", by), ("flags", flags), ("quick", 1))
  assert restarter.root == target.pid
  target.await_line(f"restarted by {restarter.pid} from {directory / 'ctx'}")
  assert processes.status(restarter.root, "PPid") == str(restarter.pid)
  assert sorted(os.listdir(f"/proc/{restarter.root}/fd")) == ["0", "1", "2"]
  restarter.end()
  assert target.lines()[-1].endswith("restarted 1")


@pytest.mark.parametrize("kind", ["pipe", "socket", "fifo"])
def test_from_a_stream(directory, kind):
  target = saved(directory)
  context = (directory / "ctx").read_bytes()
  if kind == "pipe":
    reading, writing = os.pipe()
  elif kind == "socket":
    ours, theirs = socket.socketpair()
    reading, writing = ours.detach(), theirs.detach()
  else:
    os.mkfifo(directory / "fifo")
    reading = os.open(directory / "fifo", os.O_RDONLY | os.O_NONBLOCK)
    os.set_blocking(reading, True)
    writing = os.open(directory / "fifo", os.O_WRONLY)

  def feed():
    with open(writing, "wb") as end:
      end.write(context)
  feeder = threading.Thread(target=feed)
  feeder.start()
  restarter = Restarter(directory, ("fd", reading), pass_fds=[reading])
  feeder.join()
  os.close(reading)
  # A pipe of nobody's has no path; a named one has.
  source = re.escape(str(directory / "fifo")) if kind == "fifo" else ""
  target.await_line(f"restarted by {restarter.pid} from {source}$")
  restarter.end()


def test_a_signal_is_sent_when_callbacks_are_over(directory):
  target = saved(directory)
  restarter = Restarter(directory, ("file", "ctx"), ("signal", signal.SIGTERM))
  target.await_line(f"restarted by {restarter.pid}")
  assert restarter.process.wait(30) == 0
  assert f"ends {128 + signal.SIGTERM}" in restarter.lines()


def test_a_stop_signal_leaves_it_stopped(directory):
  target = saved(directory)
  restarter = Restarter(directory, ("file", "ctx"), ("signal", signal.SIGSTOP))
  target.await_line(f"restarted by {restarter.pid}")
  processes.wait_until(lambda: processes.state(restarter.root) == "T", "stopped")
  os.kill(restarter.root, signal.SIGCONT)
  restarter.end()


def test_with_other_pids_beside_the_original(directory):
  target = Program("stays_right", directory)
  target.save()
  restarter = Restarter(directory, ("file", "ctx"), ("flags", 0))
  assert restarter.root != target.pid
  target.await_line(f"restarted by {restarter.pid}")
  restarter.end()
  assert target.process.wait(30) == 0


def test_a_file_is_restarted_twice_at_once(directory):
  target = saved(directory)
  restarter = Restarter(directory, ("file", "ctx"), ("flags", 0), ("twice", "ctx"))
  assert len(set(restarter.roots)) == 2
  for root in restarter.roots:
    assert processes.status(root, "PPid") == str(restarter.pid)
  restarter.end()
  assert restarter.lines()[-2:] == ["ends 0", "ends 0"] and target.pid not in restarter.roots


def group_and_session(pid):
  return os.getpgid(pid), os.getsid(pid)


@pytest.mark.parametrize("flags", [0, RESTORE_PGID, RESTORE_SID, RESTORE_PGID | RESTORE_SID])
def test_groups_and_sessions(directory, flags):
  target = saved(directory, "family", "-T")
  restarter = Restarter(directory, ("file", "ctx"), ("flags", RESTORE_PID | flags))
  # It was the leader of both.
  here = group_and_session(restarter.pid)
  group = restarter.root if flags else here[0]
  session = restarter.root if flags & RESTORE_SID else here[1]
  members = [restarter.root, *processes.descendants(restarter.root)]
  assert len(members) == 3
  for pid in members:
    assert group_and_session(pid) == (group, session)
  assert group_and_session(restarter.pid) == here
  target.await_line("ends 1", 3)
  restarter.end()


def folder_of(directory, name):
  path = directory / name
  path.mkdir()
  return path


def pair(old, new):
  return [("old", old), ("new", new)]


@pytest.mark.parametrize("count", [1, 16])
def test_relocations(directory, count):
  """The last pair is the one that fits."""
  old, new = folder_of(directory, "a=b\\c"), directory / "new"
  target = Program("stays_right", directory, cwd=old)
  target.save_and_kill()
  old.rename(new)
  others = [field for n in range(1, count) for field in pair(f"/nowhere/{n}", "/elsewhere")]
  restarter = Restarter(directory, ("file", "ctx"), *others, *pair(old, new))
  assert os.readlink(f"/proc/{restarter.root}/cwd") == str(new)
  (new / "end").touch()
  assert restarter.process.wait(30) == 0
  assert target.lines()[-1].endswith("restarted 1")


RELOCATION_ERRORS = {
  "too many": (errno.EINVAL, pair("/a", "/b") * 17),
  "no new path": (errno.EINVAL, [("old", "/a")]),
  "a relative one": (errno.EINVAL, pair("a", "/b")),
  "one too long": (errno.ENAMETOOLONG, pair("/" + "a" * 5000, "/b")),
}


@pytest.mark.parametrize("which", RELOCATION_ERRORS)
def test_relocations_that_are_none(directory, which):
  number, fields = RELOCATION_ERRORS[which]
  (directory / "ctx").touch()
  fail(directory, "request", number, ("file", "ctx"), *fields)


ARGUMENT_ERRORS = {
  "no descriptor": (errno.EBADF, [("fd", -1)]),
  "a closed one": (errno.EBADF, [("fd", 77)]),
  "one for writing": (errno.EBADF, [("fd", 1)]),
  "a folder": (errno.EISDIR, [("file", ".")]),
  "an unknown flag": (errno.EINVAL, [("file", "ctx"), ("flags", 0x10)]),
  "a signal below": (errno.EINVAL, [("file", "ctx"), ("signal", -1)]),
  "a signal beyond": (errno.EINVAL, [("file", "ctx"), ("signal", 65)]),
}


@pytest.mark.parametrize("which", ARGUMENT_ERRORS)
def test_arguments_that_are_none(directory, which):
  number, fields = ARGUMENT_ERRORS[which]
  (directory / "ctx").touch()
  with open(directory / "out", "wb") as out:
    fail(directory, "request", number, *fields, capture_output=False, text=True,
         stdout=out, stderr=subprocess.PIPE)


def failing_context(directory, why):
  """A context file that cannot be restarted; the errno that says so."""
  if why == "pid in use":
    Program("stays_right", directory).save()
    return errno.EBUSY
  if why == "program missing":
    target = saved(directory)
    (directory / "stays_right").unlink()
    assert target
    return errno.ENOENT
  if why == "folder missing":
    folder = folder_of(directory, "gone")
    target = Program("stays_right", directory, cwd=folder)
    target.save_and_kill()
    processes.kill_all()
    folder.rmdir()
    return errno.ENOENT
  saved(directory)
  whole = (directory / "ctx").read_bytes()
  (directory / "ctx").unlink()
  if why == "empty":
    (directory / "ctx").touch()
  elif why == "something else":
    (directory / "ctx").write_bytes(b"no context file at all\n" * 1000)
  else:
    (directory / "ctx").write_bytes(whole[:len(whole) // 2])
    return errno.EIO
  return errno.EINVAL


FAILURES = ["pid in use", "program missing", "folder missing", "empty", "something else", "cut short"]


@pytest.mark.parametrize("why", FAILURES)
@pytest.mark.parametrize("when", ["request", "reap"])
def test_failures_are_told_at_once_or_later(directory, why, when):
  number = failing_context(directory, why)
  flags = RESTORE_PID | (ASYNC_ERR if when == "reap" else 0)
  words = fail(directory, when, number, ("file", "ctx"), ("flags", flags))
  if when == "reap":
    assert "message: " in words


def test_a_failure_by_poll_and_by_reap(directory):
  (directory / "ctx").write_bytes(b"nothing")
  for by in ("poll", "reap"):
    fail(directory, "reap", errno.EINVAL, ("file", "ctx"), ("flags", ASYNC_ERR), ("by", by))


def test_a_second_generation_asked_for_by_programs(directory):
  target = saved(directory)
  for generation in (1, 2):
    restarter = Restarter(directory, ("file", "ctx"))
    target.await_line("restarted by ", generation)
    processes.wait_until(lambda: processes.runs_again(target.pid), "let go")
    if generation == 1:
      target.save()
      os.kill(target.pid, signal.SIGKILL)
      assert restarter.process.wait(30) == 0
  restarter.end()


def test_the_requester_may_be_a_client_itself(directory):
  saved(directory)
  restarter = Restarter(directory, ("file", "ctx"), ("init", "yes"))
  # The two of them into one file, the parent's helper not among them.
  result = subprocess.run(
    [runner.tool("cr_checkpoint"), "-T", "-f", directory / "both", str(restarter.pid)],
    stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60)
  assert result.returncode == 0, result.stderr
  processes.wait_until(lambda: processes.runs_again(restarter.root), "let go")
  restarter.end()
