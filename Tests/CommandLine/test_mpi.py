# SPDX-License-Identifier: Apache-2.0
"""A whole `mpirun` of four ranks, launcher and all: the answer is that of an undisturbed run."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

import huge_pages
import processes
import runner
from jobs import Job
from processes import wait_until

SUBJECT = runner.SOURCES.parent / "Subjects" / "mpi_ring.c"
# Enough to be in the middle of one when it is saved; four ranks that wait busily for each other on two
# processors are slow.
ROUNDS = "96"

# Which MPI, what its launcher is told, and what it finds in the environment.
OPEN_MPI = ["--oversubscribe", *(["--allow-run-as-root"] if os.geteuid() == 0 else [])]
WAYS = {
  "MPICH, shared memory only": ("mpich", [], {"UCX_TLS": "self,posix", "UCX_POSIX_USE_PROC_LINK": "n"}),
  "MPICH, System V memory only": ("mpich", [], {"UCX_TLS": "self,sysv"}),
  "MPICH, System V memory in huge pages": ("mpich", [], {"UCX_TLS": "self,sysv"}),
  "MPICH": ("mpich", [], {}),
  "Open MPI, shared memory only": (
    "openmpi", ["--mca", "btl", "self,vader", "--mca", "btl_vader_single_copy_mechanism", "none",
                "--mca", "gds", "hash"], {}),
  "Open MPI, TCP only": (
    "openmpi", ["--mca", "btl", "self,tcp", "--mca", "btl_tcp_if_include", "lo"], {}),
  "Open MPI": ("openmpi", [], {}),
}


class MPIJob(Job):
  def __init__(self, way, directory):
    kind, options, environment = WAYS[way]
    launcher, compiler = f"mpirun.{kind}", f"mpicc.{kind}"
    if not shutil.which(compiler) or not shutil.which(launcher):
      pytest.skip(f"{launcher} or {compiler} is not installed")
    program = directory / "ring"
    if not program.exists():
      subprocess.run([compiler, "-O1", "-o", program, SUBJECT], check=True, timeout=60)
    if kind == "openmpi":
      options = OPEN_MPI + options
    # With no variables in the environment no proxy or agent of another kind is asked.
    command = ["env", "-i", f"PATH={os.environ['PATH']}", f"TMPDIR={directory}", f"HOME={directory}",
               *(f"{name}={value}" for name, value in environment.items()),
               launcher, *options, "-n", "4", program, ROUNDS]
    super().__init__(command, directory)

  def answer(self):
    # The last lines come from four ranks, in any order.
    return sorted(super().answer().splitlines())

  def ranks(self):
    return [pid for pid in processes.descendants(self.judge.pid) if processes.status(pid, "Name") == "ring"]

  def open_gate(self, number):
    """Lets the ranks get on, and waits until they have."""
    known = self.output.read_text().count("round")
    (self.directory / f"gate.{number}").touch()
    wait_until(lambda: self.output.read_text().count("round") > known or self.judge.poll() is not None,
               "the ranks get on", 60)


def has_huge_pages(pid):
  return " ht " in Path(f"/proc/{pid}/smaps").read_text()


@pytest.mark.parametrize("way", WAYS)
def test_the_answer_is_that_of_an_undisturbed_run(way, directory):
  # UCX takes huge pages by itself where there are free ones: those of a test beside us go again.
  needed = "huge pages" in way
  try:
    with huge_pages.allowed() if needed else huge_pages.nobody_allows_them():
      go_through(way, directory, needed)
      processes.kill_all()
  except huge_pages.Unavailable as reason:
    pytest.skip(str(reason))


def go_through(way, directory, in_huge_pages):
  gates = [directory / f"gate.{number}" for number in range(1, 5)]
  for gate in gates:
    gate.touch()
  expected = MPIJob(way, directory).answer()
  assert sum(line.startswith("rank ") for line in expected) == 4

  for gate in gates:
    gate.unlink()
  job = MPIJob(way, directory)
  job.await_begun()
  assert len(job.ranks()) == 4
  assert all(has_huge_pages(pid) for pid in job.ranks()) or not in_huge_pages
  job.checkpoint()
  # Each generation dies right after its checkpoint, while messages are under way.
  for number in range(1, 4):
    job.checkpoint("--kill")
    job.restart()
    job.open_gate(number)
  gates[-1].touch()
  assert job.answer() == expected
