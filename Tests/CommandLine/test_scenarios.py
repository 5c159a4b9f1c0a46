# SPDX-License-Identifier: Apache-2.0
"""Each state of Tests/Scenarios survives, in each way."""

import os

import pytest

import runner


@pytest.mark.parametrize("way", runner.WAYS)
@pytest.mark.parametrize("scenario", runner.all_scenarios(), ids=lambda scenario: scenario.name)
def test_scenario(scenario, way, directory):
  if scenario.needs_root and os.geteuid() != 0:
    pytest.skip("needs root")
  if scenario.once and way == "again":
    pytest.skip("once: what it counts begins again")
  if scenario.refused and way == "restart":
    pytest.skip("refused: there is nothing to restart")
  try:
    runner.Run(scenario, directory).go_through(way)
  except runner.Skipped as reason:
    pytest.skip(str(reason))
