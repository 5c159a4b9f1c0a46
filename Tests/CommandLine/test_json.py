# SPDX-License-Identifier: Apache-2.0
"""What the tools write with --json is what Docs/json.schema.json says, member by member."""

import copy
import json
from pathlib import Path

import jsonschema
import pytest

from targets import check_failure, check_success, run

ROOT = Path(__file__).resolve().parents[2]
SCHEMA = json.loads((ROOT / "Docs" / "json.schema.json").read_text())
CONTEXTS = sorted((ROOT / "Tests" / "ContextFiles").glob("*.context"))


def strict(schema):
  """The same, where a member that it does not name is an error."""
  if isinstance(schema, dict):
    result = {name: strict(value) for name, value in schema.items()}
    if "properties" in result:
      result["additionalProperties"] = False
    return result
  return [strict(value) for value in schema] if isinstance(schema, list) else schema


def check(text, name):
  """`text` is one object on one line, as the schema has it under this name."""
  assert text.endswith("\n") and text.count("\n") == 1, text
  schema = strict(copy.deepcopy(SCHEMA))
  del schema["anyOf"]
  schema["$ref"] = f"#/$defs/{name}"
  value = json.loads(text)
  jsonschema.Draft202012Validator(schema).validate(value)
  jsonschema.Draft202012Validator(SCHEMA).validate(value)
  return value


def test_the_schema_is_a_schema():
  jsonschema.Draft202012Validator.check_schema(SCHEMA)


def test_the_test_sees_what_is_not_in_the_schema():
  with pytest.raises(jsonschema.ValidationError):
    check('{"error":{"errno":1,"message":"","more":1}}\n', "failure")
  with pytest.raises(jsonschema.ValidationError):
    check('{"error":{"errno":1}}\n', "failure")


@pytest.mark.parametrize("options", ((), ("--check",), ("--maps", "--fds", "--threads")))
@pytest.mark.parametrize("context", CONTEXTS, ids=lambda path: path.stem)
def test_cr_info_of_every_architecture(context, options):
  result = check_success(run("cr_info", "--json", *options, context))
  report = check(result.stdout, "cr_info_file")
  architecture = context.stem.partition("-")[0]
  root = report["processes"][0]
  assert root["architecture"] == architecture
  assert root["bits"] == (64 if "64" in architecture else 32)
  assert root["byte_order"] == ("big" if architecture in ("powerpc", "powerpc64") else "little")
  assert report["verified"] == ("--check" in options)
  assert [process["pid"] for process in report["processes"]] == [4711, 4800, 4900]
  assert [process["state"] for process in report["processes"]] == ["running", "stopped", "zombie"]


@pytest.mark.parametrize("scenario", (
  "children_and_grandchildren", "mutex_waited_for_over_the_checkpoint", "file_position_and_flags",
  "shared_memory_of_parent_and_children", "pipe_with_unread_bytes", "zombies",
  "deleted_file_still_open"))
def test_cr_info_of_what_was_saved_here(scenario, start, directory):
  target = start(scenario)
  check_success(run("cr_checkpoint", "-f", directory / "a", target.pid))
  check(check_success(run("cr_info", "--json", directory / "a")).stdout, "cr_info_file")


def test_cr_info_of_saved_libraries(target, directory):
  check_success(run("cr_checkpoint", "--save-all", "-f", directory / "a", target.pid))
  report = check(check_success(run("cr_info", "--json", directory / "a")).stdout, "cr_info_file")
  assert "saved file" in {memory["kind"] for memory in report["shared_memories"]}


def test_cr_info_of_this_machine():
  report = check(check_success(run("cr_info", "--json")).stdout, "cr_info_here")
  assert report["engines"]["user"]["available"]


def test_cr_info_failing(directory):
  result = run("cr_info", "--json", directory / "none")
  check_failure(result, "none")
  assert check(result.stdout, "failure")["error"]["errno"] == 2


def test_cr_checkpoint(target, directory):
  result = check_success(run("cr_checkpoint", "--json", "-f", "a", target.pid, cwd=directory))
  report = check(result.stdout, "cr_checkpoint")
  assert report["context"] == str(directory / "a")
  assert report["processes"] == [target.pid] and report["threads"] == 1
  assert report["bytes"] == (directory / "a").stat().st_size
  assert 0 < report["pause_ns"] < report["elapsed_ns"]


def test_cr_checkpoint_into_a_descriptor(target, directory):
  with open(directory / "a", "wb") as file:
    result = run("cr_checkpoint", "--json", "-F", file.fileno(), target.pid,
                 pass_fds=[file.fileno()])
    assert check(check_success(result).stdout, "cr_checkpoint")["fd"] == file.fileno()


def test_cr_checkpoint_failing(directory):
  result = run("cr_checkpoint", "--json", "-f", directory / "a", 4190000)
  check_failure(result, "4190000", 3)
  assert check(result.stdout, "failure")["error"]["errno"] == 3


def test_cr_restart(context, target):
  target.path("restarted").touch()
  result = check_success(run("cr_restart", "--json", "--detach", context))
  report = check(result.stdout, "cr_restart")
  assert report["pid"] == target.pid
  assert report["processes"] == report["saved_processes"] == [target.pid]
  target.check_runs()


def test_cr_restart_failing(directory):
  result = run("cr_restart", "--json", directory / "none")
  check_failure(result, "none", 2)
  assert check(result.stdout, "failure")["error"]["errno"] == 2


def test_checks(target, directory):
  check(run("cr_checkpoint", "--check", "--json", "-f", directory / "a", target.pid).stdout, "check")
  check_success(run("cr_checkpoint", "-f", directory / "a", target.pid))
  report = check(run("cr_restart", "--check", "--json", directory / "a").stdout, "check")
  assert [problem["errno"] for problem in report["problems"]] == [16]
  report = check(run("cr_restart", "--check", "--json", directory / "none").stdout, "check")
  assert [problem["errno"] for problem in report["problems"]] == [2]


def test_quiet_does_not_silence_the_object(directory):
  result = run("cr_checkpoint", "-q", "--json", "-f", directory / "a", 4190000)
  assert result.stderr == ""
  check(result.stdout, "failure")
