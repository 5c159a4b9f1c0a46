# SPDX-License-Identifier: Apache-2.0
"""Context files that real kernels of other processors made, read on this one. They are never made anew
(Tests/ContextFiles/guests/README.md says how each was made)."""

import hashlib
import json
import os
import re
import subprocess
from pathlib import Path

import pytest

from targets import check_success, run

GUESTS = Path(__file__).resolve().parents[1] / "ContextFiles" / "guests"
# What readelf calls the machine, and notes that the core file of one process must have.
MACHINES = {
  "aarch64": ("AArch64", {"NT_PRSTATUS", "NT_FPREGSET", "NT_ARM_TLS", "NT_ARM_SVE", "NT_ARM_PACA_KEYS", "NT_AUXV", "NT_FILE"}),
  "arm": ("ARM", {"NT_PRSTATUS", "NT_ARM_VFP", "NT_ARM_TLS", "NT_AUXV", "NT_FILE"}),
  "powerpc64le": ("PowerPC64", {"NT_PRSTATUS", "NT_FPREGSET", "NT_PPC_VMX", "NT_PPC_VSX", "NT_PPC_TAR", "NT_PPC_DSCR",
                                "NT_AUXV", "NT_FILE"}),
}
FILES = sorted(GUESTS.glob("*.context"))


def machine(path):
  return path.stem.partition("-")[0]


def test_they_are_as_they_were_made():
  lines = (GUESTS / "SHA256SUMS").read_text().splitlines()
  wanted = {name: digest for digest, name in (line.split() for line in lines)}
  assert wanted == {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in FILES}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_cr_info_reads_all_of_it(path):
  text = check_success(run("cr_info", "--check", "--maps", "--fds", "--threads", path)).stdout
  assert "all checksums are right" in text
  report = json.loads(check_success(run("cr_info", "--json", path)).stdout)
  process = report["processes"][0]
  assert process["architecture"] == machine(path)
  threads = {"aarch64": 1, "arm": 2, "powerpc64le": 1}
  assert len(process["threads"]) == threads[machine(path)]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_one_process_of_it_is_a_core_file(path, directory):
  name, notes = MACHINES[machine(path)]
  check_success(run("cr_info", "--core", json.loads(check_success(
    run("cr_info", "--json", path)).stdout)["processes"][0]["pid"], "-o", directory / "core", path))
  text = subprocess.run(["readelf", "-W", "-h", "-n", directory / "core"], timeout=20, capture_output=True,
                        text=True, check=True).stdout
  assert re.search(rf"Machine: +{name}$", text, re.M)
  for note in notes:
    assert note in text, note


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_it_is_refused_here_with_both_processors_named(path):
  result = run("cr_restart", "--check", path)
  assert result.returncode != 0
  assert re.search(
    rf"program for another processor \({machine(path)}\).*this one is {os.uname().machine}", result.stderr)
