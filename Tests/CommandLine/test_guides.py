# SPDX-License-Identifier: Apache-2.0
"""Every command of the guides does what they say: run in order, by one shell."""

import os
import re
import shlex
import subprocess
from pathlib import Path

import pytest

import runner

ROOT = Path(__file__).resolve().parents[2]
GUIDES = ROOT / "Docs" / "guide"
TOOLS = ("cr_checkpoint", "cr_restart", "cr_info", "cr_run")

pytestmark = pytest.mark.skipif(not GUIDES.exists(), reason="not in a source tree")


def commands(guide):
  """The commands of a guide, and whether each is to succeed."""
  found = []
  for block in re.findall(r"^```console\n(.*?)^```", (GUIDES / guide).read_text(), re.M | re.S):
    for line in block.splitlines():
      if line.startswith("$ "):
        command, fails, _ = line[2:].partition("# fails")
        found.append((command.rstrip(), not fails))
  return found


@pytest.mark.skipif(os.geteuid() != 0, reason="old process ids need root")
@pytest.mark.parametrize("guide, count", (("user.md", 40), ("administrator.md", 3)))
def test_the_commands_of_a_guide(guide, count, directory):
  lines = []
  found = commands(guide)
  assert len(found) >= count
  for command, succeeds in found:
    test = "-eq" if succeeds else "-ne"
    lines += [command, f"status=$?; [ $status {test} 0 ] || "
              f"{{ echo \"status $status of: \"{shlex.quote(command)} >&2; exit 99; }}"]
  (directory / "bin").mkdir()
  for tool in TOOLS:
    (directory / "bin" / tool).symlink_to(runner.tool(tool))
  (directory / "home").mkdir()
  result = subprocess.run(
    ["/bin/bash"], input="\n".join(lines), capture_output=True, text=True, timeout=120,
    start_new_session=True, cwd=directory / "home",
    env={"HOME": str(directory / "home"), "PATH": f"{directory}/bin:/usr/bin:/bin"})
  assert result.returncode == 0, result.stderr
  if guide == "user.md":
    numbers = [int(line) for line in
               (directory / "home" / "elsewhere" / "numbers").read_text().split()]
    # Each restart went on where its context stood, and cut back what was written since.
    assert len(numbers) > 50 and numbers == list(range(1, len(numbers) + 1))


def test_the_site_is_built_without_complaint(directory):
  result = subprocess.run(
    ["mkdocs", "build", "-f", ROOT / "tools" / "mkdocs.yml", "-d", directory / "site"],
    capture_output=True, text=True, timeout=60)
  assert result.returncode == 0, result.stderr
  assert "WARNING" not in result.stderr
  assert "Save a program" in (directory / "site" / "guide" / "user.html").read_text()
