# SPDX-License-Identifier: Apache-2.0
"""Every option of every tool has a test: the list of them, and tests of those that no other file has."""

import ast
import errno
import json
import os
import re
import signal
import subprocess
from pathlib import Path

import pytest

import runner
from targets import check_failure, check_success, run

HERE = Path(__file__).parent

# What tests it. An option that is new has to be added, or the first test below fails.
TESTS = {
  "cr_checkpoint": {
    "tree": "test_scope.py::test_a_tree_is_the_process_and_its_descendants",
    "pid": "test_scope.py::test_a_process_is_taken_without_its_children",
    "pgid": "test_scope.py::test_a_group_is_taken_whoever_its_parents_are",
    "sid": "test_scope.py::test_a_session_is_taken_with_all_its_groups",
    "cwd": "test_destination.py::test_the_default_is_context_dot_id_in_the_working_directory",
    "file": "test_destination.py::test_a_file_may_be_named",
    "dir": "test_directory.py::test_every_process_has_its_file",
    "fd": "test_options.py::test_long_names_of_file_and_descriptor",
    "atomic": "test_options.py::test_the_file_is_safe_before_it_has_its_name",
    "backup": "test_destination.py::test_backup_keeps_the_older_ones_by_number",
    "clobber": "test_destination.py::test_an_older_file_is_replaced",
    "noclobber": "test_destination.py::test_noclobber_leaves_an_older_file",
    "sync": "test_options.py::test_the_file_is_safe_before_it_has_its_name",
    "nosync": "test_options.py::test_nosync_waits_for_no_disk",
    "compress": "test_compress.py::test_a_compressed_file_is_smaller_and_comes_back",
    "jobs": "test_compress.py::test_more_than_one_frame_by_several_threads",
    "save-exe": "test_saved_files.py::test_save_exe_covers_the_program_alone",
    "save-private": "test_saved_files.py::test_save_private_covers_program_and_libraries",
    "save-shared": "test_saved_files.py::test_save_shared_keeps_processes_sharing",
    "save-all": "test_saved_files.py::test_with_save_all_no_file_is_needed",
    "save-none": "test_options.py::test_save_none_takes_back_what_stands_before_it",
    "run": "test_signal_after.py::test_run_sends_nothing",
    "signal": "test_signal_after.py::test_the_saved_processes_end_by_the_signal",
    "stop": "test_signal_after.py::test_stop_stops_all_until_they_are_continued",
    "term": "test_signal_after.py::test_the_saved_processes_end_by_the_signal",
    "abort": "test_signal_after.py::test_the_saved_processes_end_by_the_signal",
    "kill": "test_signal_after.py::test_the_saved_processes_end_by_the_signal",
    "cont": "test_signal_after.py::test_stop_stops_all_until_they_are_continued",
    "ptraced-error": "test_tracers.py::test_a_traced_target_is_an_error",
    "ptraced-skip": "test_tracers.py::test_a_traced_child_is_left_out_with_its_children",
    "ptraced-allow": "test_tracers.py::test_ptraced_allow_takes_the_kernel_engine",
    "ptracer-error": "test_tracers.py::test_a_tracing_target_is_an_error",
    "ptracer-skip": "test_tracers.py::test_a_tracing_target_is_left_out",
    "skip-unsupported": "test_refusals.py::test_an_unsupported_descriptor_is_left_out_when_that_is_wanted",
    "tcp-close": "test_refusals.py::test_an_unsupported_descriptor_is_left_out_when_that_is_wanted",
    "tcp-established": "test_established.py::test_a_transfer_goes_on_after_a_restart",
    "require-libcr": "test_libcr_required.py::test_a_program_linked_with_libcr",
    "check": "test_check.py::test_every_reason_is_told",
    "time": "test_time_limit.py::test_a_target_that_cannot_be_stopped_is_given_up_in_time",
    "engine": "test_options.py::test_engines",
    "progress": "test_progress.py::test_always_shows_it_at_once",
    "json": "test_json.py::test_cr_checkpoint",
    "kmsg-none": "test_options.py::test_which_warnings_are_shown",
    "kmsg-error": "test_options.py::test_which_warnings_are_shown",
    "kmsg-warning": "test_options.py::test_which_warnings_are_shown",
    "quiet": "test_usage.py::test_quiet_silences_our_messages",
    "verbose": "test_options.py::test_verbose_tells_the_steps",
    "help": "test_usage.py::test_help_goes_to_stdout",
    "version": "test_usage.py::test_version_names_the_tool",
  },
  "cr_restart": {
    "file": "test_options.py::test_long_names_of_file_and_descriptor",
    "dir": "test_directory.py::test_it_comes_back",
    "fd": "test_options.py::test_long_names_of_file_and_descriptor",
    "relocate": "test_relocate.py::test_everything_it_refers_to_is_found_in_the_new_folder",
    "rootless": "test_rootless.py::test_old_ids_without_any_capability",
    "lazy": "test_lazy.py::test_a_python_program",
    "restore-pid": "test_options.py::test_the_last_of_two_opposites_holds",
    "no-restore-pid": "test_restart.py::test_a_tree_survives_without_restore_pid",
    "restore-pgid": "test_scope.py::test_a_group_is_taken_whoever_its_parents_are",
    "no-restore-pgid": "test_options.py::test_the_last_of_two_opposites_holds",
    "restore-sid": "test_scope.py::test_a_session_is_taken_with_all_its_groups",
    "no-restore-sid": "test_options.py::test_the_last_of_two_opposites_holds",
    "restore-ipc": "test_options.py::test_the_last_of_two_opposites_holds",
    "no-restore-ipc": "test_system_v.py::test_new_ids_where_they_are_wanted",
    "restore-cgroup": "test_control_groups.py::test_a_group_of_its_own_is_entered_again",
    "no-restore-cgroup": "test_control_groups.py::test_without_it_nobody_is_moved",
    "restore-clock": "test_clock.py::test_clocks_go_on_where_they_stood",
    "run": "test_options.py::test_signals_sent_to_what_was_restarted",
    "signal": "test_options.py::test_signals_sent_to_what_was_restarted",
    "stop": "test_signal_after.py::test_what_was_stopped_after_its_checkpoint_runs_after_a_restart",
    "term": "test_signal_after.py::test_the_restarted_processes_end_by_the_signal",
    "abort": "test_options.py::test_signals_sent_to_what_was_restarted",
    "kill": "test_options.py::test_signals_sent_to_what_was_restarted",
    "cont": "test_options.py::test_signals_sent_to_what_was_restarted",
    "run-on-success": "test_hooks.py::test_success_runs_its_hook_and_goes_on",
    "run-on-fail-args": "test_hooks.py::test_a_failure_runs_its_own_hook",
    "run-on-fail-temp": "test_hooks.py::test_a_failure_runs_its_own_hook",
    "run-on-fail-env": "test_hooks.py::test_a_failure_runs_its_own_hook",
    "run-on-fail-perm": "test_hooks.py::test_a_failure_runs_its_own_hook",
    "run-on-failure": "test_hooks.py::test_run_on_failure_is_for_all_of_them",
    "check": "test_check.py::test_a_context_that_can_be_restarted",
    "detach": "test_json.py::test_cr_restart",
    "omit-maybe": "test_hooks.py::test_a_checkpoint_of_cr_restart_itself",
    "omit-always": "test_hooks.py::test_a_checkpoint_of_cr_restart_itself",
    "omit-never": "test_hooks.py::test_a_checkpoint_of_cr_restart_itself",
    "engine": "test_options.py::test_engines",
    "progress": "test_progress.py::test_a_long_restart_shows_how_far_it_is",
    "json": "test_json.py::test_cr_restart",
    "kmsg-none": "test_options.py::test_messages_of_a_restart",
    "kmsg-error": "test_options.py::test_messages_of_a_restart",
    "kmsg-warning": "test_options.py::test_messages_of_a_restart",
    "quiet": "test_compatibility.py::test_quiet_leaves_the_output_of_the_program",
    "verbose": "test_options.py::test_verbose_tells_the_steps",
    "help": "test_usage.py::test_help_goes_to_stdout",
    "version": "test_usage.py::test_version_names_the_tool",
  },
  "cr_info": {
    "maps": "test_info.py::test_it_shows_mappings",
    "fds": "test_info.py::test_it_shows_open_files",
    "threads": "test_info.py::test_it_shows_threads",
    "stack": "test_info.py::test_stack_names_the_functions_of_every_thread",
    "check": "test_info.py::test_an_intact_file_passes_the_check",
    "json": "test_json.py::test_cr_info_of_every_architecture",
    "core": "test_architectures.py::test_one_process_as_a_core_file",
    "output": "test_options.py::test_cr_info_reads_a_named_file_and_a_descriptor",
    "file": "test_options.py::test_cr_info_reads_a_named_file_and_a_descriptor",
    "dir": "test_directory.py::test_cr_info_of_a_directory",
    "fd": "test_options.py::test_cr_info_reads_a_named_file_and_a_descriptor",
    "quiet": "test_options.py::test_cr_info_is_quiet",
    "help": "test_usage.py::test_help_goes_to_stdout",
    "version": "test_usage.py::test_version_names_the_tool",
  },
  "cr_run": {
    "run": "test_run.py::test_the_stub_comes_first",
    "omit": "test_run.py::test_the_stub_comes_first",
    "help": "test_usage.py::test_help_goes_to_stdout",
    "version": "test_usage.py::test_version_names_the_tool",
  },
}


@pytest.mark.parametrize("tool", TESTS)
def test_every_option_has_a_test(tool):
  options = set(re.findall(r"(?<![\w-])--([a-z][a-z-]*)", run(tool, "--help").stdout))
  assert options == set(TESTS[tool])


@pytest.mark.parametrize("name", sorted({name for names in TESTS.values() for name in names.values()}))
def test_the_test_of_an_option_exists(name):
  file, _, test = name.partition("::")
  tree = ast.parse((HERE / file).read_text())
  assert test in {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}


# The tests that no other file has.

def traced_calls(target, directory, *options):
  """Names of the calls of cr_checkpoint that matter for a power failure, in their order."""
  log = directory / "calls"
  # The tool is a tracer itself, which does not hinder that it is traced.
  subprocess.run(
    ["strace", "-f", "-y", "-o", log, "-e", "trace=fsync,fdatasync,rename,renameat,renameat2",
     runner.tool("cr_checkpoint"), *options, "-f", directory / "a", str(target.pid)],
    check=True, timeout=60, stderr=subprocess.DEVNULL)
  return [(call, line) for line in log.read_text().splitlines()
          for call in re.findall(r"^\d+ +(fsync|fdatasync|rename)\w*\(", line)]


@pytest.mark.parametrize("options", (
  (), ("--atomic", "--sync"), ("--nosync", "--sync"), ("--backup",), ("--compress",)))
def test_the_file_is_safe_before_it_has_its_name(options, target, directory):
  """After a power failure there is the old file, or the new one whole."""
  (directory / "a").write_text("old")
  calls = traced_calls(target, directory, *options)
  names = [name for name, line in calls if "/a.~1~" not in line.split("rename")[0]]
  assert names[-3:] == ["fsync", "rename", "fsync"], calls
  data, rename, folder = (line for _, line in calls[-3:])
  assert ".a.tmp>" in data and '".a.tmp"' in rename and f"<{directory}>" in folder
  target.check_runs()


def test_nosync_waits_for_no_disk(target, directory):
  assert [name for name, _ in traced_calls(target, directory, "--nosync")] == ["rename"]


def test_long_names_of_file_and_descriptor(target, directory):
  with open(directory / "a", "wb+") as file:
    check_success(run("cr_checkpoint", "--fd", file.fileno(), target.pid, pass_fds=[file.fileno()]))
  check_success(run("cr_checkpoint", "--file", directory / "b", target.pid))
  target.forget()
  with open(directory / "a", "rb") as file:
    result = run("cr_restart", "--fd", file.fileno(), "--kill", pass_fds=[file.fileno()])
  assert result.returncode == -signal.SIGKILL, result.stderr
  assert run("cr_restart", "--kill", "--file", directory / "b").returncode == -signal.SIGKILL


def test_save_none_takes_back_what_stands_before_it(target, directory):
  for name, options in {"all": ["--save-all"], "none": ["--save-all", "--save-none"]}.items():
    check_success(run("cr_checkpoint", *options, "-f", directory / name, target.pid))
  check_success(run("cr_checkpoint", "-f", directory / "default", target.pid))
  sizes = {name: (directory / name).stat().st_size for name in ("all", "none", "default")}
  assert sizes["none"] < sizes["all"] and abs(sizes["none"] - sizes["default"]) < 100000


@pytest.mark.parametrize("tool", ("cr_checkpoint", "cr_restart"))
def test_engines(tool, target, directory):
  context = directory / "context"
  check_success(run("cr_checkpoint", "-f", context, target.pid))
  what = {"cr_checkpoint": ("-f", directory / "a", target.pid),
          "cr_restart": ("--kill", "-f", context)}[tool]
  if tool == "cr_restart":
    target.forget()
  for name in ("user", "auto"):
    result = run(tool, f"--engine={name}", *what)
    assert result.returncode == (-signal.SIGKILL if tool == "cr_restart" else 0), result.stderr
  check_failure(run(tool, "--engine=steam", *what), "none of user, kernel, auto", 255)
  if not os.path.exists("/proc/checkpoint/ctrl"):
    check_failure(run(tool, "--engine=kernel", *what), "the module blcr is not loaded", errno.ENODEV)


@pytest.mark.parametrize("option, shown", (
  ((), True), (("--kmsg-error",), True), (("--kmsg-warning",), True), (("--kmsg-none",), False)))
def test_which_warnings_are_shown(option, shown, directory):
  """A pipe to us, who are not saved."""
  with subprocess.Popen(["sleep", "100"], stdin=subprocess.PIPE) as process:
    try:
      result = check_success(run("cr_checkpoint", *option, "-f", directory / "a", process.pid))
    finally:
      process.kill()
  assert ("warning" in result.stderr and "descriptor 0" in result.stderr) == shown


@pytest.mark.parametrize("option", ("--kmsg-none", "--kmsg-error", "--kmsg-warning"))
def test_messages_of_a_restart(option, target, directory):
  """A failure is told in any case; a restart that works says nothing that is no warning."""
  context = directory / "context"
  check_success(run("cr_checkpoint", "-f", context, target.pid))
  check_failure(run("cr_restart", option, "-f", context), f"{target.pid}.*in use", 16)
  target.forget()
  result = run("cr_restart", option, "--kill", "-f", context)
  assert result.returncode == -signal.SIGKILL
  assert all("warning" in line and option != "--kmsg-none" for line in result.stderr.splitlines())


@pytest.mark.parametrize("options, number", (
  (("--abort",), signal.SIGABRT), (("--kill",), signal.SIGKILL), (("--signal", "15"), signal.SIGTERM),
  (("--kill", "--cont", "--run", "--term"), signal.SIGTERM)))
def test_signals_sent_to_what_was_restarted(options, number, target, context):
  """The last one holds, and cr_restart ends as the program does."""
  target.forget()
  assert run("cr_restart", *options, "-f", context).returncode == -number


@pytest.mark.parametrize("name", ("pid", "pgid", "sid", "ipc"))
def test_the_last_of_two_opposites_holds(name, target, context):
  target.forget()
  default, other = ("", "no-") if name in ("pid", "ipc") else ("no-", "")
  result = run("cr_restart", f"--{other}restore-{name}", f"--{default}restore-{name}", "--json",
               "--kill", "-f", context)
  assert result.returncode == -signal.SIGKILL, result.stderr
  assert json.loads(result.stdout)["processes"] == [target.pid]


@pytest.mark.parametrize("tool", ("cr_checkpoint", "cr_restart"))
def test_verbose_tells_the_steps(tool, target, directory):
  context = directory / "context"
  check_success(run("cr_checkpoint", "-f", context, target.pid))
  if tool == "cr_checkpoint":
    result = check_success(run(tool, "--verbose", "-f", directory / "a", target.pid))
    steps = ("stopping the processes", "writing memory", "committing the file")
  else:
    target.forget()
    result = run(tool, "--verbose", "--kill", "-f", context)
    steps = ("reading the context file", "verifying it")
  assert [step for step in steps if step in result.stderr] == list(steps)


def test_cr_info_reads_a_named_file_and_a_descriptor(target, context, directory):
  by_name = check_success(run("cr_info", "--file", context)).stdout
  with open(context, "rb") as file:
    by_number = check_success(run("cr_info", "--fd", file.fileno(), pass_fds=[file.fileno()])).stdout
  assert str(target.pid) in by_name and str(target.pid) in by_number
  core = directory / "its core"
  check_success(run("cr_info", "--core", target.pid, "--output", core, context))
  assert core.read_bytes()[:4] == b"\x7fELF"


def test_cr_info_is_quiet(directory):
  result = run("cr_info", "--quiet", directory / "none")
  assert result.returncode == 2 and result.stderr == ""
