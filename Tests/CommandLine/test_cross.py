# SPDX-License-Identifier: Apache-2.0
"""./configure --host for another processor: what it builds, and what it says when something lacks."""

import os
import pathlib
import re
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]


def configure(folder, *arguments, path=None):
  folder.mkdir(exist_ok=True)
  return subprocess.run([ROOT / "configure", *arguments], cwd=folder, capture_output=True, text=True,
                        timeout=120, env={**os.environ, "PATH": path or os.environ["PATH"]})


def test_an_unknown_processor_is_refused_with_those_that_are_known(directory):
  done = configure(directory / "mips", "--host=mips-linux-gnu")
  assert done.returncode == 1
  assert "no backend for --host=mips-linux-gnu" in done.stderr
  for name in ("aarch64", "arm", "i386", "powerpc64le", "powerpc64", "powerpc", "x86_64"):
    assert name in done.stderr.split()


def test_a_missing_compiler_is_named_as_a_package(directory):
  """Everything that the machine has is there, but for one compiler."""
  programs = directory / "programs"
  programs.mkdir()
  for folder in os.environ["PATH"].split(":"):
    for program in pathlib.Path(folder).glob("*"):
      if not program.name.startswith("aarch64-linux-gnu") and not (programs / program.name).is_symlink():
        (programs / program.name).symlink_to(program)
  done = configure(directory / "aarch64", "--host=aarch64-linux-gnu", path=str(programs))
  assert done.returncode == 1
  assert "apt-get install gcc-aarch64-linux-gnu libc6-dev-arm64-cross\n" in done.stderr


@pytest.mark.parametrize("host, kind", {
  "powerpc-linux-gnu": "ELF 32-bit MSB shared object, PowerPC",
  "powerpc64-linux-gnu": "ELF 64-bit MSB shared object, 64-bit PowerPC"}.items())
def test_where_swift_has_no_backend_the_libraries_are_built_and_that_is_said(host, kind, directory):
  folder = directory / host
  done = configure(folder, f"--host={host}", "--prefix=/usr")
  assert done.returncode == 0, done.stderr
  assert re.search(r"builds +the C libraries only: the Swift compiler knows no powerpc", done.stdout)
  subprocess.run(["make", "install", f"DESTDIR={folder}/installed"], cwd=folder, check=True,
                 capture_output=True, timeout=120)
  for name in ("libcr", "libcr_run", "libcr_omit"):
    library = next((folder / "installed/usr").glob(f"lib*/**/{name}.so.0.*"))
    assert subprocess.check_output(["file", "-b", library], text=True).startswith(kind)
  assert not (folder / "installed/usr/bin").exists()
