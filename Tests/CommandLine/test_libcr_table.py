# SPDX-License-Identifier: Apache-2.0
"""Docs/libcr-tests.md: no public function of libcr without a program that calls it and a test that
runs this program; and the manual page has them all."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TABLE = ROOT / "Docs" / "libcr-tests.md"
MAP = ROOT / "Sources" / "libcr" / "libcr.map"
INCLUDE = ROOT / "Sources" / "libcr" / "include"

pytestmark = pytest.mark.skipif(not TABLE.exists(), reason="not in a source tree")


def public_names():
  text = re.sub(r"/\*.*?\*/", "", MAP.read_text(), flags=re.S)
  return re.findall(r"\bcri?_\w+", text.partition("local:")[0])


def words(cell):
  return re.findall(r"`([^`]+)`", cell)


def rows():
  found = {}
  for line in TABLE.read_text().splitlines():
    cells = [cell.strip() for cell in line.split("|")[1:-1]]
    if len(cells) == 3 and cells[0].startswith("`"):
      name, = words(cells[0])
      assert name not in found, f"{name} has two rows"
      found[name] = words(cells[1]), words(cells[2])
  return found


def source(program):
  places = [ROOT / "Tests" / "libcr", ROOT / "Docs" / "guide" / "examples"]
  found = [place / f"{program}.c" for place in places if (place / f"{program}.c").exists()]
  assert len(found) == 1, f"{program}: {found}"
  return found[0].read_text()


def without_comments(text):
  return re.sub(r"/\*.*?\*/|//[^\n]*", "", text, flags=re.S)


def test_every_public_function_has_its_row():
  assert sorted(rows()) == sorted(public_names())


@pytest.mark.parametrize("name", public_names())
def test_programs_call_it(name):
  programs, _ = rows()[name]
  # An anchor for linkers is no function; it is linked with -u.
  assert programs or name == "cr_link_me"
  # The two that are called through a macro.
  spellings = {name, re.sub(r"^cri_init_(\w+_args_t)$", r"cr_initialize_\1", name)}
  for program in programs:
    text = without_comments(source(program))
    assert any(re.search(rf"\b{spelling}\s*\(", text) for spelling in spellings), (
      f"{program}.c does not call {name}")


@pytest.mark.parametrize("name", public_names())
def test_tests_run_these_programs(name):
  programs, tests = rows()[name]
  assert tests
  texts = []
  for test in tests:
    file, _, function = test.partition("::")
    text = (Path(__file__).parent / f"{file}.py").read_text()
    assert re.search(rf"^def {function}\(", text, re.M), f"there is no {test}"
    texts.append(text)
  if name == "cr_link_me":
    assert '"-u", "cr_link_me"' in texts[0]
    return
  # At least one program of the row is named in the file of each test.
  for test, text in zip(tests, texts):
    assert any(f'"{program}"' in text for program in programs), f"{test} runs none of {programs}"


def declared():
  text = without_comments((INCLUDE / "libcr.h").read_text())
  text = re.sub(r"^#(?:.*\\\n)*.*$", "", text, flags=re.M)
  return set(re.findall(r"\b(cri?_\w+)\s*\([^;{}]*\)\s*(?:CR_DEPRECATED\s*)?;", text))


def test_the_header_declares_what_is_exported():
  assert declared() | {"cr_link_me"} == set(public_names())


def test_the_manual_page_has_every_function_and_error():
  page = (ROOT / "Docs" / "man" / "libcr.3").read_text()
  synopsis, _, rest = page.partition(".SH DESCRIPTION")
  for name in public_names():
    if name.startswith("cri_"):
      assert name in rest and re.sub(r"^cri_init", "cr_initialize", name) in synopsis
    elif name != "cr_link_me":
      assert re.search(rf"\b{name}\(", synopsis), f"{name} is not in the synopsis"
      assert re.search(rf"\b{name}\b", rest), f"{name} is not described"
  errors = set(re.findall(r"\b(CR_E[A-Z]+) =", (INCLUDE / "blcr_errcodes.h").read_text()))
  listed = page.partition(".SH ERRORS")[2].partition(".SH ENVIRONMENT")[0]
  assert errors == set(re.findall(r"\bCR_E[A-Z]+\b", listed))
  # What a program passes or gets by name.
  constants = set(re.findall(
    r"#define (CR_(?:CHKPT|RSTRT|HOLD|STATE|CHECKPOINT|POLL_CHKPT)_\w+)",
    (INCLUDE / "libcr.h").read_text() + (INCLUDE / "blcr_common.h").read_text()))
  families = ("_ARGS_VERSION", "_RELOCATE_SIZE", "_DUMP_")
  for constant in constants:
    assert constant in page or any(part in constant for part in families), constant
