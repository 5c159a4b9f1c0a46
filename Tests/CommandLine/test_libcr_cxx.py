# SPDX-License-Identifier: Apache-2.0
"""libcr in programs written in C++."""

import subprocess

import pytest

from libcr_programs import LIBRARIES, LIBRARY, SOURCES, Program


@pytest.mark.parametrize("kind", ["shared", "static"])
def test_a_cancelled_thread_destroys_its_objects(directory, kind):
  libraries = (["-static", LIBRARIES / "libcr.a"] if kind == "static"
               else ["-L", LIBRARIES, "-lcr", f"-Wl,-rpath,{LIBRARIES}"])
  subprocess.run(
    ["c++", "-std=gnu++11", "-Wall", "-Wextra", "-Werror", "-I", LIBRARY / "include", "-o",
     directory / "cancelled_in_cxx", SOURCES / "cancelled_in_cxx.cc", *libraries, "-pthread"], check=True)
  program = Program("cancelled_in_cxx", directory)
  program.save()
  program.await_line("destroyed 5")
  program.save()
  program.end()
