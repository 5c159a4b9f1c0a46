# SPDX-License-Identifier: Apache-2.0
"""Manual pages and completion: clean, and of the options that the tools have."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

import runner
from targets import run
from test_terminal import Terminal

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted((ROOT / "Docs" / "man").iterdir())
TOOLS = ("cr_checkpoint", "cr_restart", "cr_info", "cr_run")

page = pytest.mark.parametrize("page", PAGES, ids=lambda path: path.name)


def test_there_is_a_page_for_everything():
  assert {path.name for path in PAGES} >= {
    "cr_run.1", "cr_checkpoint.1", "cr_restart.1", "cr_info.1", "libcr.3", "blcr-context.5",
    "blcr.7"}


@page
def test_mandoc_has_nothing_to_say(page):
  result = subprocess.run(["mandoc", "-T", "lint", page], capture_output=True, text=True,
                          timeout=20)
  # Which other pages are installed is this machine's business.
  elsewhere = re.compile("referenced manual not found|outdated mandoc.db")
  assert [line for line in result.stdout.splitlines() + result.stderr.splitlines()
          if not elsewhere.search(line)] == []


@page
def test_man_has_nothing_to_say(page):
  result = subprocess.run(
    ["man", "--warnings", "-E", "UTF-8", "-l", "-Tutf8", "-Z", page], stdout=subprocess.DEVNULL,
    stderr=subprocess.PIPE, text=True, timeout=20, env={**os.environ, "MANROFFSEQ": ""})
  assert result.returncode == 0 and result.stderr == ""


@page
def test_pages_of_ours_that_it_refers_to_exist(page):
  ours = {path.name for path in PAGES}
  for name, section in re.findall(r"^\.Xr (\S+) (\d)", page.read_text(), re.M):
    if name.startswith(("cr_", "blcr", "libcr")):
      assert f"{name}.{section}" in ours


def long_options(text):
  return set(re.findall(r"--([a-z][a-z-]*)", text))


@pytest.mark.parametrize("tool", TOOLS)
def test_the_page_has_the_options_of_the_help(tool):
  text = (ROOT / "Docs" / "man" / f"{tool}.1").read_text()
  # `.It Fl f , -file Ns = …`, `.It Fl -stop , -term`, `.Op Fl -run | -omit`.
  told = set()
  for line in re.findall(r"^\.(?:It|Op) .*$", text, re.M):
    told |= set(re.findall(r"(?<=\s)-([a-z][a-z-]*)", line))
  # Second names, which the help has no room for.
  others = {"process", "group", "session"} if tool == "cr_checkpoint" else set()
  assert told - others == long_options(run(tool, "--help").stdout)


# Completion

@pytest.fixture
def path(directory):
  """A directory with the tools by their names."""
  (directory / "bin").mkdir()
  for tool in TOOLS:
    (directory / "bin" / tool).symlink_to(runner.tool(tool))
  return directory / "bin"


def shell(directory, *command):
  terminal = Terminal("/usr/bin/env", f"PATH={directory}/bin:/usr/bin:/bin", "TERM=dumb",
                      *command, directory=directory)
  return terminal


LINES = {
  "an option of cr_checkpoint": ("cr_checkpoint --noclo", "cr_checkpoint --noclobber"),
  "an option of cr_restart": ("cr_restart --omit-alw", "cr_restart --omit-always"),
  "an option of cr_info": ("cr_info --thr", "cr_info --threads"),
  "an option of cr_run": ("cr_run --om", "cr_run --omit"),
  "an option's word": ("cr_checkpoint --progress=alw", "cr_checkpoint --progress=always"),
  "a context file": ("cr_restart conte", "cr_restart context.4711"),
  "a way to compress": ("cr_checkpoint --compress=no", "cr_checkpoint --compress=none"),
  "a file of an option": ("cr_info --file=conte", "cr_info --file=context.4711"),
  "a directory of an option": ("cr_restart --dir=sav", "cr_restart --dir=saved/"),
  "a command": ("cr_run sha256s", "cr_run sha256sum"),
}

SHELLS = {
  "bash": ("bash", "--norc", "--noprofile", "-i"),
  "zsh": ("zsh", "-f", "-i"),
}

SETUP = {
  "bash": "PS1='> '; source /usr/share/bash-completion/bash_completion; "
          f"source {ROOT}/contrib/blcr.bash-completion; bind 'set bell-style none'; echo r''eady",
  "zsh": "PS1='> '; unsetopt beep; fpath=(functions $fpath); autoload -Uz compinit; "
         "compinit -u -d dump; echo r''eady",
}


@pytest.mark.parametrize("line", LINES)
@pytest.mark.parametrize("name", SHELLS)
def test_completion(name, line, path, directory):
  (directory / "context.4711").touch()
  (directory / "functions").mkdir()
  (directory / "saved").mkdir()
  shutil.copy(ROOT / "contrib" / "blcr.zsh-completion", directory / "functions" / "_blcr")
  terminal = shell(directory, *SHELLS[name])
  terminal.send(SETUP[name] + "\n")
  terminal.expect("ready\r\n")
  typed, wanted = LINES[line]
  terminal.send(typed + "\t")
  terminal.expect(wanted[len(typed):])
  terminal.send("\x15exit\n")
  terminal.end()
  terminal.close()
