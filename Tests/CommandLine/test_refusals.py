# SPDX-License-Identifier: Apache-2.0
"""What cannot be saved is refused in words, before any harm: the target runs on, no file is left."""

import json
import os
import re
import resource
import subprocess
import textwrap

import pytest

import processes
import runner
from processes import wait_until
from targets import (NOBODY, check_failure, check_success, readable_copy, run, run_as_nobody)

PRELUDE = """
import ctypes, os, socket, sys, time
libc = ctypes.CDLL(None, use_errno=True)
def call(number, *arguments):
  result = libc.syscall(number, *arguments)
  if result < 0:
    print("cannot", os.strerror(ctypes.get_errno()), flush=True)
    sys.exit(1)
  return result
"""

# Both ends of a connection.
TCP = ("s = socket.create_server(('127.0.0.1', 0)); c = socket.create_connection(s.getsockname());"
       " d = s.accept()[0]; f = d.fileno()")

# What makes descriptor 77, and a word that the message must have.
KINDS = {
  # Whoever is at the other end is an orphan and no longer below the target.
  "a socket connected to the outside": (
    "pair = socket.socketpair(); f = pair[0].fileno(); child = os.fork()\n"
    "if child == 0:\n  if os.fork(): os._exit(0)\n  pair[0].close(); time.sleep(100); os._exit(0)\n"
    "pair[1].close(); os.waitpid(child, 0)", r"socket .*process \d+ \(python3.*not saved"),
  "a TCP connection to the outside": (
    "s = socket.create_server(('127.0.0.1', 0)); child = os.fork()\n"
    "if child == 0:\n  if os.fork(): os._exit(0)\n  s.accept()[0].recv(1); os._exit(0)\n"
    "os.waitpid(child, 0); c = socket.create_connection(s.getsockname()); s.close()\n"
    "f = c.fileno(); time.sleep(0.2)",
    r"TCP 127.0.0.1:\d+ to 127.0.0.1:\d+.*process \d+ \(python3.*not saved.*--tcp-close"),
  "a TCP connection that nobody has accepted": (
    "s = socket.create_server(('127.0.0.1', 0)); c = socket.create_connection(s.getsockname());"
    " c.send(b'x'); f = c.fileno()", "TCP.*before anybody has accepted"),
  "a descriptor under way that cannot be carried": (
    "pair = socket.socketpair(); f = pair[1].fileno(); g = call(300, 0, 0);"
    " socket.send_fds(pair[0], [b'x'], [0, g]); os.close(g)",
    r"descriptor \d+: a descriptor under way in this socket .SCM_RIGHTS. is a fanotify group"),
  "urgent data under way": (
    "pair = socket.socketpair(); f = pair[1].fileno(); pair[0].send(b'x', socket.MSG_OOB)",
    "urgent"),
  "bytes sent to a server that has not accepted yet": (
    "s = socket.socket(socket.AF_UNIX); s.bind('name'); s.listen(); c = socket.socket(socket.AF_UNIX);"
    " c.connect('name'); c.send(b'x'); f = c.fileno()", "before it was accepted"),
  "a netlink socket of a part of the kernel with a state for it": (
    "s = socket.socket(16, socket.SOCK_RAW, 12); f = s.fileno()", "netlink protocol 12"),
  "a netlink socket with an answer": (
    "s = socket.socket(16, socket.SOCK_RAW, 0); f = s.fileno();"
    " s.send(bytes([32, 0, 0, 0, 18, 0, 1, 0]) + bytes(12) + b'\\1' + bytes(11))", "netlink.*answer"),
  "a raw socket": ("s = socket.socket(socket.AF_INET, socket.SOCK_RAW, 1); f = s.fileno()", "family 2, type 3"),
  "an inotify descriptor that watches a deleted file": (
    "f = call(294, 0); g = open('gone', 'w'); call(254, f, b'gone', 2); os.unlink('gone')", "inotify"),
  "a fanotify descriptor": ("f = call(300, 0, 0)", "fanotify group"),
  "a fanotify descriptor with a mark": (
    "f = call(300, 0, 0); call(301, f, 1, 2, -100, b'.')", "fanotify group, whose marks"),
  "a virtual machine": (
    "import fcntl\ntry: f = fcntl.ioctl(os.open('/dev/kvm', os.O_RDWR), 0xae01)\n"
    "except OSError as e: print('cannot', e, flush=True); sys.exit()", "KVM virtual machine"),
  "a pidfd of a single thread": (
    "import threading; t = threading.Thread(target=time.sleep, args=(1000,), daemon=True); t.start();"
    " f = call(434, t.native_id, os.O_EXCL)", "pidfd of a single thread"),
  "urgent data of TCP under way": (TCP + "; c.send(b'ab'); c.send(b'x', socket.MSG_OOB)", "urgent"),
  "urgent data of TCP that comes next": (TCP + "; c.send(b'x', socket.MSG_OOB); c.send(b'ab')", "urgent"),
  "urgent data of TCP in line": (
    TCP + "; d.setsockopt(1, 10, 1); c.send(b'ab'); c.send(b'x', socket.MSG_OOB); c.send(b'cd')", "urgent"),
  "the mark of urgent data of TCP that was read": (
    TCP + "; c.send(b'ab'); c.send(b'x', socket.MSG_OOB); c.send(b'cd'); time.sleep(0.1); d.recv(1, socket.MSG_OOB)",
    "urgent"),
  "a pidfd of a process outside": ("f = os.pidfd_open(os.getppid())", "pidfd.*process"),
  "a userfaultfd": ("f = call(323, 1)", "page faults"),
  "a bpf map": ("import struct; a = ctypes.create_string_buffer(struct.pack('5I', 2, 4, 4, 1, 0)"
                " + bytes(100)); f = call(321, 0, a, 72)", "bpf map"),
  "an io_uring": ("f = call(425, 4, ctypes.create_string_buffer(120))", "io_uring"),
  "a message queue": ("f = call(240, b'cr-test-%d' % os.getpid(), 0o102, 0o600, None);"
                      " call(241, b'cr-test-%d' % os.getpid()); call(242, f, b'x', 1, 0, None);"
                      " call(244, f, b'\\0' * 12 + b'\\1' + b'\\0' * 51)",
                      "message queue .* notified"),
  "a performance counter": ("a = ctypes.create_string_buffer(b'\\1\\0\\0\\0\\x80\\0\\0\\0'"
                            " + bytes(120)); f = call(298, a, 0, -1, -1, 0)", "perf_event.*count"),
}


@pytest.fixture
def python(directory):
  """python(code): a Python program that has run `code` and answers pings with its own memory."""
  def start(code, **settings):
    program = PRELUDE + textwrap.dedent(code) + textwrap.dedent("""
      state = list(range(1000))
      print("ready", flush=True)
      for line in sys.stdin:
        print(sum(state), flush=True)
    """)
    process = subprocess.Popen(
      ["/usr/bin/python3", "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
      stderr=subprocess.STDOUT, text=True, cwd=directory, **settings)
    line = process.stdout.readline()
    if line.startswith("cannot"):
      pytest.skip(line.strip())
    assert line == "ready\n", line + process.stdout.read()
    return process
  return start


def check_unharmed(process, directory):
  process.stdin.write("\n")
  process.stdin.flush()
  assert process.stdout.readline() == "499500\n"
  assert processes.is_untouched(process.pid)
  assert not list(directory.glob("*context*")) and not list(directory.glob(".*"))


@pytest.mark.parametrize("kind", KINDS)
def test_an_unsupported_descriptor_is_named(kind, python, directory):
  code, word = KINDS[kind]
  process = python(f"{code}\nos.dup2(f, 77)")
  result = run("cr_checkpoint", "-f", directory / "context", process.pid)
  check_failure(result, word)
  assert re.search(r"\b77\b", result.stderr) or re.search(r"descriptor \d+", result.stderr)
  assert re.search(rf"\b{process.pid}\b", result.stderr), "the message names the process"
  check_unharmed(process, directory)


SKIPPABLE = (
  "a userfaultfd", "a netlink socket with an answer", "a pidfd of a process outside", "a bpf map", "an io_uring",
  "a performance counter", "a virtual machine", "a fanotify descriptor", "a fanotify descriptor with a mark",
  "a raw socket", "a pidfd of a single thread", "urgent data of TCP under way",
  "an inotify descriptor that watches a deleted file")


@pytest.mark.parametrize("kind", SKIPPABLE)
def test_an_unsupported_descriptor_is_left_out_when_that_is_wanted(kind, python, directory):
  code, word = KINDS[kind]
  process = python(f"{code}\nos.dup2(f, 77)")
  result = run("cr_checkpoint", "--skip-unsupported", "-f", directory / "image", process.pid)
  assert result.returncode == 0, result.stderr
  assert re.search(rf"warning: process {process.pid} .*: descriptor \d+ .*{word}", result.stderr)
  check_unharmed(process, directory)
  description = run("cr_info", "--json", directory / "image")
  assert json.loads(description.stdout)["warnings"]
  assert 77 not in [entry["fd"] for entry
                    in json.loads(description.stdout)["processes"][0]["descriptors"]]


def test_the_refusal_names_the_process_of_the_tree_that_has_it(python, directory):
  process = python("""
    child = os.fork()
    if child == 0:
      s = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 12)
      os.dup2(s.fileno(), 55)
      open("child", "w").write(str(os.getpid()))
      time.sleep(100)
    while not os.path.exists("child") or not open("child").read(): time.sleep(0.01)
  """)
  child = (directory / "child").read_text()
  result = run("cr_checkpoint", "-f", directory / "context", process.pid)
  check_failure(result, rf"\b{child}\b")
  assert re.search(r"\b55\b", result.stderr) or "descriptor" in result.stderr
  check_unharmed(process, directory)


def test_a_process_that_is_gone(directory):
  with subprocess.Popen(["true"]) as process:
    process.wait()
  check_failure(run("cr_checkpoint", "-f", directory / "context", process.pid),
                rf"\b{process.pid}\b", 3)
  assert os.listdir(directory) == []


def test_a_zombie_alone_is_no_target(directory):
  process = subprocess.Popen(["true"])
  wait_until(lambda: processes.state(process.pid) == "Z", "a zombie")
  check_failure(run("cr_checkpoint", "-f", directory / "context", process.pid),
                rf"\b{process.pid}\b")
  assert os.listdir(directory) == []
  process.wait()


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root to be somebody else")
def test_the_process_of_somebody_else(python, directory):
  process = python("")
  result = run_as_nobody(directory, "cr_checkpoint", "-f", directory / "context", process.pid)
  check_failure(result, rf"\b{process.pid}\b.*permi", 1)
  check_unharmed(process, directory)


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root to be somebody else")
def test_an_ordinary_user_carries_his_own_process(start, directory):
  target = start(**NOBODY)
  target.path("output").chmod(0o666)
  context = target.path("context")
  check_success(run_as_nobody(directory, "cr_checkpoint", "-f", context, target.pid))
  target.forget()
  with open(target.path("restart.err"), "wb") as errors:
    target.judge = subprocess.Popen(
      [readable_copy(directory, "cr_restart"), "--no-restore-pid", "-f", context],
      stdin=subprocess.DEVNULL, stderr=errors, start_new_session=True, **NOBODY)
  target.await_answer()
  target.check_answer()


# Memory that cannot be saved, and words that the message must have.
MEMORIES = {
  "watched by a userfaultfd": (
    "import fcntl, mmap, struct; f = call(323, 1); fcntl.ioctl(f, 0xc018aa3f, struct.pack('3Q', 0xaa, 0, 0))\n"
    "m = mmap.mmap(-1, 8192, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)\n"
    "a = ctypes.addressof(ctypes.c_char.from_buffer(m))\n"
    "fcntl.ioctl(f, 0xc020aa00, struct.pack('4Q', a, 4096, 1, 0))", "watched by a userfaultfd"),
  "hidden by memfd_secret": (
    "import mmap; f = call(447, 0); os.ftruncate(f, 4096); m = mmap.mmap(f, 4096); m[0] = 1; os.close(f)",
    "hidden by memfd_secret"),
  "a queue of asynchronous I/O": ("c = ctypes.c_ulong(0); call(206, 8, ctypes.byref(c))", "asynchronous I/O"),
  "a ring of io_uring": (
    "import mmap; f = call(425, 4, ctypes.create_string_buffer(120)); m = mmap.mmap(f, 4096); os.close(f)",
    "kernel object|io_uring"),
  "a device": ("import mmap; os.mknod('mem', 0o20600, os.makedev(1, 1)); f = os.open('mem', os.O_RDONLY);"
               " m = mmap.mmap(f, 4096, mmap.MAP_SHARED, mmap.PROT_READ, offset=0xf0000); os.close(f)", "device"),
}


@pytest.mark.parametrize("kind", MEMORIES)
def test_unsupported_memory_is_named(kind, python, directory):
  code, word = MEMORIES[kind]
  process = python("try:\n" + textwrap.indent(code, "  ")
                   + "\nexcept OSError as e: print('cannot', e, flush=True); sys.exit()")
  for option in ("--check",), ():
    result = run("cr_checkpoint", *option, "-f", directory / "context", process.pid)
    check_failure(result, rf"process {process.pid} .*memory at [0-9a-fx]+ .*({word})", 95)
  check_unharmed(process, directory)


# One instruction: every call is allowed (or whatever %s says). Set for the calling thread.
SECCOMP = """
import struct
def confine(answer=0x7fff0000, flags=0):
  program = ctypes.create_string_buffer(struct.pack("HBBI", 6, 0, 0, answer))
  filter = ctypes.create_string_buffer(struct.pack("H6xP", 1, ctypes.addressof(program)))
  libc.prctl(38, 1, 0, 0, 0)
  return call(317, 1, flags, filter)
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root to be somebody else")
@pytest.mark.parametrize("code", (
  "confine()", "import threading; threading.Thread(target=lambda: (confine(), time.sleep(100)),"
  " daemon=True).start(); time.sleep(0.2)"), ids=("all of it", "one thread"))
def test_seccomp_is_shown_to_root_only(code, python, directory):
  process = python(SECCOMP + code, **NOBODY)
  for option in (), ("--check",):
    result = run_as_nobody(directory, "cr_checkpoint", *option, "-f", directory / "context", process.pid)
    check_failure(result, rf"{process.pid} .*seccomp.*root", 1)
  check_unharmed(process, directory)


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root to be somebody else")
def test_a_context_under_seccomp_is_brought_back_by_root_only(python, directory):
  process = python(SECCOMP + "confine()", **NOBODY)
  check_success(run("cr_checkpoint", "--kill", "-f", directory / "context", process.pid))
  process.wait()
  (directory / "context").chmod(0o644)
  for option in (), ("--check",):
    result = run_as_nobody(directory, "cr_restart", "--no-restore-pid", *option, "-f", directory / "context")
    check_failure(result, "seccomp.*root")


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root to read filters")
def test_a_filter_that_asks_a_listener_is_named(directory):
  # Every call waits for an answer from here on, that of its end too.
  process = subprocess.Popen(
    ["/usr/bin/python3", "-c", PRELUDE + SECCOMP + "confine(0x7fc00000, 8)"], cwd=directory)
  wait_until(lambda: processes.status(process.pid, "Seccomp") == "2", "under seccomp")
  result = run("cr_checkpoint", "-f", directory / "context", process.pid)
  check_failure(result, "seccomp filter of thread .*listener")
  assert not (directory / "context").exists()
  process.kill()
  process.wait()


def test_a_process_under_a_debugger(start, directory):
  target = start()
  tracer = subprocess.Popen(["strace", "-qq", "-o", "/dev/null", "-p", str(target.pid)],
                            stderr=subprocess.DEVNULL)
  wait_until(lambda: processes.status(target.pid, "TracerPid") != "0", "traced")
  result = run("cr_checkpoint", "-f", directory / "context", target.pid)
  check_failure(result, rf"\b{target.pid}\b.*trace")
  assert not (directory / "context").exists()
  tracer.terminate()
  tracer.wait()
  target.check_runs()
  target.check_answer()


def test_ourselves_alone_is_refused(directory):
  """In `--pid` the only target would be left out."""
  script = 'exec "$0" --pid -f "$1" $$'
  result = subprocess.run(
    ["sh", "-c", script, runner.tool("cr_checkpoint"), directory / "context"],
    capture_output=True, text=True, timeout=20)
  assert result.returncode > 0 and result.stderr.startswith("cr_checkpoint: ")
  assert os.listdir(directory) == []


def test_a_kernel_thread_is_refused(directory):
  if processes.status(2, "Name") != "kthreadd":
    pytest.skip("no kernel threads are visible here")
  for pid in (2, processes.descendants(2)[0]):
    check_failure(run("cr_checkpoint", "--pid", "-f", directory / "context", pid), rf"\b{pid}\b")
  assert os.listdir(directory) == []


@pytest.fixture
def small_disk(directory):
  place = directory / "small"
  place.mkdir()
  mounted = os.geteuid() == 0 and subprocess.run(
    ["mount", "-t", "tmpfs", "-o", "size=1m", "none", place], capture_output=True).returncode == 0
  if not mounted:
    pytest.skip("cannot mount a tmpfs here")
  yield place
  subprocess.run(["umount", "-l", place], check=True)


@pytest.mark.parametrize("option", ("--atomic", "--clobber", "--noclobber", "--backup"))
def test_a_full_disk(option, small_disk, start):
  target = start("private_anonymous_memory")
  result = run("cr_checkpoint", option, "-f", small_disk / "context", target.pid)
  check_failure(result, "space|room", 28)
  assert os.listdir(small_disk) == []
  target.check_runs()
  target.check_answer()


def test_a_full_disk_leaves_the_older_context(small_disk, start):
  target = start("private_anonymous_memory")
  (small_disk / "context").write_text("older")
  check_failure(run("cr_checkpoint", "-f", small_disk / "context", target.pid), "space|room",
                28)
  assert os.listdir(small_disk) == ["context"]
  assert (small_disk / "context").read_text() == "older"


def test_a_full_disk_behind_a_descriptor(target):
  with open("/dev/full", "wb") as full:
    check_failure(
      run("cr_checkpoint", "-F", full.fileno(), target.pid, pass_fds=[full.fileno()]), "space", 28)
  target.check_runs()
  target.check_answer()


def test_a_file_size_limit_of_ours(start, directory):
  target = start("private_anonymous_memory")
  result = run("cr_checkpoint", "-f", directory / "context", target.pid,
               preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (65536, 65536)))
  check_failure(result, "too large|limit", 27)
  assert not (directory / "context").exists()
  target.check_runs()
  target.check_answer()


def test_a_file_size_limit_of_the_target_does_not_matter(start, directory):
  """It may be the target that writes, and it must not die of SIGXFSZ for us."""
  target = start("private_anonymous_memory",
                 preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (65536, 65536)))
  check_success(run("cr_checkpoint", "-f", directory / "context", target.pid))
  target.check_runs()
  target.forget()
  target.come_back(directory / "context")
  target.check_answer()


def test_a_pipe_whose_reader_has_gone(target):
  reading, writing = os.pipe()
  os.close(reading)
  result = run("cr_checkpoint", "-F", writing, target.pid, pass_fds=[writing])
  os.close(writing)
  check_failure(result, "pipe", 32)
  target.check_runs()
  target.check_answer()
