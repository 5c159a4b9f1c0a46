# SPDX-License-Identifier: Apache-2.0
"""Requests of a program for itself whose handles are used in every wrong way, and by many threads."""

import os
import subprocess

import pytest

import runner
from libcr_programs import compile_test

WAYS = ["errors", "threads", "environment", "cancel", "forks"]


@pytest.mark.parametrize("way", WAYS)
def test_own_handles(directory, way):
  program = compile_test("own_handles", directory)
  result = subprocess.run(
    [program, way], cwd=directory, stdin=subprocess.DEVNULL, capture_output=True, text=True,
    timeout=120, start_new_session=True, env={**os.environ, "LIBCR_TOOLS": str(runner.BUILD / "bin")})
  assert result.returncode == 0, (result.returncode, result.stderr)
