# SPDX-License-Identifier: Apache-2.0
"""Contexts that go through pipes and sockets, to programs that know nothing of us."""

import os
import shlex
import socket
import subprocess

import pytest

import processes
import runner
from targets import check_failure, check_success, run

COMPRESSORS = {"zstd": ("zstd -q", "zstd -dcq"), "gzip": ("gzip", "gzip -dc"),
               "two pipes": ("cat | cat", "cat")}


def save_through(command, target, file):
  """`cr_checkpoint -F 1 PID | command > file`; the statuses of both sides."""
  tool = shlex.quote(str(runner.tool("cr_checkpoint")))
  return subprocess.run(
    ["/bin/bash", "-c", f"{tool} -F 1 {target.pid} | {command} > {shlex.quote(str(file))}; "
     "echo ${PIPESTATUS[*]}"], capture_output=True, text=True, timeout=60)


def come_back_through(command, target):
  """`command | cr_restart -F 0`."""
  tool = shlex.quote(str(runner.tool("cr_restart")))
  target.path("restarted").touch()
  target.judge = subprocess.Popen(
    ["/bin/bash", "-c", f"{command} | {tool} -F 0"], start_new_session=True,
    cwd=target.directory, stdin=subprocess.DEVNULL, stderr=open(target.path("restart.err"), "ab"))
  target.await_answer()


@pytest.mark.parametrize("name", COMPRESSORS)
def test_through_a_compressor_and_back(name, target, directory):
  pack, unpack = COMPRESSORS[name]
  result = save_through(pack, target, directory / "packed")
  assert set(result.stdout.split()) == {"0"}, result.stderr
  target.check_runs()
  target.forget()
  come_back_through(f"{unpack} {directory}/packed", target)
  target.check_answer()


def test_a_tree_through_a_compressor_and_back(start, directory):
  target = start("pipe_between_processes")
  save_through("zstd -q", target, directory / "packed")
  target.forget()
  come_back_through(f"zstd -dcq {directory}/packed", target)
  target.check_answer()


def test_what_came_through_a_pipe_is_the_file_itself(target, directory):
  save_through("cat", target, directory / "a")
  assert "checksums are right" in check_success(run("cr_info", "--check", directory / "a")).stdout


def test_cr_info_reads_from_a_pipe(context):
  with open(context, "rb") as file:
    result = subprocess.run([runner.tool("cr_info"), "--check", "-F", "0"], input=file.read(),
                            capture_output=True, timeout=60)
  assert result.returncode == 0
  assert b"checksums are right" in result.stdout


def test_a_restart_from_a_socket(target, directory):
  check_success(run("cr_checkpoint", "-f", directory / "a", target.pid))
  target.forget()
  ours, theirs = socket.socketpair()
  sender = subprocess.Popen(["cat", str(directory / "a")], stdout=ours)
  ours.close()
  target.path("restarted").touch()
  target.judge = subprocess.Popen(
    [runner.tool("cr_restart"), "-F", str(theirs.fileno())], pass_fds=[theirs.fileno()],
    start_new_session=True, stdin=subprocess.DEVNULL,
    stderr=open(target.path("restart.err"), "ab"))
  theirs.close()
  target.await_answer()
  sender.wait(10)
  target.check_answer()


def test_the_restarted_program_does_not_have_the_descriptor(target, directory):
  check_success(run("cr_checkpoint", "-f", directory / "a", target.pid))
  before = {number for number in os.listdir(f"/proc/{target.pid}/fd")}
  target.forget()
  with open(directory / "a", "rb") as file:
    target.path("restarted").touch()
    target.judge = subprocess.Popen(
      [runner.tool("cr_restart"), "-F", str(file.fileno())], pass_fds=[file.fileno()],
      start_new_session=True, stdin=subprocess.DEVNULL,
      stderr=open(target.path("restart.err"), "ab"))
    target.await_answer()
  assert {number for number in os.listdir(f"/proc/{target.pid}/fd")} == before
  target.check_answer()


def test_half_a_stream_is_refused(context):
  half = context.read_bytes()[:10000]
  result = subprocess.run([runner.tool("cr_restart"), "-F", "0"], input=half,
                          capture_output=True, timeout=60)
  assert result.returncode not in (0, 255)
  assert result.stderr.startswith(b"cr_restart: descriptor 0")
  assert processes.descendants(os.getpid()) == []


def test_an_empty_stream_is_refused():
  result = run("cr_restart", "-F", "0")
  check_failure(result, "descriptor 0")


def test_messages_do_not_mix_with_a_stream_on_stdout(target, directory):
  """-v goes to stderr: the file is whole."""
  with open(directory / "a", "wb") as file:
    result = run("cr_checkpoint", "-v", "-F", "1", target.pid, capture_output=False, stdout=file,
                 stderr=subprocess.PIPE)
  assert "writing memory" in check_success(result).stderr
  check_success(run("cr_info", "--check", directory / "a"))
