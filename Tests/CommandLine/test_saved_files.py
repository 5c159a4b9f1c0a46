# SPDX-License-Identifier: Apache-2.0
"""Files that a program has mapped: carried in the context file, or named when they are missing."""

import os
import shutil
import subprocess

import pytest

import processes
import runner
from processes import wait_until
from targets import NOBODY, check_failure, check_success, readable_copy, run

SUBJECTS = runner.SOURCES.parent / "Subjects"
# Where it matters who asks: root may open everything, an ordinary user what has a name.
AS_USER = [pytest.param({}, id="root"), pytest.param(NOBODY, id="user")]


@pytest.fixture(scope="session")
def compiled(tmp_path_factory):
  folder = tmp_path_factory.mktemp("mapped")
  cc = os.environ.get("CC", "cc")
  subprocess.run(
    [cc, "-O1", "-shared", "-fPIC", "-o", folder / "libmapped.so",
     SUBJECTS / "mapped_files_library.c"], check=True)
  subprocess.run(
    [cc, "-O1", "-o", folder / "mapped_files", SUBJECTS / "mapped_files.c",
     "-L", folder, "-lmapped", "-Wl,-rpath,$ORIGIN"], check=True)
  for name, seed in (("private.dat", 3), ("shared.dat", 5)):
    (folder / name).write_bytes(bytes(i * i * seed % 251 for i in range(65536)))
  return folder


class Program:
  """mapped_files, with files of its own, waiting for its "go"."""

  def __init__(self, compiled, directory, user):
    self.directory = directory
    self.user = user
    self.files = directory / "files"
    self.install(compiled)
    self.context = directory / "context"
    self.process = self.start(directory / "go", directory / "out")
    wait_until(lambda: self.lines() == ["ready"], "the program runs")

  def install(self, compiled):
    shutil.copytree(compiled, self.files)
    for path in (self.files, *self.files.iterdir()):
      path.chmod(0o777)

  def start(self, go, out):
    with open(out, "ab") as output:
      out.chmod(0o666)
      return subprocess.Popen(
        [self.files / "mapped_files", self.files, go], stdout=output, cwd="/",
        stdin=subprocess.DEVNULL, stderr=subprocess.STDOUT, **self.user)

  def lines(self):
    return (self.directory / "out").read_text().splitlines()

  def tool(self, name, *arguments, **settings):
    program = readable_copy(self.directory, name) if self.user else runner.tool(name)
    return subprocess.run([program, *map(str, arguments)], capture_output=True, text=True,
                          timeout=60, stdin=subprocess.DEVNULL, **self.user)

  def save(self, *options):
    check_success(self.tool("cr_checkpoint", *options, "-f", self.context, self.process.pid))
    os.kill(self.process.pid, 9)
    processes.kill_all()

  def restart_arguments(self):
    return ([] if os.geteuid() == 0 and not self.user else ["--no-restore-pid"])

  def come_back(self):
    """cr_restart in the background."""
    program = readable_copy(self.directory, "cr_restart") if self.user else runner.tool("cr_restart")
    self.process = subprocess.Popen(
      [program, *self.restart_arguments(), "-f", self.context], stdin=subprocess.DEVNULL,
      stderr=open(self.directory / "err", "wb"), **self.user)
    # It is the program again when it waits for its file.
    children = f"/proc/{self.process.pid}/task/{self.process.pid}/children"

    def child():
      if self.process.poll() is not None:
        raise AssertionError((self.directory / "err").read_text())
      with open(children) as file:
        names = file.read().split()
      return names and processes.runs_again(int(names[0])) and int(names[0])
    return wait_until(child, "it is restarted")

  def refuses_to_come_back(self, pattern):
    check_failure(self.tool("cr_restart", *self.restart_arguments(), "-f", self.context), pattern)

  def check_answer(self, compiled):
    (self.directory / "go").touch()
    assert self.process.wait(30) == 0, (self.directory / "err").read_text()
    out = self.directory / "undisturbed"
    shutil.rmtree(self.files, ignore_errors=True)
    self.install(compiled)
    self.start(self.directory / "go", out).wait(30)
    assert self.lines() == out.read_text().splitlines()


@pytest.fixture
def program(compiled, directory):
  return lambda user={}: Program(compiled, directory, user)


@pytest.mark.parametrize("user", AS_USER)
def test_with_save_all_no_file_is_needed(program, compiled, user):
  program = program(user)
  program.save("--save-all")
  shutil.rmtree(program.files)
  program.come_back()
  program.check_answer(compiled)


def test_what_was_restarted_without_its_files_can_be_saved_again(program, compiled):
  program = program()
  program.save("--save-all")
  shutil.rmtree(program.files)
  for _ in range(2):
    child = program.come_back()
    check_success(run("cr_checkpoint", "-f", program.context, child))
    os.kill(child, 9)
    processes.kill_all()
  program.come_back()
  program.check_answer(compiled)


def test_save_private_covers_program_and_libraries(program, compiled):
  program = program()
  program.save("--save-private")
  for name in ("mapped_files", "libmapped.so", "private.dat"):
    (program.files / name).unlink()
  program.come_back()
  # What it writes to the file that it shares still goes there.
  (program.directory / "go").touch()
  assert program.process.wait(30) == 0
  assert (program.files / "shared.dat").read_bytes()[60000] == 200


def test_save_private_does_not_cover_shared_files(program):
  program = program()
  program.save("--save-private")
  (program.files / "shared.dat").unlink()
  program.refuses_to_come_back("shared.dat.*--save-shared")


def test_save_shared_keeps_processes_sharing(program, compiled):
  program = program()
  program.save("--save-shared")
  (program.files / "shared.dat").unlink()
  program.come_back()
  program.check_answer(compiled)


def test_save_shared_leaves_the_file_alone(program, compiled):
  program = program()
  program.save("--save-shared")
  (program.files / "shared.dat").write_bytes(bytes(65536))
  program.come_back()
  (program.directory / "go").touch()
  assert program.process.wait(30) == 0
  assert (program.files / "shared.dat").read_bytes() == bytes(65536)


def test_save_exe_covers_the_program_alone(program, compiled):
  program = program()
  program.save("--save-exe")
  (program.files / "mapped_files").unlink()
  library = program.files / "libmapped.so"
  library.rename(program.files / "away")
  program.refuses_to_come_back("libmapped.so.*--save-private")
  (program.files / "away").rename(library)
  program.come_back()
  program.check_answer(compiled)


@pytest.mark.parametrize("options", [[], ["--save-all", "--save-none"]])
def test_without_it_a_missing_program_is_named(program, options):
  program = program()
  program.save(*options)
  (program.files / "mapped_files").unlink()
  program.refuses_to_come_back("mapped_files.*--save-private")


@pytest.mark.parametrize("user", AS_USER)
def test_a_program_that_was_replaced_while_it_ran_goes_on_as_the_old_one(program, compiled, user):
  program = program(user)
  for name in ("mapped_files", "libmapped.so"):
    new = program.files / "new"
    new.write_bytes(b"something else")
    new.rename(program.files / name)
  program.save()
  program.come_back()
  program.check_answer(compiled)


def test_the_context_file_is_smaller_than_the_mapped_files_need(program):
  """Of a big file only what is mapped is saved."""
  program = program()
  with open(program.files / "shared.dat", "ab") as file:
    file.write(os.urandom(8 << 20))
  program.save("--save-shared")
  assert program.context.stat().st_size < 2 << 20
