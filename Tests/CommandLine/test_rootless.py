# SPDX-License-Identifier: Apache-2.0
"""Ordinary users without any capability: cr_restart --rootless, user namespaces made by others, and
what is told where neither helps."""

import json
import os
import re
import signal
import subprocess

import pytest

import processes
import runner
from processes import wait_until
from targets import NOBODY, check_failure, readable_copy

# Says its ids, those of a thread and of a child, its groups and its secret; does so again when told.
PROGRAM = """
import os, signal, subprocess, sys, threading, time
secret = os.urandom(8).hex()
child = subprocess.Popen(["sleep", "1000"])
told = threading.Event()
ids = []
def thread():
  while True:
    told.wait()
    told.clear()
    ids[:] = [threading.get_native_id()]
    told_back.set()
told_back = threading.Event()
threading.Thread(target=thread, daemon=True).start()
def say(*_):
  told.set()
  told_back.wait()
  told_back.clear()
  print(os.getpid(), os.getresuid(), os.getresgid(), os.getgroups(), ids[0], child.pid,
        child.poll(), secret, capabilities(), flush=True)
def capabilities():
  return [line.split()[1] for line in open("/proc/self/status") if line.startswith("Cap")]
def end(*_):
  child.kill()
  child.wait()
  sys.exit(44)
signal.signal(signal.SIGUSR1, lambda *_: wants.append(1))
signal.signal(signal.SIGTERM, lambda *_: wants.append(2))
wants = []
say()
while True:
  time.sleep(0.01)
  if wants:
    say() if wants.pop(0) == 1 else end()
"""


class Job:
  """A program of an ordinary user's, and what it has said."""

  def __init__(self, directory, *arguments, **settings):
    self.directory = directory
    self.settings = {**NOBODY, **settings}
    self.output = directory / "output"
    arguments = arguments or ("/usr/bin/python3", "-c", PROGRAM)
    self.output.touch()
    self.output.chmod(0o666)
    with open(self.output, "ab") as output:
      self.process = subprocess.Popen(
        arguments, cwd=directory, stdin=subprocess.DEVNULL, stdout=output, stderr=output,
        start_new_session=True, **self.settings)
    self.await_lines(1)
    self.pid = self.process.pid

  def lines(self):
    return self.output.read_text().splitlines()

  def await_lines(self, count):
    wait_until(lambda: len(self.lines()) >= count, f"line {count}: {self.lines()}")

  def run(self, name, *arguments, prefix=(), **settings):
    return subprocess.run(
      [*prefix, readable_copy(self.directory, name), *map(str, arguments)], capture_output=True,
      text=True, timeout=60, cwd=self.directory, stdin=subprocess.DEVNULL,
      **{**self.settings, **settings})

  def save_and_kill(self):
    result = self.run("cr_checkpoint", "-f", "context", "--clobber", self.pid)
    assert result.returncode == 0, result.stderr
    processes.kill_all()
    self.process.wait()

  def restart(self, *options, prefix=(), **settings):
    """The command; the outermost process of it."""
    self.process = subprocess.Popen(
      [*prefix, readable_copy(self.directory, "cr_restart"), *options, "context"],
      cwd=self.directory, stdin=subprocess.DEVNULL, stderr=open(self.directory / "errors", "ab"),
      **{"start_new_session": True, **self.settings, **settings})

  def errors(self):
    return (self.directory / "errors").read_text()


def is_inside(pid):
  """The program itself, by its outer pid, and not what made it."""
  return (len((processes.status(pid, "NSpid") or "").split()) > 1
          and processes.status(pid, "Name") not in ("cr_restart", "unshare"))


def inside(job):
  """The outer pid of the restarted root."""
  def find():
    assert job.process.poll() is None, job.errors()
    found = [pid for pid in processes.descendants(job.process.pid) if is_inside(pid)]
    return found[0] if found and processes.is_untouched(found[0]) else None
  return wait_until(find, "restarted")


def test_old_ids_without_any_capability(directory):
  job = Job(directory)
  job.save_and_kill()
  job.restart("--rootless")
  inside(job)
  job.process.send_signal(signal.SIGUSR1)
  job.await_lines(2)
  # Ids of process, thread and child, users, groups, contents, and no capability gained.
  assert job.lines()[0] == job.lines()[1]
  job.process.send_signal(signal.SIGTERM)
  assert job.process.wait(20) == 44, job.errors()


def test_supplementary_groups_stay(directory):
  if not NOBODY:
    pytest.skip("only root can have others")
  job = Job(directory, extra_groups=[4, 24, 46])
  assert "[4, 24, 46" in job.lines()[0]
  job.save_and_kill()
  # As root sees it: the same groups outside of the namespace.
  job.restart("--rootless")
  assert processes.status(inside(job), "Groups").split()[:3] == ["4", "24", "46"]
  job.process.send_signal(signal.SIGTERM)
  assert job.process.wait(20) == 44, job.errors()
  # With other groups it is refused, before anything is started.
  check_failure(job.run("cr_restart", "--rootless", "context", extra_groups=[4]),
                "had other groups than you have.*setgroups", 1)


@pytest.mark.parametrize("number", ("KILL", "SEGV", "TERM", "RTMIN"))
def test_it_dies_of_the_signal_of_the_program(number, directory):
  job = Job(directory, "/bin/bash", "-c",
            f"echo ready; while [ ! -e go ]; do sleep 0.01; done; kill -{number} $$; sleep 10")
  job.save_and_kill()
  (directory / "go").touch()
  job.restart("--rootless")
  expected = signal.SIGRTMIN if number == "RTMIN" else getattr(signal, f"SIG{number}")
  assert job.process.wait(20) == -expected, job.errors()


@pytest.mark.parametrize("status", (0, 1, 255))
def test_it_ends_with_the_status_of_the_program(status, directory):
  job = Job(directory, "/bin/bash", "-c",
            f"echo ready; while [ ! -e go ]; do sleep 0.01; done; exit {status}")
  job.save_and_kill()
  (directory / "go").touch()
  job.restart("--rootless")
  assert job.process.wait(20) == status, job.errors()


def test_it_stops_and_continues_with_the_program(directory):
  job = Job(directory)
  job.save_and_kill()
  # In a group that is not orphaned, or the kernel would not stop it.
  job.restart("--rootless", start_new_session=False, preexec_fn=lambda: os.setpgid(0, 0))
  root = inside(job)
  for line in 2, 3:
    job.process.send_signal(signal.SIGTSTP)
    wait_until(lambda: processes.state(root) == "T", "the program is stopped")
    wait_until(lambda: processes.state(job.process.pid) == "T", "cr_restart is stopped")
    job.process.send_signal(signal.SIGCONT)
    wait_until(lambda: processes.state(root) != "T", "it runs")
    job.process.send_signal(signal.SIGUSR1)
    job.await_lines(line)
  assert len(set(job.lines())) == 1
  job.process.send_signal(signal.SIGTERM)
  assert job.process.wait(20) == 44, job.errors()


def test_orphans_live_on(directory):
  job = Job(directory, "/bin/bash", "-c",
            "(while [ ! -e late ]; do sleep 0.01; done; touch done) >/dev/null 2>&1 &"
            "echo ready; while [ ! -e go ]; do sleep 0.01; done; exit 5")
  job.save_and_kill()
  (directory / "go").touch()
  job.restart("--rootless")
  assert job.process.wait(20) == 5, job.errors()
  (directory / "late").touch()
  wait_until((directory / "done").exists, "the orphan goes on")
  # And the room is gone with it.
  wait_until(lambda: not any(map(processes.is_alive, processes.descendants(os.getpid()))),
             "all have ended")


def test_check_and_json(directory):
  job = Job(directory)
  job.save_and_kill()
  result = job.run("cr_restart", "--rootless", "--check", "--json", "context")
  assert result.returncode == 0, result.stderr
  assert json.loads(result.stdout)["problems"] == []
  check_failure(job.run("cr_restart", "--check", "context"), "--rootless makes one")
  # A wrong file is a wrong file.
  (directory / "context").write_bytes(b"nothing")
  check_failure(job.run("cr_restart", "--rootless", "context"), "context")


@pytest.mark.parametrize("arguments", [["--detach"], ["--detach", "--json"]])
def test_the_pids_are_those_of_the_outside(arguments, directory):
  job = Job(directory)
  job.save_and_kill()
  result = job.run("cr_restart", "--rootless", *arguments, "context")
  assert result.returncode == 0, result.stderr
  pids = json.loads(result.stdout)["processes"] if "--json" in arguments else [int(result.stdout)]
  names = []
  for pid in pids:
    with open(f"/proc/{pid}/status") as status:
      text = status.read()
    names.append(text.split()[1])
    # It has another one inside, which is the old one.
    assert len(re.search(r"NSpid:(.*)", text)[1].split()) == 2
  os.kill(pids[0], signal.SIGTERM)
  assert names[0].startswith("python3") and names[1:] == ["sleep"] * (len(pids) - 1)


def test_without_user_namespaces_it_says_so(directory):
  job = Job(directory)
  job.save_and_kill()
  script = 'echo 0 > /proc/sys/user/max_user_namespaces && exec "$@"'
  result = job.run("cr_restart", "--rootless", "context",
                   prefix=("unshare", "-r", "sh", "-c", script, "sh"))
  assert result.returncode == 28 and "max_user_namespaces" in result.stderr, result


def test_without_it_the_error_says_what_helps(directory):
  job = Job(directory)
  job.save_and_kill()
  check_failure(job.run("cr_restart", "context"),
                "CAP_CHECKPOINT_RESTORE.*--rootless.*--no-restore-pid", 1)
  # Told when signals are handed on; before, one would be the end of cr_restart itself.
  job.restart("--no-restore-pid", "--run-on-success=touch up")
  wait_until((directory / "up").exists, "restarted")
  job.process.send_signal(signal.SIGUSR1)
  job.await_lines(2)
  # Everything but ids.
  first, second = (re.sub(r"\d+ (None)", r"\1", line).split() for line in job.lines()[:2])
  assert first[1:7] == second[1:7] and first[-6:] == second[-6:]
  job.process.send_signal(signal.SIGTERM)
  assert job.process.wait(20) == 44, job.errors()


def test_in_a_user_namespace_made_by_unshare(directory):
  job = Job(directory)
  job.save_and_kill()
  room = ("unshare", "--user", "--map-current-user", "--pid", "--fork", "--mount-proc",
          "--keep-caps")
  job.restart(prefix=room)
  # unshare hands on no signals, and it is not for us to guess who is who.
  os.kill(inside(job), signal.SIGUSR1)
  job.await_lines(2)
  assert job.lines()[0] == job.lines()[1]
  os.kill(inside(job), signal.SIGTERM)
  assert job.process.wait(20) == 44, job.errors()


def test_a_user_namespace_that_lacks_the_user_is_named(directory):
  job = Job(directory)
  job.save_and_kill()
  result = job.run("cr_restart", "context",
                   prefix=("unshare", "-r", "--pid", "--fork", "--mount-proc"))
  check_failure(
    subprocess.CompletedProcess(["cr_restart"], result.returncode, "", result.stderr),
    r"ran as user \d+, which this user namespace does not have.*--rootless", 1)


# A job in namespaces that a user made: somebody else is the first process in there.
CONTAINER = """
exec 2>&1
"$@" &
wait $!
"""


@pytest.fixture(params=["--map-current-user", "--map-root-user"])
def contained(request, directory):
  """A job that lives in a container, with its outer pid."""
  job = Job(directory, "unshare", "--user", request.param, "--pid", "--fork", "--mount-proc",
            "bash", "-c", CONTAINER, "bash", "/usr/bin/python3", "-c", PROGRAM)

  def find():
    return next((pid for pid in processes.descendants(job.pid)
                 if processes.status(pid, "Name") == "python3"), None)
  job.pid = wait_until(find, "the job")
  return job


def test_from_outside_of_a_container_and_back_without_root(contained):
  job = contained
  # It goes on, and says the same; then it is killed, and comes back in a room of its own.
  result = job.run("cr_checkpoint", "-f", "context", job.pid)
  assert result.returncode == 0, result.stderr
  assert [path.name for path in job.directory.iterdir() if "tmp" in path.name] == []
  os.kill(job.pid, signal.SIGUSR1)
  job.await_lines(2)
  job.save_and_kill()
  job.restart("--rootless")
  inside(job)
  job.process.send_signal(signal.SIGUSR1)
  job.await_lines(3)
  assert len(set(job.lines())) == 1
  # By the pid that it has there, a small one.
  assert int(job.lines()[0].split()[0]) < 100
  job.process.send_signal(signal.SIGTERM)
  assert job.process.wait(20) == 44, job.errors()


def test_a_restarted_job_is_saved_again_from_outside(directory):
  job = Job(directory)
  job.save_and_kill()
  for line in 2, 3:
    job.restart("--rootless")
    job.pid = inside(job)
    job.process.send_signal(signal.SIGUSR1)
    job.await_lines(line)
    job.save_and_kill()
  assert len(set(job.lines())) == 1


def test_the_inside_is_asked_for_what_stands_in_the_way(contained):
  job = contained
  result = job.run("cr_checkpoint", "--check", job.pid)
  assert result.returncode == 0, result.stderr
  # The result of an error inside is ours, and nothing is left.
  check_failure(job.run("cr_checkpoint", "--require-libcr", "-f", "context", job.pid),
                "libcr")
  assert not (job.directory / "context").exists()
  # Somebody else may not.
  if NOBODY:
    settings = {"user": 65533, "group": 65533, "extra_groups": []}
    check_failure(job.run("cr_checkpoint", "-f", "other", job.pid, **settings),
                  "permitted|permission")


def test_root_saves_what_is_in_a_users_container(contained):
  if not NOBODY:
    pytest.skip("needs root")
  job = contained
  context = job.directory / "context"
  result = job.run("cr_checkpoint", "--compress", "-f", context, job.pid, user=0, group=0)
  assert result.returncode == 0, result.stderr
  # Compressed by the one outside: a zstd frame.
  assert context.read_bytes()[:4] in (b"\x28\xb5\x2f\xfd", b"\x50\x2a\x4d\x18", b"\x5e\x2a\x4d\x18")
  os.chown(context, NOBODY["user"], NOBODY["group"])
  processes.kill_all()
  job.process.wait()
  job.restart("--rootless")
  inside(job)
  job.process.send_signal(signal.SIGUSR1)
  job.await_lines(2)
  assert len(set(job.lines())) == 1
  job.process.send_signal(signal.SIGTERM)
  assert job.process.wait(20) == 44, job.errors()
