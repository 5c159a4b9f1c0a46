# SPDX-License-Identifier: Apache-2.0
"""What a context file tells: to cr_info, and to tools that have never heard of us."""

import json
import os
import re
import subprocess

import pytest

import processes
from targets import check_failure, check_success, run, run_as_nobody


def output_of(*command):
  return subprocess.run([str(word) for word in command], capture_output=True, text=True,
                        timeout=60).stdout


@pytest.fixture
def saved(start, directory):
  """saved(name): (target that still waits, its context file)."""
  def make(name="pipe_with_unread_bytes"):
    target = start(name)
    context = directory / f"context.{target.pid}"
    check_success(run("cr_checkpoint", "-f", context, target.pid))
    return target, context
  return make


def test_without_a_file_it_tells_what_is_available_here():
  text = check_success(run("cr_info")).stdout
  assert os.uname().machine in text
  assert re.search("ptrace|user", text)


def test_it_names_program_pid_and_kernel(saved):
  target, context = saved()
  text = check_success(run("cr_info", context)).stdout
  assert str(target.pid) in text
  assert "pipe_with_unrea" in text
  assert os.uname().release in text
  assert os.uname().machine in text or "x86-64" in text


def test_it_shows_every_process_of_a_tree(saved):
  target, context = saved("children_and_grandchildren")
  text = check_success(run("cr_info", context)).stdout
  for pid in [target.pid] + processes.descendants(target.pid):
    assert re.search(rf"\b{pid}\b", text)


def test_it_shows_open_files(saved):
  target, context = saved("file_position_and_flags")
  text = check_success(run("cr_info", "--fds", context)).stdout
  for name in ("read", "written", "appended"):
    assert f"{target.directory}/{name}" in text


def test_it_shows_mappings(saved):
  target, context = saved("private_file_mapping")
  text = check_success(run("cr_info", "--maps", context)).stdout
  assert f"{target.directory}/data" in text
  assert "[stack]" in text


def test_it_shows_threads(saved):
  target, context = saved("mutex_waited_for_over_the_checkpoint")
  text = check_success(run("cr_info", "--threads", context)).stdout
  for task in processes.threads(target.pid):
    assert re.search(rf"\b{task}\b", text)


def test_json_is_json(saved):
  target, context = saved("children_and_grandchildren")
  report = json.loads(check_success(run("cr_info", "--json", context)).stdout)
  assert str(target.pid) in json.dumps(report)


def test_an_intact_file_passes_the_check(saved):
  _, context = saved()
  check_success(run("cr_info", "--check", context))


def test_what_is_no_context_file_is_refused():
  check_failure(run("cr_info", "/bin/true"), "/bin/true")


def test_it_runs_without_any_right_to_touch_processes(saved, directory):
  _, context = saved()
  readable = directory / "readable"
  readable.write_bytes(context.read_bytes())
  readable.chmod(0o644)
  check_success(run_as_nobody(directory, "cr_info", readable))


def test_file_sees_a_core_file(saved):
  _, context = saved()
  assert re.search("ELF 64-bit LSB core file", output_of("file", "-L", context))


def test_readelf_lists_the_notes_without_complaint(saved):
  target, context = saved("mutex_waited_for_over_the_checkpoint")
  result = subprocess.run(["readelf", "-W", "-h", "-l", "-n", str(context)], capture_output=True,
                          text=True, timeout=60)
  assert "Core file" in result.stdout
  assert result.stderr == ""
  assert result.stdout.count("NT_PRSTATUS") == len(processes.threads(target.pid))
  for note in ("NT_PRPSINFO", "NT_AUXV", "NT_FILE", "NT_FPREGSET", "NT_X86_XSTATE"):
    assert note in result.stdout


def test_segments_are_page_aligned(saved):
  _, context = saved()
  loads = re.findall(r"^\s+LOAD\s+(0x\S+) (0x\S+) (0x\S+) (0x\S+) (0x\S+)",
                     output_of("readelf", "-W", "-l", context), re.M)
  assert loads
  for offset, address, _, size, _ in loads:
    if int(size, 16):
      assert int(offset, 16) % 4096 == 0 and int(address, 16) % 4096 == 0


def gdb(target, context, *commands):
  words = [word for command in commands for word in ("-ex", command)]
  return output_of("gdb", "-q", "-nx", "-batch", *words, target.scenario.program, context)


def test_gdb_shows_the_stack_of_the_saved_program(saved):
  target, context = saved()
  text = gdb(target, context, "bt")
  assert re.search(r"#\d+ .*checkpoint_here", text)
  assert re.search(r"#\d+ .*main \(\)", text)


def test_gdb_shows_all_threads_and_variables(saved):
  target, context = saved("mutex_waited_for_over_the_checkpoint")
  text = gdb(target, context, "info threads", "thread apply all bt", "print ids", "print entered")
  assert text.count("in enter (") == 5
  assert "$2 = 0" in text
  for task in processes.threads(target.pid):
    assert f"LWP {task}" in text


def test_untouched_memory_costs_no_space(saved):
  _, context = saved("huge_reservation_barely_used")
  assert context.stat().st_size < 4 << 20


def test_shared_memory_is_saved_once(saved):
  """4 MiB seen by four processes."""
  _, context = saved("shared_memory_of_parent_and_children")
  assert context.stat().st_size < 8 << 20


def test_stack_names_the_functions_of_every_thread(saved):
  target, context = saved("mutex_waited_for_over_the_checkpoint")
  text = check_success(run("cr_info", "--stack", context)).stdout
  assert re.match(rf"process {target.pid} \(mutex_waited_fo\), /", text)
  assert len(re.findall(r"^#\d+ .* enter$", text, re.M)) == 5
  assert re.search(r"^#\d+ .* main$", text, re.M)
  for task in processes.threads(target.pid):
    assert f"TID {task}:" in text


def test_stack_shows_every_process_of_a_tree(saved):
  target, context = saved("children_and_grandchildren")
  text = check_success(run("cr_info", "--stack", context)).stdout
  for pid in [target.pid] + processes.descendants(target.pid):
    assert f"process {pid} (" in text and f"TID {pid}:" in text


def test_stack_tells_what_to_install(saved, directory):
  _, context = saved()
  result = run("cr_info", "--stack", context, env={"PATH": str(directory)})
  assert result.returncode == 2
  assert "cr_info: --stack needs eu-stack, which is not here: install elfutils" in result.stderr


@pytest.mark.parametrize("other", ("--json", "--core=1"))
def test_stack_goes_alone(saved, other):
  _, context = saved()
  result = run("cr_info", "--stack", other, context)
  assert result.returncode == 255 and "--stack goes with neither" in result.stderr
