# SPDX-License-Identifier: Apache-2.0
"""What every tool promises about its command line."""

import os

import pytest

from targets import check_failure, check_success, run

TOOLS = ("cr_checkpoint", "cr_restart", "cr_run", "cr_info")


@pytest.mark.parametrize("tool", TOOLS)
def test_help_goes_to_stdout(tool):
  result = check_success(run(tool, "--help"))
  assert result.stdout.startswith(f"Usage: {tool} ")
  assert result.stderr == ""


@pytest.mark.parametrize("tool", TOOLS)
def test_short_help_is_the_same(tool):
  assert run(tool, "-?").stdout == run(tool, "--help").stdout


@pytest.mark.parametrize("tool", TOOLS)
def test_help_fits_a_terminal(tool):
  assert max(map(len, run(tool, "--help").stdout.splitlines())) <= 80


@pytest.mark.parametrize("tool", TOOLS)
def test_version_names_the_tool(tool):
  result = check_success(run(tool, "--version"))
  assert result.stdout.startswith(f"{tool} version ")


@pytest.mark.parametrize("tool", TOOLS)
def test_unknown_option_is_a_usage_error(tool):
  check_failure(run(tool, "--no-such-option"), "no-such-option.*Usage:", 255)


@pytest.mark.parametrize("tool", TOOLS)
def test_help_that_cannot_be_written_is_a_failure(tool):
  with open("/dev/full", "w") as full:
    assert run(tool, "--help", capture_output=False, stdout=full).returncode != 0


@pytest.mark.parametrize("tool", ("cr_checkpoint", "cr_restart"))
def test_missing_option_argument_is_a_usage_error(tool):
  check_failure(run(tool, "--file"), "argument", 255)


@pytest.mark.parametrize("tool", ("cr_checkpoint", "cr_run"))
def test_missing_operand_is_a_usage_error(tool):
  check_failure(run(tool), "Usage:", 255)


@pytest.mark.parametrize("tool", ("cr_checkpoint", "cr_restart"))
def test_too_many_operands_are_a_usage_error(tool):
  check_failure(run(tool, "1", "2"), "Usage:", 255)


@pytest.mark.parametrize("word", ("", "abc", "12abc", "-", "0x10", "1.5", "99999999999999999999"))
def test_an_id_must_be_a_number(word, directory):
  check_failure(run("cr_checkpoint", "--", word, cwd=directory), "ID")
  assert not os.listdir(directory)


@pytest.mark.parametrize("number", ("0", "-1", "-17"))
def test_an_id_must_be_positive(number, directory):
  check_failure(run("cr_checkpoint", "--", number, cwd=directory), "cr_checkpoint: ")
  assert not os.listdir(directory)


@pytest.mark.parametrize("pair", (
  ("-c", "-f", "x"), ("-f", "x", "-F", "1"), ("-d", "x", "-f", "y"), ("-d", "x", "-c")))
def test_more_than_one_destination_is_an_error(pair, target, directory):
  check_failure(run("cr_checkpoint", *pair, target.pid, cwd=directory), "more than one|--dir")
  target.check_runs()


@pytest.mark.parametrize("pair", (
  ("-f", "x", "-F", "0"), ("-d", "x", "-f", "y"), ("-f", "x", "y")))
def test_more_than_one_source_is_an_error(pair, directory):
  check_failure(run("cr_restart", *pair, cwd=directory), "more than one|--dir")


@pytest.mark.parametrize("option", (
  ("--signal", "nonsense"), ("--signal", "-4"), ("-S", "200"), ("--time", "soon"),
  ("--time", "-1"), ("--fd", "x"), ("--engine", "steam")))
def test_option_arguments_are_checked(option, target):
  check_failure(run("cr_checkpoint", *option, target.pid, cwd=target.directory), option[0])
  target.check_runs()


def test_long_options_may_be_abbreviated(target, directory):
  check_success(run("cr_checkpoint", "--fil", directory / "a", "--clob", "--nosy", target.pid))
  assert (directory / "a").exists()


def test_options_may_follow_the_id(target, directory):
  check_success(run("cr_checkpoint", target.pid, "-f", directory / "a"))
  assert (directory / "a").exists()


def test_quiet_silences_our_messages(directory):
  result = run("cr_checkpoint", "-q", "-f", directory / "a", 4190000)
  assert result.returncode != 0
  assert result.stdout == result.stderr == ""


def test_success_says_nothing(target, directory):
  result = check_success(run("cr_checkpoint", "-f", directory / "a", target.pid))
  assert result.stdout == result.stderr == ""


def test_verbose_tells_the_steps(target, directory):
  result = check_success(run("cr_checkpoint", "-v", "-f", directory / "a", target.pid))
  assert result.stderr.startswith("cr_checkpoint: ")


UNBUILT = {
  "cr_checkpoint": (
    "--live", "--incremental", "--compress", "--compress=zstd:3", "--engine=kernel", "--json",
    "--require-libcr", "--skip-unsupported", "--tcp-established", "--tcp-close", "--check",
    "--save-exe", "--save-private", "--save-shared", "--save-all", "--save-none", "--jobs=2",
    "--ptraced-skip", "--ptraced-allow", "--ptraced-error", "--ptracer-skip", "--ptracer-error",
    "--kmsg-none", "--kmsg-error", "--kmsg-warning", "--progress=never", "--sync", "--nosync"),
  "cr_restart": (
    "--lazy", "--rootless", "--check", "--json", "--engine=kernel", "--relocate=/old=/new",
    "--omit-maybe", "--omit-always", "--omit-never", "--run-on-success=true",
    "--run-on-fail-args=true", "--run-on-fail-temp=true", "--run-on-fail-env=true",
    "--run-on-fail-perm=true", "--run-on-failure=true", "--kmsg-none", "--kmsg-error",
    "--kmsg-warning", "--progress=never"),
}


@pytest.mark.parametrize("option", UNBUILT["cr_checkpoint"])
def test_a_checkpoint_option_works_or_is_refused_by_name(option, target, directory):
  result = run("cr_checkpoint", option, "-f", directory / "a", target.pid)
  if result.returncode != 0:
    assert option.partition("=")[0] in result.stderr
    assert result.returncode != 255, "a known option is not a usage error"
    assert not (directory / "a").exists()
  target.check_runs()
  target.check_answer()


@pytest.mark.parametrize("option", UNBUILT["cr_restart"])
def test_a_restart_option_works_or_is_refused_by_name(option, context, target):
  target.path("go.0").touch()
  result = run("cr_restart", option, "-f", context)
  if result.returncode != 0:
    assert option.partition("=")[0] in result.stderr
    assert result.returncode != 255, "a known option is not a usage error"
