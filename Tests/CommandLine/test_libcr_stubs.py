# SPDX-License-Identifier: Apache-2.0
"""The stub libraries in real programs: by cr_run, nested, by hand as batch systems do, with libcr besides."""

import errno
import os
import shlex
import signal
import subprocess

import pytest

import processes
import runner
from libcr_programs import LIBRARIES, Program, compile_test

CR_RUN = str(runner.tool("cr_run"))
# As an installation makes it: the loader knows the folder.
INSTALLED = {**{name: value for name, value in os.environ.items() if name != "LD_PRELOAD"},
             "LD_LIBRARY_PATH": str(LIBRARIES)}
SLEEP = ["sleep", "300"]


def started(*command, until=SLEEP, **environment):
  """A command and, below it, programs that have begun to sleep."""
  process = subprocess.Popen(
    list(command), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, start_new_session=True,
    env={**INSTALLED, **environment})
  processes.wait_until(lambda: sleepers(process.pid), "it sleeps")
  return process


def sleepers(pid):
  everybody = [pid, *processes.descendants(pid)]
  return [each for each in everybody if processes.status(each, "Name") == "sleep"
          and processes.state(each) == "S"]


def loaded(pid):
  """Base names of the libraries of ours and of a user's own."""
  with open(f"/proc/{pid}/maps") as maps:
    names = {os.path.basename(line.split()[-1]) for line in maps if "/" in line}
  return sorted({name.partition(".so")[0] for name in names if name.startswith(("libcr", "libuser"))})


def save(pid, directory, *options, scope="-T"):
  return subprocess.run(
    [runner.tool("cr_checkpoint"), scope, *options, "-f", directory / "ctx", str(pid)],
    stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60)


def check_saved_and_restarted(process, directory):
  result = save(process.pid, directory, "--require-libcr", "--kill")
  assert result.returncode == 0, result.stderr
  process.wait(30)
  processes.kill_all()
  restarted = subprocess.Popen(
    [runner.tool("cr_restart"), "-f", directory / "ctx"], stdin=subprocess.DEVNULL, start_new_session=True)
  processes.wait_until(lambda: processes.runs_again(process.pid), "let go")
  # A second generation, still with the library.
  result = save(process.pid, directory, "--require-libcr")
  assert result.returncode == 0, result.stderr
  os.kill(process.pid, signal.SIGTERM)
  assert restarted.wait(30) == -signal.SIGTERM


NESTED = {
  "once": ([CR_RUN], "libcr_run"), "twice": ([CR_RUN, CR_RUN], "libcr_run"),
  "run in omit": ([CR_RUN, "--omit", CR_RUN, "--run"], "libcr_run"),
  "omit in run": ([CR_RUN, CR_RUN, "--omit"], "libcr_omit"),
  "omit twice": ([CR_RUN, "--omit", CR_RUN, "--omit"], "libcr_omit"),
}


@pytest.mark.parametrize("how", NESTED)
def test_the_innermost_says_what_holds(directory, how):
  command, library = NESTED[how]
  process = started(*command, *SLEEP)
  assert loaded(process.pid) == [library]
  result = save(process.pid, directory, "--require-libcr")
  if library == "libcr_omit":
    assert result.returncode == errno.ESRCH and "left out" in result.stderr, result.stderr
    assert not [path for path in directory.iterdir() if "ctx" in path.name]
  else:
    assert result.returncode == 0, result.stderr


@pytest.mark.parametrize("name", ["libcr_run.so", "libcr_run.so.0", str(LIBRARIES / "libcr_run.so.0")])
def test_set_by_hand_as_batch_systems_do(directory, name):
  process = started(*SLEEP, LD_PRELOAD=name)
  assert loaded(process.pid) == ["libcr_run"]
  check_saved_and_restarted(process, directory)


def test_a_job_that_a_batch_system_has_set_it_for_uses_cr_run_itself(directory):
  process = started(CR_RUN, "--omit", *SLEEP, LD_PRELOAD="libcr_run.so")
  assert loaded(process.pid) == ["libcr_omit"]


def test_the_libraries_of_the_user_are_kept(directory):
  subprocess.run(["cc", "-shared", "-x", "c", "/dev/null", "-o", directory / "libuser.so"], check=True)
  process = started(CR_RUN, CR_RUN, *SLEEP, LD_PRELOAD=str(directory / "libuser.so"))
  assert loaded(process.pid) == ["libcr_run", "libuser"]
  check_saved_and_restarted(process, directory)


def test_descendants_inherit_it(directory):
  words = shlex.join(SLEEP)
  process = started(CR_RUN, "/bin/sh", "-c", f"(sh -c '{words}; true') & {words}; true")
  processes.wait_until(lambda: len(sleepers(process.pid)) == 2, "both sleep")
  for pid in (process.pid, *processes.descendants(process.pid)):
    assert loaded(pid) == ["libcr_run"]
  result = save(process.pid, directory, "--require-libcr")
  assert result.returncode == 0, result.stderr


def test_descendants_of_an_omitted_one_are_left_out(directory):
  words = shlex.join(SLEEP)
  omitted = f"{CR_RUN} --omit sh -c '{words}; true'"
  process = started("/bin/sh", "-c", f"{omitted} & {words}; true")
  processes.wait_until(lambda: len(sleepers(process.pid)) == 2, "both sleep")
  result = save(process.pid, directory, "--kill")
  assert result.returncode == 0, result.stderr
  process.wait(30)
  # They run on; what was not omitted is in the file.
  left = sleepers(os.getpid())
  assert len(left) == 1 and loaded(left[0]) == ["libcr_omit"]
  names = subprocess.run([runner.tool("cr_info"), directory / "ctx"], capture_output=True, text=True,
                         check=True).stdout
  assert "2 processes" in names, names


@pytest.mark.parametrize("stub", ["libcr_run", "libcr_omit"])
def test_a_program_with_libcr_under_a_stub(directory, stub):
  """Its callbacks are called under the one; the other has the last word."""
  program = Program("stays_right", directory,
                    env={"LD_PRELOAD": f"{stub}.so", "LD_LIBRARY_PATH": str(LIBRARIES)})
  if stub == "libcr_omit":
    assert program.checkpoint().returncode == errno.ESRCH
    program.end()
    return
  for _ in range(2):
    program.save_and_kill()
    program.restart()
    processes.wait_until(lambda: processes.runs_again(program.pid), "let go")
  program.save()
  program.end()
  assert program.lines()[-1].endswith("restarted 1")


def test_a_static_program_and_one_of_another_word_size_are_unharmed(directory):
  compile_test("starts", directory, "-static")
  for command in ([directory / "starts"], ["/bin/true"]):
    result = subprocess.run([CR_RUN, *command], env=INSTALLED, capture_output=True, text=True, timeout=30)
    assert (result.returncode, result.stderr) == (0, ""), result
