# SPDX-License-Identifier: Apache-2.0
"""Compressed context files: zstd(1) and lz4(1) can read them, and they come back like plain ones."""

import json
import os
import random
import shlex
import subprocess

import pytest

import processes
import runner
from targets import check_failure, check_success, run

SKIPPABLE_TABLE = bytes.fromhex("5e2a4d18")


@pytest.fixture(params=("zstd", "lz4"))
def codec(request):
  """A way to compress, and the program that does it."""
  return request.param


@pytest.fixture
def packed(target, directory, codec):
  """A compressed context of a target that is gone."""
  path = directory / "packed"
  check_success(run("cr_checkpoint", f"--compress={codec}", "-f", path, target.pid))
  target.check_runs()
  target.forget()
  return path


def altered(directory, contents):
  path = directory / "altered"
  path.unlink(missing_ok=True)
  path.write_bytes(contents)
  return path


def refuse(path, pattern):
  check_failure(run("cr_restart", "-f", path, timeout=30), pattern)
  assert not processes.descendants(os.getpid()), "nothing was started"


@pytest.mark.parametrize("how", (
  ("--compress",), ("--compress=zstd",), ("--compress=zstd:1", "--jobs=1"),
  ("--compress=zstd:19", "--jobs", "3"), ("--compress=lz4",), ("--compress=lz4", "--jobs=1"), ("--compress=zstd:3", "--clobber", "--nosync")))
def test_a_compressed_file_is_smaller_and_comes_back(how, target, directory):
  check_success(run("cr_checkpoint", "-f", directory / "plain", target.pid))
  old = directory / "a"
  old.write_bytes(b"x" * (4 << 20))  # longer than what replaces it
  told = check_success(run("cr_checkpoint", "--json", *how, "-f", old, target.pid))
  assert json.loads(told.stdout)["bytes"] == old.stat().st_size
  assert old.stat().st_size < (directory / "plain").stat().st_size // 2
  assert old.stat().st_mode & 0o777 == 0o400
  target.check_runs()
  target.forget()
  target.come_back(old)
  target.check_answer()


def test_with_none_it_is_as_without(target, directory):
  check_success(run("cr_checkpoint", "--compress", "--compress=none", "-f", directory / "a", target.pid))
  assert (directory / "a").read_bytes()[:4] == b"\x7fELF"


def decompress(codec, packed, plain):
  with open(plain, "wb") as out:
    subprocess.run([codec, "-dcq", packed], stdout=out, check=True)


def test_its_program_makes_the_plain_file_of_it(target, packed, codec, directory):
  decompress(codec, packed, directory / "plain")
  plain = (directory / "plain").read_bytes()
  assert plain[:4] == b"\x7fELF"
  check_success(run("cr_info", "--check", directory / "plain"))
  target.come_back(directory / "plain")
  target.check_answer()


@pytest.mark.parametrize("program", (
  ("zstd",), ("lz4",), ("lz4", "-9", "-BD", "--no-frame-crc"), ("zstd", "--no-check", "--ultra", "-22")), ids=" ".join)
def test_what_its_program_compressed_comes_back(program, target, context, directory):
  with open(directory / "packed", "wb") as out:
    subprocess.run([*program, "-qc", context], stdout=out, check=True)
  assert "checksums are right" in check_success(
    run("cr_info", "--check", directory / "packed")).stdout
  target.come_back(directory / "packed")
  target.check_answer()


def test_cr_info_tells_the_same_of_it(target, packed, codec, directory):
  decompress(codec, packed, directory / "plain")
  one, other = (json.loads(check_success(run("cr_info", "--json", file)).stdout)
                for file in (packed, directory / "plain"))
  assert one["processes"] == other["processes"]


@pytest.mark.parametrize("name", ("many_mappings", "private_anonymous_memory"))
def test_more_than_one_frame_by_several_threads(name, codec, start, directory):
  """With --save-all there are libraries of more than a frame's 4 MiB."""
  target = start(name)
  check_success(run("cr_checkpoint", f"--compress={codec}", "--jobs=4", "--save-all",
                    "-f", directory / "a", target.pid))
  table = (directory / "a").read_bytes()
  assert int.from_bytes(table[-9:-5], "little") > 1 and table[-4:] == bytes.fromhex("b1ea928f")
  target.forget()
  target.come_back(directory / "a")
  target.check_answer()


def test_through_a_pipe_and_from_a_pipe(target, codec, directory):
  tool = shlex.quote(str(runner.tool("cr_checkpoint")))
  packed = shlex.quote(str(directory / "a"))
  result = subprocess.run(
    ["/bin/bash", "-c", f"set -o pipefail; {tool} --compress={codec} -F 1 {target.pid} | cat > {packed}"],
    capture_output=True, text=True, timeout=60)
  assert result.returncode == 0, result.stderr
  target.check_runs()
  target.forget()
  target.path("restarted").touch()
  restart = shlex.quote(str(runner.tool("cr_restart")))
  target.judge = subprocess.Popen(
    ["/bin/bash", "-c", f"cat {packed} | {restart} -F 0"], start_new_session=True,
    cwd=target.directory, stdin=subprocess.DEVNULL, stderr=open(target.path("restart.err"), "ab"))
  target.await_answer()
  target.check_answer()


def test_into_an_open_file(target, directory):
  with open(directory / "a", "wb+") as file:
    file.write(b"x" * (4 << 20))
    file.seek(0)
    check_success(run("cr_checkpoint", "--compress", "-F", file.fileno(), target.pid,
                      pass_fds=[file.fileno()]))
  target.check_runs()
  target.forget()
  target.come_back(directory / "a")
  target.check_answer()


@pytest.mark.parametrize("part", (0.001, 0.1, 0.5, 0.9, 0.99))
def test_a_truncated_file_is_refused(part, packed, directory):
  contents = packed.read_bytes()
  refuse(altered(directory, contents[:int(len(contents) * part)]),
         "altered (is damaged: its compressed contents are incomplete|is not a context file)")


def test_a_changed_bit_is_found_or_changes_nothing(packed, codec, directory):
  """In the frames; the table behind them is only for speed. Few bits mean nothing to a decompressor."""
  decompress(codec, packed, directory / "plain")
  contents = packed.read_bytes()
  end = contents.rindex(SKIPPABLE_TABLE)
  choice = random.Random(5)
  without_meaning = 0
  for number in range(40):
    changed = bytearray(contents)
    changed[number if number < 8 else choice.randrange(end)] ^= 1 << choice.randrange(8)
    file = altered(directory, changed)
    result = run("cr_info", "--check", file)
    if result.returncode == 0:
      without_meaning += 1
      decompress(codec, file, directory / "other")
      assert (directory / "other").read_bytes() == (directory / "plain").read_bytes(), number
    else:
      assert result.returncode in (5, 22), (number, result)
      assert "altered" in result.stderr
  assert without_meaning < 5


def test_without_its_table_it_is_read_all_the_same(target, packed, directory):
  contents = packed.read_bytes()
  target.come_back(altered(directory, contents[:contents.rindex(SKIPPABLE_TABLE)]))
  target.check_answer()


def test_something_else_that_is_compressed_is_no_context_file(codec, directory):
  (directory / "text").write_text("hello\n" * 1000)
  with open(directory / "text.packed", "wb") as out:
    subprocess.run([codec, "-qc", directory / "text"], stdout=out, check=True)
  refuse(directory / "text.packed", "text.packed")


def test_a_full_device_leaves_the_target_running(target, codec):
  check_failure(run("cr_checkpoint", f"--compress={codec}", "-f", "/dev/full", target.pid),
                "/dev/full.*No space left", 28)
  target.check_runs()
  target.check_answer()


def test_a_failure_leaves_the_older_file(target, directory):
  (directory / "a").write_text("old")
  check_failure(run("cr_checkpoint", "--compress", "--noclobber", "-f", directory / "a", target.pid),
                "exists", 17)
  assert (directory / "a").read_text() == "old"
  assert ".a.tmp" not in os.listdir(directory)
  target.check_runs()


@pytest.mark.parametrize("option", (
  "--compress=gzip", "--compress=zstd:0", "--compress=zstd:23", "--compress=zstd:", "--compress=lz4:1", "--compress=",
  "--jobs=0", "--jobs=x", "--jobs=-1"))
def test_arguments_are_checked(option, target, directory):
  check_failure(run("cr_checkpoint", option, "-f", directory / "a", target.pid),
                option.partition("=")[0], 255)
  target.check_runs()
