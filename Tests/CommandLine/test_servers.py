# SPDX-License-Identifier: Apache-2.0
"""Servers and their clients, all in one job: the answers are those of an undisturbed run."""

import os
import shutil
import socket
from pathlib import Path

import pytest

from jobs import Job, killed_in_the_middle
from processes import wait_until

# What all drivers begin with: `start` makes a process of the job, `answer` waits for its output.
PRELUDE = """
import subprocess, sys, time
port, folder = sys.argv[1:3]
def start(*command, **settings):
  return subprocess.Popen(command, text=True, **settings)
def client(*command, text=""):
  one = start(*command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
  one.stdin.write(text)
  one.stdin.close()
  one.stdin = None
  return one
def answer(one):
  output, _ = one.communicate()
  assert one.returncode == 0, one.args
  return output
def await_success(*command):
  for _ in range(1000):
    if subprocess.run(command, capture_output=True).returncode == 0: return
    time.sleep(0.05)
  sys.exit("it does not start")
"""

# One client adds to a table in one transaction, and holds a row that the other one waits for, in the
# middle of a transaction of its own with a temporary table, a cursor and a savepoint.
POSTGRES = PRELUDE + """
import os
programs, data = sys.argv[3], folder + "/data"
quiet = {"stdout": subprocess.DEVNULL}
subprocess.run([programs + "/initdb", "-D", data, "-A", "trust", "-U", "me", "--no-sync", "--no-locale",
                "-E", "UTF8"], check=True, **quiet)
server = start(programs + "/postgres", "-D", data, "-k", folder, "-p", port, "-c", "fsync=off",
               "-c", "listen_addresses=127.0.0.1", "-c", "shared_buffers=16MB", "-c", "max_connections=20", "-c", "huge_pages=off",
               stderr=open(folder + "/log", "w"))
def psql(host, text):
  return client(programs + "/psql", "-h", host, "-p", port, "-U", "me", "-At", "-v", "ON_ERROR_STOP=1",
                "postgres", text=text)
await_success(programs + "/psql", "-h", folder, "-p", port, "-U", "me", "-c", "select 1", "postgres")
answer(psql(folder, '''
  create table numbers (id int primary key, square bigint, text text);
  create table held (id int primary key, value int);
  insert into held values (1, 10), (2, 20);
'''))
local = psql(folder, "begin; update held set value = value + 1 where id = 1; select 'mine';\\n"
  + "".join(f"insert into numbers select i, i::bigint * i, md5(i::text) from generate_series({n}, {n + 99}) i;"
            "select count(*) from numbers; select pg_sleep(0.02);\\n" for n in range(0, 10000, 100))
  + "commit; select count(*), sum(square), md5(string_agg(text, '' order by id)) from numbers;\\n")
assert local.stdout.readline() == "BEGIN\\n" and "UPDATE" in local.stdout.readline()
remote = psql("127.0.0.1", '''
  begin;
  create temporary table mine as select i from generate_series(1, 5000) i;
  declare walk cursor for select i from mine order by i;
  fetch 3 from walk;
  savepoint here;
  delete from mine;
  rollback to here;
  select pg_advisory_lock(7);
  update held set value = value * 2 where id = 1 returning value;
  fetch 3 from walk;
  commit;
  select count(*), sum(i) from mine;
  set max_parallel_workers_per_gather = 2; set parallel_setup_cost = 0; set min_parallel_table_scan_size = 0;
  select sum(length(text)) from numbers;
''')
print("begun", flush=True)
print(answer(local), answer(remote))
server.terminate()
print("the server ended with", server.wait())
"""

REDIS = PRELUDE + """
server = start("redis-server", "--port", port, "--unixsocket", folder + "/redis", "--appendonly", "yes", "--dir",
               folder, "--loglevel", "warning", stdout=subprocess.DEVNULL)
cli = ["redis-cli", "-p", port]
await_success(*cli, "ping")
def load(*words, options=("-p", port)):
  return client("redis-benchmark", *options, "-n", "30000", "-c", "6", *words)
loads = [load("incr", "count"), load("rpush", "list", "x", options=("-s", folder + "/redis")),
         load("-P", "4", "append", "text", "y")]
print("begun", flush=True)
for one in loads: answer(one)
print(answer(client(*cli, text="get count\\nllen list\\nstrlen text\\nlrange list 0 2\\ndbsize\\n")))
subprocess.run([*cli, "shutdown"], check=True)
print("the server ended with", server.wait())
"""

NGINX_SETTINGS = """
daemon off;
worker_processes 2;
pid nginx.pid;
error_log stderr warn;
events { worker_connections 64; }
http {
  access_log off;
  client_body_temp_path t; proxy_temp_path t; fastcgi_temp_path t; uwsgi_temp_path t; scgi_temp_path t;
  server { listen 127.0.0.1:%s; root .; limit_rate 400k; sendfile on; }
}
"""

NGINX = PRELUDE + """
import hashlib
x, numbers = 1, bytearray()
while len(numbers) < 1500000:
  x = x * 6364136223846793005 + 1442695040888963407 & (1 << 64) - 1
  numbers += x.to_bytes(8, "little")
open(folder + "/big", "wb").write(numbers)
open(folder + "/settings", "w").write(sys.argv[3] % port)
server = start("nginx", "-p", folder, "-c", folder + "/settings", "-e", "stderr")
address = f"http://127.0.0.1:{port}/big"
await_success("curl", "-sf", "-r", "0-9", address)
loads = [client("curl", "-sf", "-o", f"{folder}/copy{n}", *options, address) for n, options in
         enumerate([(), ("-r", "1000-900000"), ("--limit-rate", "300k")])]
print("begun", flush=True)
for n, one in enumerate(loads):
  answer(one)
  print(hashlib.sha256(open(f"{folder}/copy{n}", "rb").read()).hexdigest())
server.terminate()
print("the server ended with", server.wait())
"""


def postgres_folder():
  found = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"))
  return str(found[-1].parent) if found else None


# The driver, its further argument, and what must be installed.
SERVERS = {
  "postgres": (POSTGRES, postgres_folder(), postgres_folder()),
  "redis": (REDIS, "", shutil.which("redis-server")),
  "nginx": (NGINX, NGINX_SETTINGS, shutil.which("nginx") and shutil.which("curl")),
}


def free_port():
  with socket.create_server(("127.0.0.1", 0)) as one:
    return str(one.getsockname()[1])


def command(name, directory):
  """As an ordinary user: some servers refuse root."""
  driver, argument, _ = SERVERS[name]
  home = directory / "home"
  shutil.rmtree(home, ignore_errors=True)
  home.mkdir()
  os.chmod(directory, 0o755)
  user = []
  if os.geteuid() == 0:
    os.chown(home, 65534, 65534)
    user = ["/usr/bin/setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
  return [*user, "/usr/bin/python3", "-c", driver, free_port(), str(home), argument]


@pytest.mark.parametrize("name", SERVERS)
def test_servers_answer_their_clients_as_if_undisturbed(name, directory):
  if not SERVERS[name][2]:
    pytest.skip(f"{name} is not installed")
  os.environ["PATH"] += ":/usr/sbin"
  expected, job = killed_in_the_middle(lambda: Job(command(name, directory), directory), between=0.2)
  job.restart()
  wait_until(lambda: job.judge.poll() is not None, "the job has ended", 90)
  assert job.answer() == expected
