# SPDX-License-Identifier: Apache-2.0
"""Programs of Tests/libcr under the tools: compiled, started, watched by what they write."""

import os
import re
import resource
import subprocess

import processes
import runner
from processes import wait_until

SOURCES = runner.SOURCES.parent / "libcr"
LIBRARY = SOURCES.parent.parent / "Sources" / "libcr"
LIBRARIES = runner.BUILD / "lib"


def compile_test(name, directory, *more, compiler="cc", options=()):
  """The program; `more` in place of the shared library."""
  program = directory / name
  subprocess.run(
    [compiler, "-std=gnu11", "-Wall", "-Wextra", "-Werror", "-g", *options, "-I",
     LIBRARY / "include", "-o", program, SOURCES / f"{name}.c",
     *(more or ("-L", LIBRARIES, "-lcr", f"-Wl,-rpath,{LIBRARIES}")), "-pthread"],
    check=True)
  return program


class Program:
  """A program of Tests/libcr that runs; it writes lines to the file `out`, and ends when it finds
  a file `end`."""

  def __init__(self, name, directory, *arguments, until="main waits", options=(),
               output="out", **settings):
    self.directory = directory
    self.output = directory / output
    path = directory / name
    if not path.exists():
      compile_test(name, directory, options=options)
    environment = {**os.environ, "LIBCR_TOOLS": str(runner.BUILD / "bin"),
                   **settings.pop("env", {})}
    with open(self.output, "wb") as out:
      self.process = subprocess.Popen(
        [path, *map(str, arguments)], stdin=subprocess.DEVNULL, stdout=out, stderr=out,
        start_new_session=True, env=environment, **{"cwd": directory, **settings})
    self.pid = self.process.pid
    if until is not None:
      self.await_line(until)

  def lines(self):
    return self.output.read_text(errors="replace").splitlines()

  def await_line(self, pattern, count=1, seconds=20):
    """Until `count` lines match."""
    def there():
      found = sum(1 for line in self.lines() if re.search(pattern, line))
      # Read again after its end: it may have written and ended in between.
      return found >= count or (self.process.poll() is not None and found >= count)
    try:
      wait_until(there, f"line {pattern!r} of the program", seconds)
    except processes.Timeout:
      raise AssertionError(f"no {pattern!r} in: {self.lines()} (status {self.process.poll()})")

  def file(self, name):
    (self.directory / name).touch()

  def unfile(self, name):
    (self.directory / name).unlink()

  def checkpoint(self, *options, scope="-p", **settings):
    """cr_checkpoint to its end, into `ctx`."""
    return subprocess.run(
      [runner.tool("cr_checkpoint"), scope, "-f", self.directory / "ctx", *map(str, options),
       str(self.pid)],
      **{"stdin": subprocess.DEVNULL, "capture_output": True, "text": True, "timeout": 60,
         **settings})

  def start_checkpoint(self, *options, scope="-p", context="ctx"):
    return subprocess.Popen(
      [runner.tool("cr_checkpoint"), scope, "-f", self.directory / context, *options,
       str(self.pid)], stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)

  def save(self, *options, **settings):
    result = self.checkpoint(*options, **settings)
    assert result.returncode == 0, f"{result.returncode} {result.stderr} {self.lines()}"

  def save_and_kill(self, *options, **settings):
    self.save("--kill", *options, **settings)
    self.process.wait(30)

  def restart(self, *options, context="ctx", **settings):
    """cr_restart is started, and stands in the program's place."""
    self.process = subprocess.Popen(
      [runner.tool("cr_restart"), *options, "-f", self.directory / context], cwd=self.directory,
      **{"stdin": subprocess.DEVNULL, "stderr": open(self.directory / "restart.err", "ab"),
         "start_new_session": True, **settings})

  def end(self, status=0):
    """It finds that all is well."""
    self.file("end")
    assert self.process.wait(30) == status, self.lines()


def with_small_files(size):
  """preexec_fn: no file may become larger; a write beyond says EFBIG."""
  def limit():
    import signal
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))
  return limit
