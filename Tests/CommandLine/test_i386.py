# SPDX-License-Identifier: Apache-2.0
"""32-bit programs under a 64-bit kernel, held by the 64-bit tools: every scenario compiled for i386."""

import os

import pytest

import runner

WAYS = ("undisturbed", "continue", "restart", "again")


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("scenario", runner.all_scenarios("i386"), ids=lambda scenario: scenario.name)
def test_scenario(scenario, way, directory):
  if scenario.needs_root and os.geteuid() != 0:
    pytest.skip("needs root")
  if scenario.refused and way == "restart":
    pytest.skip("refused: there is nothing to restart")
  try:
    runner.Run(scenario, directory).go_through(way)
  except runner.Skipped as reason:
    pytest.skip(str(reason))
