# SPDX-License-Identifier: Apache-2.0
"""What the restored program will not have, though the checkpoint succeeds, is a warning with its place."""

import json
import re

import pytest

from targets import run
from test_refusals import check_unharmed, python

# What makes descriptor 77, and words of the warning.
LOSSES = {
  "events of inotify that nobody has read": (
    "f = call(294, 0); call(254, f, b'.', 0x100); open('made', 'w').close()",
    r"inotify instance with events that were not read yet \(\d+ bytes\)"),
  "packets that nobody has read": (
    "s = socket.socket(17, socket.SOCK_RAW, 0x300); s.bind(('lo', 3)); f = s.fileno()\n"
    "u = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); u.sendto(b'x', ('127.0.0.1', 9)); u.close(); time.sleep(0.1)",
    "packet socket with packets that were not read yet"),
  "clients that are not of the job": (
    "s = socket.create_server(('127.0.0.1', 0)); f = s.fileno(); child = os.fork()\n"
    "if child == 0:\n  if os.fork(): os._exit(0)\n"
    "  c = socket.create_connection(s.getsockname()); s.close(); open('there', 'w').close(); time.sleep(1000)\n"
    "os.waitpid(child, 0)\nwhile not os.path.exists('there'): time.sleep(0.01)",
    "accepted: after a restart they are gone"),
  "the end of a lease that somebody waits for": (
    "import fcntl, signal; signal.signal(signal.SIGIO, signal.SIG_IGN); f = os.open('leased', os.O_CREAT | os.O_RDWR)\n"
    "fcntl.fcntl(f, fcntl.F_SETLEASE, fcntl.F_WRLCK); child = os.fork()\n"
    "if child == 0: os.close(f); os.open('leased', os.O_RDONLY); os._exit(0)\ntime.sleep(0.2)",
    "somebody waits for the end of the lease on .*leased"),
}


@pytest.mark.parametrize("kind", LOSSES)
def test_what_is_lost_is_a_warning(kind, python, directory):
  code, words = LOSSES[kind]
  process = python(f"{code}\nos.dup2(f, 77)")
  result = run("cr_checkpoint", "-f", directory / "image", process.pid)
  assert result.returncode == 0, result.stderr
  pattern = rf"process {process.pid} \(python3\): descriptor \d+.*{words}"
  assert re.search("cr_checkpoint: warning: " + pattern, result.stderr), result.stderr
  # It is told again by whoever looks at the file.
  warnings = json.loads(run("cr_info", "--json", directory / "image").stdout)["warnings"]
  assert any(re.search(pattern, warning) for warning in warnings)
  check_unharmed(process, directory)
