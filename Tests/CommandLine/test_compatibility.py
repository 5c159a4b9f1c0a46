# SPDX-License-Identifier: Apache-2.0
"""BLCR's features, row by row: that the page about them is true, and what no other file tests."""

import ast
import json
import os
import re
import subprocess
from pathlib import Path

import pytest

import processes
import runner
from processes import wait_until
from targets import check_success, run

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "Docs" / "compatibility.md"
# Installed tests come without the documentation.
page = pytest.mark.skipif(not PAGE.exists(), reason="not in a source tree")


def rows():
  return re.findall(r"^\| (S\d+) \| (.+?) \| (.+) \|$", PAGE.read_text(), re.M)


@page
def test_every_row_is_there_once():
  assert [name for name, _, _ in rows()] == [f"S{number}" for number in range(1, 62)]


@page
def test_every_row_has_a_test_or_a_reason():
  for name, _, words in rows():
    assert re.search(r"`\S+\.(py::test_\w+|c|swift)`|no longer applies|no test|configure|bench",
                     words), name


@page
def test_every_test_that_is_named_exists():
  text = PAGE.read_text()
  named = re.findall(r"`(test_\w+\.py)::(\w+)`", text)
  assert len(named) > 40
  known = {}
  for file, function in named:
    if file not in known:
      tree = ast.parse((ROOT / "Tests" / "CommandLine" / file).read_text())
      known[file] = {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
    assert function in known[file], f"{file}::{function}"
  for file in re.findall(r"`(\w+/\w+\.(?:c|swift))`", text):
    assert (ROOT / "Tests" / file).exists(), file


def test_quiet_leaves_the_output_of_the_program(directory):
  """Also what it writes to its own standard error, after the restart."""
  script = "echo ready >&2; while [ ! -e go ]; do sleep 0.02; done; echo out; echo error >&2"
  with open(directory / "first", "wb") as first:
    process = subprocess.Popen(["/bin/bash", "-c", script], cwd=directory, start_new_session=True,
                               stdin=subprocess.DEVNULL, stdout=first, stderr=first)
  wait_until(lambda: (directory / "first").read_text() == "ready\n", "ready")
  wait_until(lambda: processes.state(process.pid) == "S", "waits")
  check_success(run("cr_checkpoint", "--kill", "-f", directory / "a", process.pid))
  process.wait()
  processes.kill_all()
  (directory / "go").touch()
  result = check_success(run("cr_restart", "--quiet", directory / "a", cwd=directory))
  assert result.stderr == result.stdout == ""
  assert (directory / "first").read_text() == "ready\nout\nerror\n"


def test_what_cr_run_omits_is_left_out_with_what_it_started(directory):
  environment = {**os.environ, "LD_LIBRARY_PATH": str(runner.BUILD / "lib")}
  omit = f"{runner.tool('cr_run')} --omit /bin/bash -c 'sleep 300 & wait'"
  root = subprocess.Popen(["/bin/bash", "-c", f"{omit} & sleep 300 & wait"], cwd=directory,
                          env=environment, start_new_session=True, stdin=subprocess.DEVNULL)

  def family():
    below = {pid: processes.status(pid, "Name") for pid in processes.descendants(root.pid)}
    return sorted(below.values()) == ["bash", "sleep", "sleep"] and below
  below = wait_until(family, "three processes")
  kept = [pid for pid in below
          if processes._stat(pid)[1] == root.pid and below[pid] == "sleep"]
  check_success(run("cr_checkpoint", "-f", directory / "a", root.pid))
  report = json.loads(check_success(run("cr_info", "--json", directory / "a")).stdout)
  assert sorted(process["pid"] for process in report["processes"]) == sorted([root.pid, *kept])
  assert len(kept) == 1


@pytest.mark.parametrize("name", ("libcr", "libcr_run", "libcr_omit"))
def test_libraries_are_linked_with_libc(name):
  result = subprocess.run(["readelf", "-d", runner.BUILD / "lib" / f"{name}.so.0"],
                          capture_output=True, text=True, check=True)
  assert re.search(r"NEEDED.*\[libc\.so\.6\]", result.stdout)
  assert re.search(rf"SONAME.*\[{name}\.so\.0\]", result.stdout)
