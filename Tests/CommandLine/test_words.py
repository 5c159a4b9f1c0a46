# SPDX-License-Identifier: Apache-2.0
"""What the tools say when they fail: each message names what failed and on whom, the kernel's reason, and what to do."""

import os
import re
import shutil
import socket
import subprocess
import sys

import pytest

import processes
import runner
from targets import NOBODY, check_failure, readable_copy, run, run_as_nobody

ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="needs root")

# What a person can do after a message: an imperative, or an option to use.
ADVICE = re.compile(
  r"--[a-z]|\b(ask|use|try|close|end|detach|choose|name|remove|free|start|install|see|run|write|restart|mend)\b", re.I)


def says(result, *words, status=None, advice=True):
  """It failed in words that have all of these in them."""
  check_failure(result, "", status)
  text = " ".join(line.partition(": ")[2] if line.startswith("cr_") else line
                  for line in result.stderr.splitlines())
  for word in words:
    assert re.search(str(word), text, re.I), f"no {word!r} in: {text}"
  # Usage is advice, too.
  assert not advice or ADVICE.search(text), f"what to do?: {text}"
  assert "Errno" not in text and "rawValue" not in text and "Optional" not in text
  return text


# Command lines: each names the option and the word that is wrong.

LINES = {
  "cr_checkpoint": [
    ((), "no ID"), (("1", "2"), "more than one ID"), (("abc",), "'abc'"), (("--", "-5"), "'-5'"), (("0",), "'0'"),
    (("--fd=x", "1"), "--fd", "'x'"), (("--fd=-1", "1"), "--fd", "'-1'"),
    (("--time=soon", "1"), "--time", "'soon'"), (("--signal=65", "1"), "--signal", "'65'", "1 to 64"),
    (("--signal=KILL", "1"), "--signal", "'KILL'"), (("--engine=steam", "1"), "--engine", "steam", "user"),
    (("--compress=rar", "1"), "--compress", "rar", "zstd"), (("--compress=zstd:99", "1"), "--compress", "1 to 22"),
    (("--jobs=0", "1"), "--jobs", "'0'"), (("--progress=fast", "1"), "--progress", "fast", "always"),
    (("--file=", "1"), "--file", "empty"), (("--dir=", "1"), "--dir", "empty"), (("--file",), "--file", "argument"),
    (("--nonsense", "1"), "--nonsense"), (("-Z", "1"), "Z"), (("--save", "1"), "--save", "ambiguous"),
    (("--quiet=yes", "1"), "--quiet", "argument"),
    (("-f", "a", "-d", "b", "1"), "more than one destination", "--file", "--dir"),
  ],
  "cr_restart": [
    ((), "no context file"), (("a", "b"), "more than one"), (("-f", "a", "b"), "more than one", "FILE"),
    (("--relocate=/a", "x"), "--relocate", "'/a'", "OLDPATH=NEWPATH"),
    (("--relocate=a=/b", "x"), "--relocate", "begin with /"), (("--relocate=/a=/b\\", "x"), "--relocate", "escape"),
    (("--signal=0", "x"), "--signal", "'0'"), (("--nonsense", "x"), "--nonsense"),
    (("--engine=steam", "x"), "--engine", "steam"),
    (("x", *(f"--relocate=/{number}=/b" for number in range(17))), "--relocate", "more than 16"),
  ],
  "cr_info": [
    (("a", "b"), "one context file"), (("--maps",), "which file"), (("--core=x", "a"), "--core", "'x'"),
    (("--output=a", "b"), "--output", "--core"), (("--stack", "--json", "a"), "--stack", "--json"),
    (("--nonsense",), "--nonsense"),
  ],
  "cr_run": [((), "command"), (("--nonsense", "true"), "--nonsense")],
}


@pytest.mark.parametrize("tool, line", [(tool, line) for tool, lines in LINES.items() for line in lines],
                         ids=lambda value: value if isinstance(value, str) else " ".join(value[0]) or "nothing")
def test_a_wrong_command_line(tool, line, directory):
  arguments, *words = line
  result = run(tool, *arguments, cwd=directory)
  says(result, *words)
  assert len(result.stderr.splitlines()) <= 3
  assert os.listdir(directory) == []


def test_options_that_are_not_built_are_refused_by_name(directory):
  for tool, options in {
      "cr_checkpoint": ("--live", "--incremental")}.items():
    for option in options:
      text = says(run(tool, option, "1", cwd=directory), re.escape(option), "not built", advice=False)
      assert "Usage" not in text


# Where a context goes to, and comes from: the path, and the kernel's reason.

@ROOT
@pytest.mark.parametrize("place, words", (
  ("no/where", ("no/where", "No such file")), (".", ("directory",)), ("file/x", ("file/x", "Not a directory")),
  ("locked/x", ("locked/x", "Permission denied")), ("socket", ("socket", "no regular file")),
  ("x" * 300, ("x" * 50, "too long"))))
def test_a_place_that_cannot_be_written(place, words, target, directory):
  (directory / "file").touch()
  (directory / "locked").mkdir(mode=0o500)
  with socket.socket(socket.AF_UNIX) as server:
    server.bind(str(directory / "socket"))
    tool = readable_copy(directory, "cr_checkpoint")
    process = subprocess.Popen(["sleep", "100"], **NOBODY)
    result = subprocess.run([tool, "-f", place, str(process.pid)], cwd=directory, capture_output=True, text=True,
                            timeout=60, **NOBODY)
  says(result, *words, advice=False)
  assert processes.is_untouched(process.pid)


@ROOT
@pytest.mark.parametrize("place, words", (
  ("nowhere", ("nowhere", "No such file")), (".", ("Is a directory", "--dir")),
  ("locked", ("locked", "Permission denied")), ("empty", ("empty", "not a context file")),
  ("text", ("text", "no ELF core")), ("socket", ("socket",)), ("/dev/null", ("/dev/null", "not a context file"))))
@pytest.mark.parametrize("tool", ("cr_restart", "cr_info"))
def test_a_place_that_cannot_be_read(tool, place, words, directory):
  (directory / "empty").touch()
  (directory / "text").write_text("a diary\n" * 100)
  (directory / "locked").touch(mode=0o600)
  with socket.socket(socket.AF_UNIX) as server:
    server.bind(str(directory / "socket"))
    # cr_info knows a directory by itself.
    if (tool, place) == ("cr_info", "."):
      words = ("no context in", "context.PID")
    result = subprocess.run([readable_copy(directory, tool), place], cwd=directory, capture_output=True, text=True,
                            timeout=60, **NOBODY)
  says(result, *words, advice=False)


# Targets: the process by id and name, the reason, and what to do.

def test_nobody_there(directory):
  says(run("cr_checkpoint", 4190001, cwd=directory), "no process 4190001", status=3, advice=False)
  says(run("cr_checkpoint", "-g", 4190001, cwd=directory), "group 4190001", status=3, advice=False)
  says(run("cr_checkpoint", "-s", 4190001, cwd=directory), "session 4190001", status=3, advice=False)


@ROOT
def test_a_process_of_somebody_else(target, directory):
  says(run_as_nobody(directory, "cr_checkpoint", "-f", directory / "a", target.pid),
       rf"process {target.pid} \(\w+", "Operation not permitted", "user 0", "as root", status=1)
  target.check_runs()


@ROOT
def test_a_thread_of_the_kernel(directory):
  if open("/proc/2/comm").read() != "kthreadd\n":
    pytest.skip("this pid namespace has no threads of the kernel")
  for options in ((), ("-p",), ("--check",)):
    says(run("cr_checkpoint", *options, "-f", directory / "a", 2), r"process 2 \(kthreadd\)", "thread of the kernel",
         status=1, advice=False)


def test_a_traced_process(target, directory):
  tracer = subprocess.Popen(["strace", "-o", directory / "log", "-p", str(target.pid)], stderr=subprocess.DEVNULL)
  processes.wait_until(lambda: processes.status(target.pid, "TracerPid") != "0", "strace has it")
  says(run("cr_checkpoint", "-f", directory / "a", target.pid), rf"process {target.pid} \(", rf"process {tracer.pid} "
       r"\(strace\)", "detach", "--ptraced-skip", status=56)
  says(run("cr_checkpoint", "-f", directory / "a", "-p", tracer.pid), rf"process {tracer.pid} \(strace\)", "traces",
       "--ptracer-skip", status=57)


@pytest.mark.parametrize("code, words", (
  ("s = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 12); fd = s.fileno()", ("socket", "netlink")),
  ("fd = os.pidfd_open(os.getppid())", ("pidfd",)),
  ("s = socket.socket(socket.AF_INET, socket.SOCK_RAW, 1); fd = s.fileno()", ("socket", "raw")),
))
def test_a_descriptor_that_cannot_be_carried(code, words, directory):
  process = subprocess.Popen(
    [sys.executable, "-c", f"import os, socket, time\n{code}\nprint(fd, flush=True)\ntime.sleep(1000)"],
    cwd=directory, stdout=subprocess.PIPE, text=True)
  number = process.stdout.readline().strip()
  says(run("cr_checkpoint", "-f", directory / "a", process.pid), rf"process {process.pid} \(python", f"descriptor {number} ",
       *words, "close it first", "--skip-unsupported", status=95)
  assert processes.is_untouched(process.pid) and not (directory / "a").exists()


# Restarts: what is in the way, and how it is got out of it.

def test_an_id_in_use(target, directory):
  run("cr_checkpoint", "-f", directory / "a", target.pid)
  says(run("cr_restart", directory / "a"), f"process id {target.pid}", "in use", r"\(process \d+\)", "--no-restore-pid",
       status=16)


@ROOT
def test_ids_without_the_right(context, directory):
  context.chmod(0o444)
  says(run_as_nobody(directory, "cr_restart", context), "CAP_CHECKPOINT_RESTORE", "--no-restore-pid", status=1)


def test_a_program_that_is_missing_or_another(directory):
  program = directory / "program"
  shutil.copy("/usr/bin/sleep", program)
  process = subprocess.Popen([program, "1000"], cwd=directory)
  run("cr_checkpoint", "-f", directory / "a", process.pid)
  processes.kill_all()
  process.wait()
  program.rename(directory / "moved")
  says(run("cr_restart", directory / "a"), re.escape(str(program)), "No such file", "--relocate", status=2)
  shutil.copy("/usr/bin/cat", program)
  says(run("cr_restart", directory / "a"), re.escape(str(program)), "changed|differ|not the same|another")


def test_an_open_file_that_is_missing(directory):
  (directory / "data").write_text("text")
  process = subprocess.Popen(["sleep", "1000"], stdin=open(directory / "data"), cwd=directory)
  run("cr_checkpoint", "-f", directory / "a", process.pid)
  processes.kill_all()
  process.wait()
  (directory / "data").unlink()
  says(run("cr_restart", directory / "a"), re.escape(str(directory / "data")), r"descriptor 0", rf"{process.pid}",
       "No such file", "--relocate", status=2)


def test_a_newer_and_a_damaged_file(context, directory):
  whole = context.read_bytes()
  for name, contents, words in (
      ("short", whole[:-1], ("truncated or was never completed",)),
      ("changed", whole[:70000] + bytes([whole[70000] ^ 1]) + whole[70001:], ("damaged", r"process \d+|bytes \d+")),
      ("newer", whole[:84] + b"\x09" + whole[85:], ("version 9", "reads version 1"))):
    (directory / name).write_bytes(contents)
    for tool, options in (("cr_restart", ()), ("cr_info", ("--check",))):
      says(run(tool, *options, directory / name), name, *words, advice=False)


def test_a_command_that_is_not_there(directory):
  says(run("cr_run", "no-such-command", cwd=directory), "no-such-command", "No such file", status=127, advice=False)
  (directory / "text").write_text("no program\n")
  says(run("cr_run", "./text", cwd=directory), "./text", "Permission denied", status=126, advice=False)


def test_a_process_that_is_not_in_the_file(context, directory):
  says(run("cr_info", "--core", 4190001, context, cwd=directory), "no process 4190001", status=3, advice=False)
