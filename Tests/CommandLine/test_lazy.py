# SPDX-License-Identifier: Apache-2.0
"""cr_restart --lazy: a job that runs while its memory is still loaded has the right memory, or none.

Until the command of --run-on-success has ended only pages that are touched are loaded: that command waits
here for a word from the test, so whatever happens before that happens during loading.
"""

import ctypes
import json
import os
import re
import shutil
import signal
import subprocess
import sys

import pytest

import processes
import runner
from processes import wait_until
from targets import NOBODY, check_failure, check_success, run, run_as_nobody

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="needs root")

SUBJECT = runner.SOURCES.parent / "Subjects" / "lazy.c"
ACTIONS = ("threads", "forks", "moved", "moved-and-grown", "given-back", "unmapped", "by-the-kernel",
           "locked", "protected", "wiped-on-fork", "executes", "at-once", "exits")
BLOCK = 1 << 20


def subject(machine=None):
  """The program of Subjects/lazy.c."""
  built = runner.BUILD / ("lazy" + (f".{machine}" if machine else ""))
  if not built.exists() or built.stat().st_mtime < SUBJECT.stat().st_mtime:
    if not shutil.which(runner.COMPILERS[machine][0]):
      pytest.skip(f"no compiler for {machine}")
    aside = built.with_name(f".{built.name}.{os.getpid()}")
    subprocess.run([*runner.COMPILERS[machine], "-O1", "-g", "-Wall", "-Wextra", "-pthread", "-o", aside, SUBJECT],
                   check=True)
    os.rename(aside, built)
  return str(built)


class LazyJob:
  """A program that is saved and killed, and comes back lazily."""

  def __init__(self, directory, *command):
    self.directory = directory
    self.context = directory / "context"
    self.fifo = directory / "fifo"
    os.mkfifo(self.fifo)
    self.output = open(directory / "output", "wb")
    self.judge = subprocess.Popen(
      command, cwd=directory, stdout=self.output, stderr=self.output, stdin=subprocess.DEVNULL,
      start_new_session=True)
    self.pid = self.judge.pid
    self.await_output("begun")

  def text(self):
    return (self.directory / "output").read_text()

  def await_output(self, words):
    wait_until(lambda: words in self.text() or "wrong" in self.text() or not processes.is_alive(self.pid), words, 60)
    assert words in self.text(), self.text() + self.complaint()

  def complaint(self):
    path = self.directory / "errors"
    return path.read_text() if path.exists() else ""

  def save(self, *options):
    check_success(run("cr_checkpoint", *options, "-f", self.context, self.pid))
    self.kill()
    return self

  def kill(self):
    processes.kill_all()
    self.judge.wait()

  def go(self):
    (self.directory / "go").touch()

  def come_back(self, *options, held=True, source=("-f", "context"), **settings):
    """Restarts it; with `held` nothing is loaded but what is touched, until let_go()."""
    hook = [f"--run-on-success=: > '{self.directory}/held'; read word < '{self.fifo}'"] if held else []
    with open(self.directory / "errors", "ab") as errors:
      self.judge = subprocess.Popen(
        [runner.tool("cr_restart"), "--lazy", *hook, *options, *source], cwd=self.directory,
        **{"stdin": subprocess.DEVNULL, "stdout": errors, "stderr": errors, "start_new_session": True, **settings})
    if held:
      wait_until(lambda: (self.directory / "held").exists() or self.judge.poll() is not None, "it runs", 30)
      assert self.judge.poll() is None, self.complaint()
    return self

  def let_go(self):
    # The hook opens it for reading in its own time.
    with open(self.fifo, "w") as fifo:
      fifo.write("go\n")

  def helper(self, name):
    found = [pid for pid in processes.descendants(os.getpid())
             if processes.status(pid, "Name") == name and processes.is_alive(pid)]
    assert len(found) <= 1, found
    return found[0] if found else None

  @property
  def server(self):
    return self.helper("cr_page_server")

  @property
  def guardian(self):
    return self.helper("cr_page_guard")

  def await_loaded(self):
    wait_until(lambda: self.server is None and self.guardian is None, "all is loaded", 60)

  def end(self):
    return self.judge.wait(60 * processes.PATIENCE)

  def check_right(self):
    assert self.end() == 0, self.text() + self.complaint()
    self.check_answer()

  def check_answer(self):
    assert "right" in self.text() and "wrong" not in self.text(), self.text() + self.complaint()


def is_watched(pid):
  """Does the kernel tell somebody of missing pages of the process?"""
  with open(f"/proc/{pid}/smaps") as file:
    return any(" um" in line for line in file if line.startswith("VmFlags"))


@pytest.fixture
def lazy(directory):
  """lazy(ACTION): a saved job of Subjects/lazy.c."""
  def make(action, mebibytes=48, machine=None, options=()):
    return LazyJob(directory, subject(machine), str(mebibytes), action).save(*options)
  return make


# What the job does while it is loaded.

@pytest.mark.parametrize("action", ACTIONS)
def test_memory_is_right_when_only_what_is_touched_is_loaded(action, lazy):
  job = lazy(action).come_back()
  assert is_watched(job.pid)
  job.go()
  job.await_output("right")
  job.let_go()
  job.check_right()
  job.await_loaded()


@pytest.mark.parametrize("action", ACTIONS)
def test_memory_is_right_while_everything_is_loaded(action, lazy):
  job = lazy(action)
  job.go()
  job.come_back(held=False)
  job.check_right()
  job.await_loaded()


def test_two_hundred_mebibytes_and_threads(lazy):
  job = lazy("threads", mebibytes=200)
  job.go()
  job.come_back(held=False).check_right()


def test_a_32_bit_program(lazy):
  if os.uname().machine != "x86_64":
    pytest.skip("programs of one word size only run here")
  job = lazy("forks", machine="i386").come_back()
  assert is_watched(job.pid)
  job.go()
  job.await_output("right")
  job.let_go()
  job.check_right()


PYTHON = """
import hashlib, os, subprocess, threading, time
blocks = [os.urandom(1 << 16) * 16 for _ in range(64)]
tree = {n: [str(n)] * (n % 9) for n in range(100_000)}
wanted = hashlib.md5(b"".join(blocks)).digest(), sum(map(len, tree.values()))
print("begun", flush=True)
while not os.path.exists("go"): time.sleep(0.01)
found = []
threads = [threading.Thread(target=lambda: found.append(hashlib.md5(b"".join(blocks)).digest())) for _ in range(3)]
for thread in threads: thread.start()
child = subprocess.run(["echo", "-n", "hello"], capture_output=True).stdout
for thread in threads: thread.join()
pid = os.fork()
if pid == 0: os._exit(hashlib.md5(b"".join(blocks)).digest() != wanted[0])
status = os.waitpid(pid, 0)[1]
right = found == [wanted[0]] * 3 and sum(map(len, tree.values())) == wanted[1] and child == b"hello" and status == 0
print("right" if right else "wrong")
"""


@pytest.mark.parametrize("held", (True, False))
def test_a_python_program(held, directory):
  job = LazyJob(directory, sys.executable, "-c", PYTHON).save()
  job.go()
  job.come_back(held=held)
  if held:
    job.await_output("right")
    job.let_go()
  job.check_right()


# The state scenarios, as far as memory has to do with them.

SCENARIOS = (
  "advice_on_memory", "all_memory_locked_for_the_future", "alternate_stack_of_each_thread",
  "arguments_environment_and_program_link", "busy_computation", "children_and_grandchildren",
  "children_of_other_programs", "code_made_at_run_time", "fifty_children", "futex_wait", "guard_pages",
  "guard_regions", "handler_on_an_alternate_stack", "huge_pages", "huge_reservation_barely_used",
  "locked_memory", "many_mappings", "mapping_that_grows_down", "mappings_made_afterwards",
  "memory_at_chosen_addresses", "memory_given_back_reads_as_zero", "memory_of_zeros_written",
  "memory_wiped_and_withheld_on_fork", "named_anonymous_memory",
  "pages_shared_by_a_fork", "private_anonymous_memory",
  "private_file_mapping", "process_that_executes_another_program_later", "processes_sharing_memory",
  "processes_sharing_descriptors", "program_break_at_an_odd_place", "protection_keys",
  "read_only_pages_with_contents", "restartable_sequence_area", "robust_list_of_each_thread", "sealed_memory",
  "shared_memory_of_parent_and_children", "stack_grows_deep_after_the_checkpoint", "stopped_child_with_threads",
  "thread_local_storage", "threads_64_with_futexes", "few_descriptors_allowed", "user_and_groups", "zombies",
)


@pytest.mark.parametrize("name", SCENARIOS)
def test_scenario(name, directory):
  try:
    runner.Run(runner.Scenario(runner.sources()[name]), directory).go_through(runner.LAZY)
  except runner.Skipped as reason:
    pytest.skip(str(reason))


# Who dies meanwhile.

def test_the_death_of_cr_restart_changes_nothing(lazy):
  job = lazy("all").come_back()
  job.judge.kill()
  job.judge.wait()
  job.go()
  job.await_output("right")
  job.await_loaded()


def test_signals_do_not_reach_the_server(lazy):
  job = lazy("all").come_back()
  for helper in (job.server, job.guardian):
    for number in (signal.SIGHUP, signal.SIGINT, signal.SIGTERM, signal.SIGPIPE, signal.SIGUSR1):
      os.kill(helper, number)
  job.go()
  job.let_go()
  job.check_right()


def check_killed(job, words):
  assert job.end() == -signal.SIGKILL
  assert re.search(words, job.complaint()), job.complaint()
  assert not processes.is_alive(job.pid)
  assert "right" not in job.text()
  job.await_loaded()


def test_a_killed_server_takes_the_job_along(lazy):
  job = lazy("all").come_back()
  os.kill(job.server, signal.SIGKILL)
  wait_until(lambda: not processes.is_alive(job.pid), "the job is killed")
  job.go()
  job.let_go()
  check_killed(job, "cr_restart: the page server was killed before all memory was loaded.*restart it again")


def test_a_killed_server_of_a_detached_job(lazy):
  job = lazy("all").come_back("--detach")
  os.kill(job.server, signal.SIGKILL)
  wait_until(lambda: not processes.is_alive(job.pid), "the job is killed")
  job.let_go()
  assert job.end() == 0
  wait_until(lambda: "page server was killed" in job.complaint(), "the message", 10)
  job.await_loaded()


def test_a_killed_guardian_is_replaced(lazy):
  job = lazy("all").come_back()
  first = job.guardian
  os.kill(first, signal.SIGKILL)
  wait_until(lambda: job.guardian not in (None, first), "another guardian")
  assert processes.is_alive(job.pid)
  os.kill(job.server, signal.SIGKILL)
  job.let_go()
  check_killed(job, "page server was killed")


@pytest.mark.parametrize("server_lives", (True, False))
def test_a_child_made_meanwhile_and_orphaned(server_lives, lazy):
  job = lazy("orphaned").come_back()
  job.go()
  job.await_output("orphaned")
  child = [pid for pid in processes.descendants(job.pid)]
  assert len(child) == 1 and is_watched(child[0])
  os.kill(job.pid, signal.SIGKILL)
  if not server_lives:
    os.kill(job.server, signal.SIGKILL)
  (job.directory / "look").touch()
  job.let_go()
  assert job.end() == -signal.SIGKILL
  wait_until(lambda: not processes.is_alive(child[0]), "the orphan has ended", 60)
  # Without a server its memory cannot be had: then it must not find zeros there.
  assert ("the orphan has it all" in job.text()) == server_lives
  assert "wrong" not in job.text()
  job.await_loaded()


def test_a_killed_job_is_the_end_of_the_server(lazy):
  job = lazy("waits").come_back()
  os.kill(job.pid, signal.SIGKILL)
  job.let_go()
  assert job.end() == -signal.SIGKILL
  job.await_loaded()
  assert "page server" not in job.complaint()


# What becomes of the file.

def damage(path, offset):
  path.chmod(0o600)
  with open(path, "r+b") as file:
    file.seek(offset)
    byte = file.read(1)[0]
    file.seek(offset)
    file.write(bytes([byte ^ 0x10]))


def middle_of_a_block(path):
  return path.stat().st_size // BLOCK // 2 * BLOCK + BLOCK // 3


@pytest.mark.parametrize("action, held", (("all", True), ("all", False), ("waits", False)))
def test_a_damaged_block_kills_the_job_that_needs_it(action, held, lazy):
  job = lazy(action)
  offset = middle_of_a_block(job.context)
  damage(job.context, offset)
  job.go()
  job.come_back(held=held)
  wait_until(lambda: not processes.is_alive(job.pid) or job.judge.poll() is not None, "the job is killed", 60)
  if held:
    job.let_go()
  start = offset // BLOCK * BLOCK
  check_killed(job, f"cr_restart: context is damaged: bytes {start} to {start + BLOCK} are not as they were "
                    rf"written; there is memory of process {job.pid} \(lazy\), at [0-9a-f]+.*the job was killed")


def test_damage_in_what_is_loaded_at_once_starts_nothing(lazy):
  job = lazy("all")
  damage(job.context, 5000)
  check_failure(run("cr_restart", "--lazy", "context", cwd=job.directory), "damaged", 5)
  assert job.server is None


def test_check_reads_all_of_the_file(lazy):
  job = lazy("all")
  check_success(run("cr_restart", "--lazy", "--check", "context", cwd=job.directory))
  damage(job.context, middle_of_a_block(job.context))
  check_failure(run("cr_restart", "--lazy", "--check", "context", cwd=job.directory), "damaged", 5)
  assert job.server is None


def test_a_file_cut_short_meanwhile_kills_the_job(lazy):
  job = lazy("all").come_back()
  job.context.chmod(0o600)
  os.truncate(job.context, 4 * BLOCK)
  job.go()
  job.let_go()
  check_killed(job, "cr_restart: cannot read context at bytes .*Input/output error.*the job was killed")


@pytest.mark.parametrize("what", ("deleted", "replaced"))
def test_a_file_that_is_deleted_or_replaced_meanwhile(what, lazy):
  job = lazy("all").come_back()
  if what == "deleted":
    job.context.unlink()
  else:
    (job.directory / "other").write_bytes(b"other" * 1000)
    os.rename(job.directory / "other", job.context)
  job.go()
  job.let_go()
  job.check_right()


def test_nobody_writes_into_the_file_meanwhile(lazy):
  job = lazy("all").come_back()
  other = subprocess.Popen(["sleep", "100"])
  check_failure(run("cr_checkpoint", "--clobber", "-f", job.context, other.pid), "context.*--lazy still reads it", 16)
  job.go()
  job.let_go()
  job.check_right()
  check_success(run("cr_checkpoint", "--clobber", "-f", job.context, other.pid))


@pytest.mark.parametrize("source", ("compressed", "pipe"))
def test_what_has_to_be_read_first_is_loaded_at_once(source, lazy):
  job = lazy("all", options=("--compress=zstd:1",) if source == "compressed" else ())
  job.go()
  if source == "compressed":
    job.come_back(held=False)
    job.check_right()
  else:
    with open(job.context, "rb") as file:
      feed = subprocess.Popen(["cat"], stdin=file, stdout=subprocess.PIPE)
    job.come_back(held=False, source=("-F", "0"), stdin=feed.stdout)
    job.check_right()
  assert re.search("warning: --lazy: all of the context had to be read first", job.complaint())


def test_a_directory_of_contexts(directory):
  script = "import os; first = os.fork() != 0" + PYTHON.replace("print(", "first and print(")
  job = LazyJob(directory, sys.executable, "-c", script)
  check_success(run("cr_checkpoint", "--dir", directory / "contexts", job.pid))
  job.kill()
  job.come_back(source=("--dir", "contexts"))
  job.go()
  job.await_output("right")
  job.let_go()
  job.check_right()


# Checkpoints meanwhile, and afterwards.

@pytest.mark.parametrize("options", ((), ("-p",), ("--check",)))
def test_a_checkpoint_meanwhile_is_refused(options, lazy):
  job = lazy("all").come_back()
  result = run("cr_checkpoint", *options, "-f", job.directory / "new", job.pid)
  check_failure(result, rf"memory of process {job.pid} \(lazy\) is still being loaded \(cr_restart --lazy\)", 16)
  assert not list(job.directory.glob("*new*"))
  assert processes.is_untouched(job.pid)
  job.go()
  job.let_go()
  job.check_right()


def test_a_checkpoint_of_a_child_made_meanwhile_is_refused(lazy):
  job = lazy("orphaned").come_back()
  job.go()
  job.await_output("orphaned")
  child = processes.descendants(job.pid)[0]
  result = run("cr_checkpoint", "-f", job.directory / "new", child)
  check_failure(result, rf"memory of process {child} \(lazy\) is still being loaded", 16)
  assert not list(job.directory.glob("*new*"))


def test_a_checkpoint_with_a_time_limit_waits(lazy):
  job = lazy("all").come_back()
  new = job.directory / "new"
  check_failure(run("cr_checkpoint", "--time=1", "-f", new, job.pid), "still being loaded", 16)
  checkpoint = subprocess.Popen([runner.tool("cr_checkpoint"), "--time=60", "-f", new, str(job.pid)])
  job.let_go()
  assert checkpoint.wait(60 * processes.PATIENCE) == 0
  job.kill()
  os.rename(new, job.context)
  job.go()
  job.come_back(held=False)
  job.check_right()


def test_nothing_is_left_when_all_is_loaded(lazy):
  job = lazy("all").come_back()
  server, guardian = job.server, job.guardian
  job.let_go()
  job.await_loaded()
  assert not is_watched(job.pid)
  with open(f"/proc/{job.pid}/status") as file:
    assert int(re.search(r"VmRSS:\s+(\d+)", file.read())[1]) >= 48 << 10
  assert {server, guardian}.isdisjoint(pid for pid in processes.descendants(os.getpid()) if processes.is_alive(pid))
  check_success(run("cr_checkpoint", "-f", job.directory / "new", job.pid))
  job.go()
  job.check_right()


def test_another_process_that_reads_the_memory_waits_for_it(lazy):
  job = lazy("waits").come_back()
  with open(f"/proc/{job.pid}/maps") as file:
    ranges = [[int(word, 16) for word in line.split()[0].split("-")] for line in file]
  start = next(start for start, end in ranges if end - start >= 48 << 20)
  place = start + (20 << 20)
  libc = ctypes.CDLL(None, use_errno=True)
  buffer = ctypes.create_string_buffer(4096)
  ours, theirs = ((ctypes.c_ulong * 2)(address, 4096) for address in (ctypes.addressof(buffer), place))
  assert libc.process_vm_readv(job.pid, ours, 1, theirs, 1, 0) == 4096, os.strerror(ctypes.get_errno())
  # Not all zeros; what they are is told by a page that was read when all is loaded.
  early = buffer.raw
  job.let_go()
  job.await_loaded()
  assert libc.process_vm_readv(job.pid, ours, 1, theirs, 1, 0) == 4096
  assert early == buffer.raw != bytes(4096)


# What is to be seen of it.

def test_the_server_is_nobodys_business(lazy):
  job = lazy("all").come_back()
  ids = {pid: (os.getsid(pid), os.getpgid(pid)) for pid in (job.server, job.guardian)}
  assert all(sid == group == pid for pid, (sid, group) in ids.items())
  below = processes.descendants(job.judge.pid)
  assert job.pid in below and job.server not in below and job.guardian not in below
  for pid in (job.pid, job.server, job.guardian):
    files = {number: os.readlink(f"/proc/{pid}/fd/{number}") for number in os.listdir(f"/proc/{pid}/fd")}
    if pid == job.pid:
      assert not any("userfaultfd" in path for path in files.values())
    else:
      assert files["0"] == files["1"] == "/dev/null"
      # Nothing that belongs to the job, whose other ends may wait for it to be closed.
      assert str(job.directory / "output") not in files.values()
  assert run("cr_checkpoint", "--check", "-s", os.getsid(job.pid)).stdout.count("cr_page") == 0
  job.go()
  job.let_go()
  job.check_right()


def test_detached(lazy):
  job = lazy("all")
  result = check_success(run("cr_restart", "--lazy", "--detach", "--json", job.context, cwd=job.directory))
  assert json.loads(result.stdout)["pid"] == job.pid
  job.go()
  job.await_output("right")
  job.await_loaded()


def test_an_ordinary_user_is_told_what_helps(lazy, directory):
  job = lazy("all")
  job.context.chmod(0o444)
  for options in (("--lazy",), ("--lazy", "--check")):
    result = run_as_nobody(directory, "cr_restart", *options, "--no-restore-pid", job.context)
    check_failure(result, "--lazy.*root.*CAP_SYS_PTRACE.*fork.*vm.unprivileged_userfaultfd", 1)


@pytest.mark.parametrize("other", ("--rootless", "--engine=kernel"))
def test_options_that_exclude_it(other, lazy, directory):
  job = lazy("all")
  check_failure(run("cr_restart", "--lazy", other, job.context), f"--lazy does not work with {other}")
  assert job.server is None
