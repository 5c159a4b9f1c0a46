# SPDX-License-Identifier: Apache-2.0
import os
import shlex
import shutil
import sys
import tempfile
from pathlib import Path

import pytest

sys.path.insert(0, os.path.dirname(__file__))
import processes
import runner
import targets

FAILURES = runner.BUILD / "failures"

# With CR_QUICK=1: no tests of these files, and of scenarios only what finds most.
SLOW = {
  "test_architectures.py", "test_builds.py", "test_configure_kernel.py", "test_cross.py", "test_guide_examples.py",
  "test_guides.py", "test_i386.py", "test_kernel_matrix.py", "test_killed_checkpoint.py",
  "test_libcr_killed_requester.py", "test_libcr_processors.py", "test_libcr_stress.py", "test_real_programs.py",
  "test_rootless.py", "test_servers.py", "test_terminals.py", "test_vm.py",
}
QUICK_WAYS = ("continue", "restart")


def pytest_configure(config):
  processes.become_subreaper()
  processes.have_own_ipc()
  # Core files of processes that die on purpose would fill the disk.
  import resource
  resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def pytest_collection_modifyitems(config, items):
  if not os.environ.get("CR_QUICK"):
    return

  def is_quick(item):
    way = getattr(item, "callspec", None) and item.callspec.params.get("way")
    return item.path.name not in SLOW and (way is None or way in QUICK_WAYS)
  config.hook.pytest_deselected(items=[item for item in items if not is_quick(item)])
  items[:] = [item for item in items if is_quick(item)]


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
  outcome = yield
  report = outcome.get_result()
  setattr(item, "failed_" + report.when, report.failed)
  if report.when == "call" and report.failed:
    kept = FAILURES / item.name.replace("/", "_")
    here = Path(__file__).resolve().parent
    report.sections.append((
      "to retry",
      f"CR_BUILD_DIR={runner.BUILD} /usr/bin/python3 -m pytest "
      f"{shlex.quote(str(here / item.nodeid.rpartition('CommandLine/')[2]))}\n"
      f"files (context files among them): {kept}"))


@pytest.fixture
def directory(request):
  """An empty directory of the test's own; kept when the test fails."""
  path = Path(tempfile.mkdtemp(prefix="cr-test."))
  path.chmod(0o777)
  yield path
  processes.kill_all()
  if getattr(request.node, "failed_call", False):
    kept = FAILURES / request.node.name.replace("/", "_")
    shutil.rmtree(kept, ignore_errors=True)
    kept.parent.mkdir(parents=True, exist_ok=True)
    shutil.move(path, kept)
  else:
    shutil.rmtree(path, ignore_errors=True)


@pytest.fixture
def start(directory):
  """start(name): a scenario that waits to be checkpointed, in a directory of its own."""
  count = 0

  def make(name="pipe_with_unread_bytes", **settings):
    nonlocal count
    count += 1
    return targets.Target(directory / f"target.{count}", name).start(**settings)
  return make


@pytest.fixture
def target(start):
  return start()


@pytest.fixture
def context(target, directory):
  """A context file of a target that is no more."""
  path = directory / "context"
  targets.check_success(targets.run("cr_checkpoint", "-f", path, target.pid))
  target.forget()
  return path
