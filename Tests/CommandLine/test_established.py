# SPDX-License-Identifier: Apache-2.0
"""cr_checkpoint --tcp-established: TCP connections to somebody outside of the job go on after a restart.

The other end is this test itself, in a network of its own. It must not notice anything but a pause: every byte
arrives once and in order, in both directions.
"""

import ctypes
import hashlib
import os
import random
import re
import shutil
import socket
import struct
import subprocess
import threading
import time

import pytest

import processes
import runner
from processes import PATIENCE, wait_until
from targets import check_failure, check_success, run

CLONE_NEWNET = 0x40000000

# Sends back what comes, slower than it comes, so that all buffers are full; says at the end how much it was.
ECHO = """
import socket, sys, time
family, address, port = int(sys.argv[1]), sys.argv[2], int(sys.argv[3])
one = socket.socket(family)
one.connect((address, port))
count = 0
while data := one.recv(30000):
  one.sendall(data)
  count += len(data)
  time.sleep(0.002)
print(count, flush=True)
one.shutdown(socket.SHUT_WR)
time.sleep(0.2)
"""

# Has said that it sends nothing more, and goes on receiving.
LISTENER = """
import hashlib, socket, sys, time
one = socket.create_connection((sys.argv[2], int(sys.argv[3])))
one.sendall(b"the last words")
one.shutdown(socket.SHUT_WR)
print("begun", flush=True)
sum, count = hashlib.sha256(), 0
while data := one.recv(20000):
  sum.update(data)
  count += len(data)
  time.sleep(0.002)
print(count, sum.hexdigest(), flush=True)
"""

# Was told that nothing more comes, and goes on sending.
SPEAKER = """
import random, socket, sys, time
one = socket.create_connection((sys.argv[2], int(sys.argv[3])))
assert one.recv(100) == b"the last words" and one.recv(100) == b""
print("begun", flush=True)
source = random.Random(5)
for _ in range(200):
  one.sendall(source.randbytes(10000))
  time.sleep(0.003)
assert one.recv(100) == b""
one.close()
print("done", flush=True)
"""


def ip(*words):
  subprocess.run(["ip", *words], check=True, capture_output=True)


def netlink_tables():
  """Names of nftables' tables in this network."""
  with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 12) as channel:
    # NFT_MSG_GETTABLE with NLM_F_REQUEST | NLM_F_DUMP, of all families.
    channel.send(struct.pack("=IHHII4s", 20, 0xa01, 0x301, 1, 0, b"\0\0\0\0"))
    answer = channel.recv(65536)
  return re.findall(rb"blcr[\w.]*", answer)


@pytest.fixture
def network():
  """A network of this test's own, with a loopback device only."""
  if os.geteuid() != 0 or not shutil.which("ip"):
    pytest.skip("needs root and ip(8)")
  libc = ctypes.CDLL(None, use_errno=True)
  before = os.open("/proc/self/ns/net", os.O_RDONLY)
  if libc.unshare(CLONE_NEWNET) != 0:
    pytest.skip("no network of our own can be made")
  try:
    ip("link", "set", "lo", "up")
    yield
  finally:
    processes.kill_all()
    assert libc.setns(before, CLONE_NEWNET) == 0
    os.close(before)


class Job:
  """A program that is connected with us."""

  def __init__(self, code, directory, family=socket.AF_INET, address="127.0.0.1", target=None):
    self.directory = directory
    self.context = directory / "context"
    self.output = directory / "output"
    self.server = socket.create_server((address, 0), family=family, dualstack_ipv6=False)
    # What we do not read stays with the job.
    self.server.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 100000)
    target = target or address
    with open(self.output, "wb") as output:
      self.judge = subprocess.Popen(
        ["/usr/bin/python3", "-c", code,
         str(int(socket.AF_INET6 if ":" in target else socket.AF_INET)), target,
         str(self.server.getsockname()[1])],
        stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True)
    self.pid = self.judge.pid
    self.server.settimeout(20 * PATIENCE)
    self.peer, _ = self.server.accept()
    self.server.close()
    self.peer.settimeout(60 * PATIENCE)

  def checkpoint(self, *options):
    return check_success(
      run("cr_checkpoint", "--tcp-established", *options, "-f", self.context, self.pid))

  def restart(self):
    wait_until(lambda: not processes.is_alive(self.pid), "it is dead")
    self.judge.wait()
    with open(self.directory / "restart.err", "ab") as errors:
      self.judge = subprocess.Popen(
        [runner.tool("cr_restart"), "-f", self.context], stdin=subprocess.DEVNULL, stdout=errors,
        stderr=errors, start_new_session=True)

  def await_text(self, text):
    wait_until(lambda: text in self.output.read_text() or self.judge.poll() is not None, text, 60)

  def text(self):
    status = self.judge.wait(60 * PATIENCE)
    errors = self.directory / "restart.err"
    text = self.output.read_text()
    assert status == 0, f"{status}\n{text}\n{errors.read_text() if errors.exists() else ''}"
    return text


class Transfer:
  """Sends known bytes and checks that just these come back; takes as many as it is told to await."""

  def __init__(self, peer, count):
    self.peer, self.count, self.received, self.failure, self.limit = peer, count, 0, None, 0
    self.threads = [threading.Thread(target=self.guard, args=(work,), daemon=True)
                    for work in (self.send, self.receive)]
    for thread in self.threads:
      thread.start()

  def guard(self, work):
    try:
      work()
    except Exception as error:
      self.failure = error

  def send(self):
    source, left = random.Random(1), self.count
    while left:
      block = source.randbytes(min(left, 50000))
      self.peer.sendall(block)
      left -= len(block)
    self.peer.shutdown(socket.SHUT_WR)

  def receive(self):
    source, expected, left = random.Random(1), b"", self.count
    while data := self.next():
      while len(expected) < len(data):
        block = source.randbytes(min(left, 50000))
        left -= len(block)
        expected += block
        assert block, "more came back than was sent"
      assert data == expected[:len(data)], f"other bytes after {self.received}"
      expected = expected[len(data):]
      self.received += len(data)
    assert self.received == self.count

  def next(self):
    while self.received >= self.limit:
      time.sleep(0.002)
    return self.peer.recv(10000)

  def await_bytes(self, count):
    self.limit = count
    wait_until(lambda: self.received >= count or self.failure, f"{count} bytes", 60)
    assert not self.failure, self.failure

  def finish(self):
    self.limit = self.count + 1
    for thread in self.threads:
      thread.join(120 * PATIENCE)
      assert not thread.is_alive(), f"stuck after {self.received} bytes"
    assert not self.failure, self.failure


# Family and address of our end, and the address by which the job reaches it.
ADDRESSES = {
  "IPv4": (socket.AF_INET, "127.0.0.1", None),
  "IPv6": (socket.AF_INET6, "::1", None),
  "IPv4 inside of IPv6": (socket.AF_INET, "127.0.0.1", "::ffff:127.0.0.1"),
}


@pytest.mark.parametrize("kind", ADDRESSES)
def test_a_transfer_goes_on_after_a_restart(kind, network, directory):
  family, address, target = ADDRESSES[kind]
  job = Job(ECHO, directory, family, address, target)
  transfer = Transfer(job.peer, 12000000)
  for share in (2000000, 6000000):
    transfer.await_bytes(share)
    result = job.checkpoint("--kill")
    assert "nftables table" in result.stderr
    wait_until(lambda: not processes.is_alive(job.pid), "it is dead")
    # What we send meanwhile is neither answered nor refused.
    assert len(netlink_tables()) == 1
    time.sleep(0.5)
    job.restart()
  transfer.finish()
  assert job.text() == "12000000\n"
  assert not netlink_tables()


def test_a_transfer_to_another_machine(network, directory):
  """Through a virtual cable, into a network of its own, where we are."""
  libc = ctypes.CDLL(None, use_errno=True)
  ours = os.open("/proc/self/ns/net", os.O_RDONLY)
  ip("link", "add", "here", "type", "veth", "peer", "name", "there")
  holder = subprocess.Popen(["unshare", "-n", "sleep", "1000"])
  far = f"/proc/{holder.pid}/ns/net"
  wait_until(lambda: os.readlink(far) != os.readlink("/proc/self/ns/net"), "another network")
  ip("link", "set", "there", "netns", str(holder.pid))
  for name, address in (("here", "10.77.0.1/24"), ("there", "10.77.0.2/24")):
    if name == "there":
      theirs = os.open(far, os.O_RDONLY)
      assert libc.setns(theirs, CLONE_NEWNET) == 0
      ip("link", "set", "lo", "up")
    ip("address", "add", address, "dev", name)
    ip("link", "set", name, "up")
  # The server stands there; everything else is here.
  create = socket.create_server

  def there(*arguments, **settings):
    server = create(*arguments, **settings)
    assert libc.setns(ours, CLONE_NEWNET) == 0
    return server
  try:
    socket.create_server = there
    job = Job(ECHO, directory, address="10.77.0.2")
  finally:
    socket.create_server = create
  transfer = Transfer(job.peer, 12000000)
  transfer.await_bytes(2000000)
  job.checkpoint("--kill")
  time.sleep(0.5)
  job.restart()
  transfer.finish()
  assert job.text() == "12000000\n"


def test_an_idle_connection_stays_for_a_while(network, directory):
  """With nothing under way, whoever was silent may speak first: here it is we, before the restart."""
  job = Job(ECHO, directory)
  job.peer.sendall(b"hello")
  assert job.peer.recv(100) == b"hello"
  time.sleep(0.3)
  job.checkpoint("--kill")
  job.peer.sendall(b"are you there?")
  time.sleep(0.5)
  job.restart()
  assert job.peer.recv(100) == b"are you there?"
  job.peer.shutdown(socket.SHUT_WR)
  assert job.peer.recv(100) == b""
  assert job.text() == "19\n"


def test_a_connection_that_sends_nothing_more(network, directory):
  job = Job(LISTENER, directory)
  assert job.peer.recv(100, socket.MSG_WAITALL) == b"the last words"
  job.await_text("begun")
  source, sum = random.Random(4), hashlib.sha256()
  for step in range(100):
    block = source.randbytes(20000)
    job.peer.sendall(block)
    sum.update(block)
    if step == 50:
      job.checkpoint("--kill")
      time.sleep(0.3)
      job.restart()
  job.peer.shutdown(socket.SHUT_WR)
  assert job.text() == f"begun\n2000000 {sum.hexdigest()}\n"


def test_a_connection_to_which_nothing_more_is_sent(network, directory):
  job = Job(SPEAKER, directory)
  job.peer.sendall(b"the last words")
  job.peer.shutdown(socket.SHUT_WR)
  job.await_text("begun")
  source, received = random.Random(5), 0
  expected = b"".join(source.randbytes(10000) for _ in range(200))
  while received < len(expected):
    data = job.peer.recv(20000)
    assert data and data == expected[received:received + len(data)]
    if received < 500000 <= received + len(data):
      job.checkpoint("--kill")
      time.sleep(0.3)
      job.restart()
    received += len(data)
  assert job.peer.recv(10) == b""
  assert job.text() == "begun\ndone\n"


def test_a_program_that_goes_on_keeps_its_connection(network, directory):
  job = Job(ECHO, directory)
  transfer = Transfer(job.peer, 12000000)
  for step in range(3):
    transfer.await_bytes((step + 1) * 1000000)
    result = job.checkpoint()
    assert "goes on with them" in result.stderr
    assert not netlink_tables()
  transfer.finish()
  assert job.text() == "12000000\n"


def test_a_checkpoint_that_dies_leaves_the_connection(network, directory):
  """At any moment: no barrier stays, and the connection works."""
  job = Job(ECHO, directory)
  transfer = Transfer(job.peer, 12000000)
  for step in range(12):
    transfer.await_bytes((step + 1) * 300000)
    tool = subprocess.Popen(
      [runner.tool("cr_checkpoint"), "--tcp-established", "-f", directory / "context", str(job.pid)],
      stderr=subprocess.DEVNULL)
    time.sleep(step * 0.004)
    tool.kill()
    tool.wait()
    wait_until(lambda: not netlink_tables(), "the barrier falls")
  transfer.finish()
  assert job.text() == "12000000\n"


def test_a_restart_that_fails_leaves_the_connection_for_another(network, directory):
  job = Job(ECHO, directory)
  transfer = Transfer(job.peer, 12000000)
  transfer.await_bytes(1000000)
  job.checkpoint("--kill")
  wait_until(lambda: not processes.is_alive(job.pid), "it is dead")
  job.judge.wait()
  # Its program is not there, which is found when the connection is.
  output = directory / "output"
  output.rename(directory / "elsewhere")
  check_failure(run("cr_restart", "-f", job.context), "output")
  (directory / "elsewhere").rename(output)
  time.sleep(0.3)
  job.restart()
  transfer.finish()
  assert job.text() == "12000000\n"


def test_without_the_right_to_do_it(network, directory):
  job = Job(ECHO, directory)
  without = ["setpriv", "--bounding-set=-net_admin", "--inh-caps=-net_admin"]
  tool = [runner.tool("cr_checkpoint"), "-f", directory / "context", "--tcp-established"]
  result = subprocess.run([*without, *tool, str(job.pid)], capture_output=True, text=True, timeout=60)
  check_failure(subprocess.CompletedProcess([tool[0]], result.returncode, "", result.stderr),
                r"TCP 127.0.0.1:\d+ to 127.0.0.1:\d+.*CAP_NET_ADMIN")
  result = subprocess.run([*without, *tool, "--tcp-close", str(job.pid)], capture_output=True, text=True,
                          timeout=60)
  assert result.returncode == 0 and "reset in the restored program" in result.stderr
  job.peer.sendall(b"still there")
  assert job.peer.recv(100) == b"still there"


def test_a_connection_that_somebody_else_has_too(network, directory):
  """An orphan, which is none of the job any more."""
  orphan = ("count = 0\nif os.fork() == 0:\n  if os.fork() == 0: time.sleep(1000)\n  os._exit(0)\n"
            "os.wait()")
  job = Job(ECHO.replace("import socket", "import os, socket").replace("count = 0", orphan), directory)
  job.peer.sendall(b"hello")
  assert job.peer.recv(100) == b"hello"
  check_failure(run("cr_checkpoint", "--tcp-established", "-f", job.context, job.pid),
                r"TCP .*process \d+ \(python3\), which is not saved, has open as well")
  job.peer.sendall(b"hello")
  assert job.peer.recv(100) == b"hello"
