# SPDX-License-Identifier: Apache-2.0
"""A job whose files have moved to another folder comes back with --relocate."""

import os
import subprocess

import processes
import pytest
from processes import wait_until
from targets import check_failure, check_success, run

from test_saved_files import compiled, program  # noqa: F401 (fixtures)

PROGRAM = """
import os, sys, time
go = sys.argv[1]
log = open("log/steps", "a", buffering=1)
data = open("data", "rb"); data.seek(1000)
folder = os.open("listed", os.O_RDONLY | os.O_DIRECTORY)
os.mkfifo("fifo")
fifo = os.open("fifo", os.O_RDWR); os.write(fifo, b"in the fifo")
gone = open("gone", "w+"); gone.write("still here"); gone.flush(); os.unlink("gone")
log.write("begun\\n")
while not os.path.exists(go): time.sleep(0.002)
log.write("went on\\n")
gone.seek(0)
answer = [os.getcwd(), sorted(os.listdir(folder)), os.read(fifo, 100), gone.read(),
          sum(data.read()), os.readlink(f"/proc/self/fd/{data.fileno()}"),
          os.readlink("/proc/self/exe")]
open("answer", "w").write(repr(answer))
"""


class Job:
  """A Python program in `directory`/old, with its interpreter beside it."""

  def __init__(self, directory):
    self.directory = directory
    self.old, self.new = directory / "old", directory / "new=place"
    for name in ("log", "listed"):
      (self.old / name).mkdir(parents=True)
    for name in ("one", "two"):
      (self.old / "listed" / name).touch()
    (self.old / "data").write_bytes(bytes(i * i % 256 for i in range(5000)))
    python = self.old / "python"
    python.write_bytes(open("/usr/bin/python3", "rb").read())
    python.chmod(0o755)
    self.go = directory / "go"
    self.process = subprocess.Popen(
      [python, "-S", "-E", "-c", PROGRAM, self.go], cwd=self.old, stdin=subprocess.DEVNULL,
      env={"PYTHONHOME": "/usr", "PATH": os.environ["PATH"]})
    steps = self.old / "log" / "steps"
    wait_until(lambda: steps.exists() and steps.read_text(), "the program has begun")

  def move(self):
    check_success(run("cr_checkpoint", "-f", self.directory / "context", self.process.pid))
    processes.kill_all()
    self.old.rename(self.new)

  def restart(self, *relocations):
    self.go.touch()
    options = [f"--relocate={option}" for option in relocations]
    return run("cr_restart", *options, "-f", self.directory / "context")

  def expected(self):
    return [str(self.new), ["one", "two"], b"in the fifo", "still here",
            sum(i * i % 256 for i in range(1000, 5000)), str(self.new / "data"),
            str(self.new / "python")]


def test_everything_it_refers_to_is_found_in_the_new_folder(directory):
  job = Job(directory)
  job.move()
  new = str(job.new).replace("=", "\\=")
  check_success(job.restart(f"{job.old}={new}"))
  assert (job.new / "answer").read_text() == repr(job.expected())
  assert (job.new / "log" / "steps").read_text() == "begun\nwent on\n"
  assert not job.old.exists()


def test_without_it_what_is_missing_is_named(directory):
  job = Job(directory)
  job.move()
  result = check_failure(job.restart(), f"{job.old}/python.*--relocate")
  for name in ("data", "log/steps", "listed", "fifo"):
    assert f"{job.old}/{name}" in result.stderr
  assert not job.old.exists()
  assert not (job.new / "answer").exists()


def test_the_first_that_fits_wins_and_only_whole_names_do(directory):
  job = Job(directory)
  job.move()
  new = str(job.new).replace("=", "\\=")
  check_success(job.restart(
    f"{str(job.old)[:-1]}=/nowhere", f"{job.old}/listed={new}/listed", f"{job.old}/={new}/",
    f"{job.old}=/nowhere"))
  assert (job.new / "answer").read_text() == repr(job.expected())


def test_mapped_files_are_found_too(program, compiled):  # noqa: F811
  program = program()
  program.save()
  moved = program.directory / "moved"
  program.files.rename(moved)
  (program.directory / "go").touch()
  check_success(run("cr_restart", f"--relocate={program.files}={moved}", "-f", program.context))
  assert (moved / "shared.dat").read_bytes()[60000] == 200
  assert len(program.lines()) == 2


@pytest.mark.parametrize("relocation, message", [
  ("relative=/new", "begin with /"), ("/old=relative", "begin with /"), ("/old", "="), ("/a=/b=/c", "="),
  ("/a\\x=/b", r"\\")])
def test_one_that_makes_no_sense_is_refused(context, relocation, message):
  check_failure(run("cr_restart", f"--relocate={relocation}", "-f", context), message)


def test_more_than_sixteen_are_refused(context):
  many = [f"--relocate=/old{i}=/new{i}" for i in range(17)]
  check_failure(run("cr_restart", *many, "-f", context), "16")
