# SPDX-License-Identifier: Apache-2.0
"""What loading one of the libraries does to a program: three or four system calls about one signal."""

import re
import shutil
import subprocess

import pytest

from libcr_programs import LIBRARIES, compile_test

ANCHORS = {"libcr": "cr_link_me", "libcr_run": "cr_run_link_me", "libcr_omit": "cr_omit_link_me"}


@pytest.mark.parametrize("library", ANCHORS)
def test_a_constructor_makes_no_memory_thread_descriptor_or_output(library, directory):
  assert shutil.which("strace"), "strace is not installed (tools/install-dependencies)"
  program = compile_test("starts", directory, "-static", "-u", ANCHORS[library],
                         str(LIBRARIES / f"{library}.a"))
  result = subprocess.run(["strace", "-f", "-o", directory / "calls", program],
                          stdin=subprocess.DEVNULL, capture_output=True, timeout=60)
  assert (result.returncode, result.stdout, result.stderr) == (0, b"", b"")
  calls = [line.split(maxsplit=1)[1] for line in (directory / "calls").read_text().splitlines()]
  marks = [place for place, call in enumerate(calls) if call.startswith("getpriority(0x4d")]
  assert len(marks) == 2, calls
  between = calls[marks[0] + 1:marks[1]]
  # Looking at the signal, taking it, and reading back how the kernel has it.
  assert 1 <= len(between) <= 4 and all(
    re.match(r"rt_sigaction\(SIGRT_32, ", call) for call in between), between
