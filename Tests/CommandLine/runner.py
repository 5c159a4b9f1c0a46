# SPDX-License-Identifier: Apache-2.0
"""Runs a scenario (Tests/Scenarios/*.c) in one of several ways and hears its verdict.

The conversation with the scenario, in files of its directory, is described in scenario.h.
"""

import contextlib
import os
import re
import shlex
import subprocess
import tempfile
import time
from pathlib import Path

import huge_pages
import processes
from processes import PATIENCE, wait_until

TOP = Path(__file__).resolve().parent.parent.parent
SOURCES = TOP / "Tests" / "Scenarios"
BUILD = Path(os.environ.get("CR_BUILD_DIR") or TOP / "build").resolve()

# undisturbed: the scenario itself must be right.  continue: it must not notice a checkpoint.
# restart: killed and brought back once, at the first chance.  again: twice at every chance.
WAYS = ("undisturbed", "continue", "restart", "again")
# As again, and memory is loaded while the scenario runs (test_lazy.py); a checkpoint waits until it is.
LAZY = "lazy"

SKIPPED = 77

# Where uname(2) calls a processor by another name than arch/ does.
FOLDERS = {"ppc64le": "powerpc64le", "armv7l": "arm", "i686": "i386"}


# Debian keeps a cross compiler's C library, the loader included, where programs do not look for it.
I386_LIBRARIES = "/usr/i686-linux-gnu/lib"
COMPILERS = {
  None: ["gcc"],
  "i386": ["i686-linux-gnu-gcc", "-msse2", "-Wl,-z,notext", "-D_FILE_OFFSET_BITS=64",
           f"-Wl,--dynamic-linker={I386_LIBRARIES}/ld-linux.so.2",
           f"-Wl,--disable-new-dtags,-rpath,{I386_LIBRARIES}"],
}


def engine(tool):
  """`--engine=` of CR_ENGINES, which is `CHECKPOINT-RESTART`, as `kernel-user`; nothing where it is not set."""
  names = os.environ.get("CR_ENGINES", "").split("-")
  return [f"--engine={names[tool == 'restart']}"] if len(names) == 2 else []


def tool(name):
  return str(BUILD / "bin" / name)


class Scenario:
  """One program of Tests/Scenarios or arch/PROCESSOR/scenarios, with what the head of its source tells the runner.

  runner: root                 needs privilege
  runner: checkpoint OPTION…   for cr_checkpoint
  runner: restart OPTION…      for cr_restart
  runner: refused PATTERN      cr_checkpoint must fail with a message that has this in it
  runner: unlike-kernel PATTERN  the same, where the kernel engine is asked for
  runner: both                 $SCENARIO_OTHER is the same program, compiled for the other word size
  runner: huge-pages           128 may be had, which no other test disturbs, and huge/ is a hugetlbfs
  runner: linger N             seconds for which it runs on between its checkpoint and its death
  runner: seconds N            how long a wait may take
  runner: once                 it cannot be told what it would see after a second restart
  """

  def __init__(self, source, machine=None):
    """`machine`: a folder of arch/ that the program is compiled for, not this machine's own."""
    self.source = source
    self.machine = machine
    self.name = source.stem
    head = source.read_text().partition("#include")[0]
    words = re.findall(r"runner: (\S+) ?(.*?)(?: \*/)?$", head, re.M)
    self.needs_root = ("root", "") in words
    self.needs_huge_pages = ("huge-pages", "") in words
    self.once = ("once", "") in words
    self.needs_both = ("both", "") in words
    self.options = {
      tool: [option for key, value in words if key == tool for option in value.split()]
      for tool in ("checkpoint", "restart")}
    self.refused = next((value for key, value in words if key == "refused"), None)
    if "--engine=kernel" in engine("checkpoint") + engine("restart"):
      self.refused = next((value for key, value in words if key == "unlike-kernel"), self.refused)
    self.seconds = next((float(value) for key, value in words if key == "seconds"), 20.0)
    self.linger = next((float(value) for key, value in words if key == "linger"), 0.0)
    known = {"root", "both", "huge-pages", "checkpoint", "restart", "refused", "unlike-kernel", "linger", "seconds",
      "once"}
    unknown = {key for key, _ in words} - known
    assert not unknown, f"{source}: unknown runner word {unknown}"

  @property
  def program(self):
    return program(self.name, self.machine)

  @property
  def other_program(self):
    if os.uname().machine != "x86_64":
      raise Skipped("programs of one word size only run here")
    return program(self.name, None if self.machine else "i386")


def folders(machine=None):
  """Where scenarios are: those for all processors, and those for this one."""
  machine = machine or os.uname().machine
  return SOURCES, TOP / "arch" / FOLDERS.get(machine, machine) / "scenarios"


def sources(machine=None):
  """Every scenario's source by its name."""
  return {path.stem: path for folder in folders(machine) for path in sorted(folder.glob("*.c"))}


def program(name, machine=None):
  """The built program of a scenario; compiled now when the build has left it out."""
  source = sources(machine)[name]
  built = BUILD / ("scenarios." + machine if machine else "scenarios") / name
  newest = max(source.stat().st_mtime, (SOURCES / "scenario.h").stat().st_mtime)
  if not built.exists() or built.stat().st_mtime < newest:
    built.parent.mkdir(parents=True, exist_ok=True)
    aside = tempfile.mktemp(dir=built.parent, prefix=f".{name}.")
    subprocess.run(
      [*COMPILERS[machine], "-O1", "-g", "-Wall", "-Wextra", "-pthread",
       *(f"-I{folder}" for folder in folders(machine)), "-o", aside,
       str(source)], check=True)
    os.rename(aside, built)
  return str(built)


def all_scenarios(machine=None):
  return [Scenario(source, machine) for source in sources(machine).values()]


class Failed(AssertionError):
  pass


class Skipped(Exception):
  pass


class Run:
  """One scenario on its way; `directory` is its own and empty."""

  # The option that names the context, of cr_checkpoint and of cr_restart.
  place = "-f"

  def __init__(self, scenario, directory):
    self.scenario = scenario
    self.directory = Path(directory)
    self.generation = 0
    self.contexts = 0
    self.log = []
    # Further options of both tools.
    self.options = {"checkpoint": [], "restart": []}

  # -- what the scenario says

  def path(self, name):
    return self.directory / name

  def output(self):
    path = self.path("output")
    return path.read_text(errors="replace") if path.exists() else ""

  def story(self):
    lines = "\n".join(self.log)
    extra = "".join(
      f"\n--- {path.name}\n{path.read_text(errors='replace')[-3000:]}"
      for path in sorted(self.directory.glob("restart.*.err")) if path.stat().st_size)
    return f"{lines}\n--- output of the scenario\n{self.output()[-3000:]}{extra}"

  def fail(self, what):
    raise Failed(f"{what}\n{self.story()}")

  # -- the steps

  def start(self, **settings):
    environment = {"PATH": os.environ["PATH"], "SCENARIO_DIR": str(self.directory)}
    if self.scenario.needs_both:
      environment["SCENARIO_OTHER"] = self.scenario.other_program
    with open(self.path("output"), "ab") as output:
      self.judge = subprocess.Popen([self.scenario.program], **{
        "cwd": self.directory, "start_new_session": True, "stdin": subprocess.DEVNULL,
        "stdout": output, "stderr": output,
        "env": environment, **settings})
    self.root = self.judge.pid

  def next_stop(self):
    """Waits for the next ready.N or blocked.N, or the end; returns its kind or None."""
    def seen():
      for kind in ("ready", "blocked"):
        if self.path(f"{kind}.{self.generation}").exists():
          return kind
      return "ended" if self.judge.poll() is not None else None

    kind = wait_until(seen, f"generation {self.generation} or the end", self.scenario.seconds)
    if kind == "blocked":
      self.await_blocked()
    return None if kind == "ended" else kind

  def await_blocked(self):
    task, number = self.path(f"blocked.{self.generation}").read_text().split()

    def blocked():
      with open(f"/proc/{task}/syscall") as file:
        return file.read().split()[0] == number
    wait_until(blocked, f"thread {task} blocked in system call {number}", self.scenario.seconds)

  def go(self):
    self.path(f"go.{self.generation}").touch()
    self.generation += 1

  def command(self, *words):
    self.log.append("$ " + shlex.join(map(str, words)))
    return [str(word) for word in words]

  def checkpoint(self):
    context = self.path(f"context.{self.contexts}")
    result = subprocess.run(
      self.command(tool("cr_checkpoint"), *engine("checkpoint"), *self.scenario.options["checkpoint"],
                   *self.options["checkpoint"], self.place, context, self.root),
      capture_output=True, text=True, timeout=(self.scenario.seconds + 20) * PATIENCE)
    self.log.append(result.stderr.rstrip() or "(no message)")
    if self.scenario.refused:
      self.check_refusal(result, context)
      return None
    if result.returncode != 0:
      self.fail(f"cr_checkpoint ended with {result.returncode}")
    self.contexts += 1
    return context

  def check_refusal(self, result, context):
    if result.returncode == 0:
      self.fail("cr_checkpoint ought to have refused this")
    if not re.search(self.scenario.refused, result.stderr):
      self.fail(f"the refusal does not say {self.scenario.refused!r}")
    if list(self.directory.glob(f"*{context.name}*")):
      self.fail("a refused checkpoint left a file")

  def kill(self):
    processes.kill_all()
    self.judge.poll()

  def restart(self, context):
    self.path("restarted").touch()
    name = f"restart.{context.name.partition('.')[2]}"
    with open(self.path(name + ".out"), "wb") as output, \
        open(self.path(name + ".err"), "wb") as errors:
      self.judge = subprocess.Popen(
        self.command(tool("cr_restart"), *engine("restart"), *self.scenario.options["restart"],
                     *self.options["restart"], self.place, context),
        cwd=self.directory, start_new_session=True,
        stdin=subprocess.DEVNULL, stdout=output, stderr=errors)

  def await_running_again(self):
    """Whoever waits for go removes ping: proof that restarted code runs."""
    ping = self.path("ping")
    ping.touch()

    def answered():
      if self.judge.poll() is not None:
        self.fail(f"cr_restart ended with {self.judge.returncode} before the scenario ran")
      return not ping.exists()
    wait_until(answered, "the restarted scenario runs", self.scenario.seconds)
    self.await_untouched()

  def await_untouched(self):
    below = lambda: [self.root] + processes.descendants(self.root)
    wait_until(lambda: all(processes.is_untouched(pid) or not processes.is_alive(pid)
                           for pid in below()), "restarted processes are let go")

  def kill_and_restart(self):
    context = self.checkpoint()
    if context:
      time.sleep(self.scenario.linger)
      self.kill()
      self.restart(context)

  def disturb(self, way, kind):
    if way == "continue":
      self.checkpoint()
    elif way == "restart" and self.generation == 0:
      self.kill_and_restart()
    elif way in ("again", LAZY):
      self.kill_and_restart()
      # A system call that was interrupted may have returned: only a waiting scenario stands still.
      if kind == "ready" and not self.scenario.refused:
        self.await_running_again()
        self.kill_and_restart()

  def judge_end(self):
    try:
      status = self.judge.wait(self.scenario.seconds * PATIENCE)
    except subprocess.TimeoutExpired:
      self.fail(f"no end within {self.scenario.seconds:g} s")
    if status == SKIPPED:
      raise Skipped(re.search("SKIP: (.*)|$", self.output())[1])
    if status != 0 or not re.search("^PASS$", self.output(), re.M):
      self.fail(f"the scenario ended with {status}")

  def go_through(self, way):
    if way == LAZY:
      self.options = {"checkpoint": ["--time=60"], "restart": ["--lazy"]}
    with contextlib.ExitStack() as surroundings:
      if self.scenario.needs_huge_pages:
        try:
          surroundings.enter_context(huge_pages.allowed())
          surroundings.enter_context(huge_pages.mounted(self.path("huge")))
        except huge_pages.Unavailable as reason:
          raise Skipped(str(reason)) from None
        surroundings.callback(processes.kill_all)
      self.go_all_the_way(way)

  def go_all_the_way(self, way):
    try:
      self.start()
      while kind := self.next_stop():
        self.disturb(way, kind)
        self.go()
      self.judge_end()
    except (processes.Timeout, subprocess.TimeoutExpired) as problem:
      self.fail(f"{problem}\n{process_table()}")
    if way != "undisturbed" and self.generation == 0:
      self.fail("the scenario never called checkpoint_here()")


def process_table():
  rows = []
  for pid in processes.descendants(os.getpid()):
    try:
      with open(f"/proc/{pid}/syscall") as file:
        call = file.read().strip()
    except OSError as problem:
      call = problem.strerror
    rows.append(f"{pid}: {processes.status(pid, 'Name')} {processes.status(pid, 'State')} "
                f"tracer {processes.status(pid, 'TracerPid')} call {call}")
  return "\n".join(rows)
