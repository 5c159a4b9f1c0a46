# SPDX-License-Identifier: Apache-2.0
"""Programs that nobody wrote for us give the answer of an undisturbed run."""

import hashlib
import shutil
import subprocess
import time

import pytest

import processes
from jobs import Job, killed_in_the_middle, undisturbed_answer
from processes import wait_until

PYTHON_THREADS = """
import threading, queue, time
todo, done = queue.Queue(), queue.Queue()
def worker():
    while (n := todo.get()) is not None:
        done.put((n, sum(i * i % 7 for i in range(n))))
        time.sleep(0.001)
threads = [threading.Thread(target=worker) for _ in range(4)]
for t in threads: t.start()
print("begun", flush=True)
for n in range(1600): todo.put(n * 10)
for t in threads: todo.put(None)
for t in threads: t.join()
print(sorted(done.queue) == [(n * 10, sum(i * i % 7 for i in range(n * 10))) for n in range(1600)])
"""

PYTHON_GENERATORS = """
def digits():
    q, r, t, k, m, x = 1, 0, 1, 1, 3, 3
    while True:
        if 4 * q + r - t < m * t:
            yield m
            q, r, m = 10 * q, 10 * (r - m * t), (10 * (3 * q + r)) // t - 10 * m
        else:
            q, r, t, k, m, x = (q * k, (2 * q + r) * x, t * x, k + 1,
                                (q * (7 * k + 2) + r * x) // (t * x), x + 2)
print("begun", flush=True)
source = digits()
for line in range(90):
    print("".join(str(next(source)) for _ in range(50)), flush=True)
"""

PYTHON_HASHES = """
import hashlib
block = bytes(range(256)) * 65536
print("begun", flush=True)
summary = hashlib.sha256()
for i in range(60):
    summary.update(block)
    summary.update(hashlib.blake2b(block[:1 << 21], salt=b"%d" % i).digest())
    if i % 10 == 0: print(i, flush=True)
print(summary.hexdigest())
"""

# Server and clients over TCP and a UNIX socket, and a child, all by one epoll instance.
PYTHON_ASYNCIO = """
import asyncio
async def serve(reader, writer):
    while line := await reader.readline():
        writer.write(b"%d\\n" % int(line) ** 2)
        await writer.drain()
    writer.close()
async def ask(connection, count):
    reader, writer = await connection
    total = 0
    for i in range(count):
        writer.write(b"%d\\n" % i)
        total += int(await reader.readline())
        await asyncio.sleep(0.001)
    writer.close()
    return total
async def sort(count):
    child = await asyncio.create_subprocess_exec(
        "sort", "-n", stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE)
    for i in range(count):
        child.stdin.write(b"%d\\n" % (i * 7919 % 1009))
        await asyncio.sleep(0.001)
    output, _ = await child.communicate(b"")
    return output.split()[::100], child.returncode
async def main():
    tcp = await asyncio.start_server(serve, "127.0.0.1", 0)
    unix = await asyncio.start_unix_server(serve, "name")
    port = tcp.sockets[0].getsockname()[1]
    print("begun", flush=True)
    print(await asyncio.gather(
        *(ask(asyncio.open_connection("127.0.0.1", port), 400) for _ in range(3)),
        *(ask(asyncio.open_unix_connection("name"), 400) for _ in range(3)), sort(400)))
asyncio.run(main())
"""

NODE = """
const { spawn } = require('child_process'), net = require('net')
const child = spawn('cat'), lines = []
const server = net.createServer(socket => socket.pipe(child.stdin))
child.stdout.on('data', data => lines.push(data.toString()))
child.on('exit', code => { console.log(code, lines.join('').length); server.close() })
server.listen(0, '127.0.0.1', () => {
  const client = net.connect(server.address().port, '127.0.0.1')
  let count = 0
  const timer = setInterval(() => {
    client.write('line ' + count + String.fromCharCode(10))
    if (++count == 400) { clearInterval(timer); client.end() }
  }, 2)
  console.log('begun')
})
"""

BASH_PIPELINE = r"""
echo begun
for i in {1..300}; do echo $((i * 7919 % 1009)); sleep 0.003; done |
  while read x; do echo $((x * x)); done | sort -n | md5sum
"""

# Written to and read by turns, and in a pipeline that the shell itself is a part of.
BASH_COPROCESS = r"""
echo begun
coproc sums { while read x; do sum=$((sum + x)); echo $sum; done; }
shopt -s lastpipe
for i in {1..400}; do echo $((i * 7919 % 1009)); sleep 0.003; done | tee copy | tr 0-4 5-9 | sed 's/^/1/' |
  grep -v 77 | awk '{ print $1 * 2; fflush() }' | while read x; do
    echo $x >&${sums[1]}; read total <&${sums[0]}; count=$((count + 1))
  done
eval "exec ${sums[1]}>&-"
wait $sums_PID
echo $count $total $? $(md5sum < copy)
"""

BASH_JOBS = r"""
echo begun
for i in {1..12}; do (sleep 3.$((i + 10)); exit $i) & pids[$i]=$!; done
sum=0
for i in {1..12}; do wait ${pids[$i]}; sum=$((sum + $?)); done
echo "sum $sum"
trap 'echo bye' EXIT
"""

PERL = r"""
$| = 1; print "begun\n";
my (%seen, $x); $x = 12345;
for my $round (1 .. 120) {
  for (1 .. 6000) { $x = ($x * 1103515245 + 12345) % 2147483648; $seen{$x % 5000} .= chr(65 + $x % 26); }
  select(undef, undef, undef, 0.005);
}
my $sum = 0;
for (sort { $a <=> $b } keys %seen) { $sum = ($sum * 31 + length($seen{$_}) + ord($seen{$_})) % 1000000007; }
print "$sum\n";
"""

SQLITE = """
.print begun
PRAGMA cache_size = 100;
CREATE TABLE numbers (id INTEGER PRIMARY KEY, square INTEGER, text TEXT);
BEGIN;
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1200000)
  INSERT INTO numbers SELECT i, i * i, printf('%08x', i * 2654435761) FROM n;
UPDATE numbers SET text = text || 'x' WHERE id % 3 = 0;
COMMIT;
SELECT count(*), sum(square), max(text), sum(length(text)) FROM numbers;
PRAGMA integrity_check;
"""

JAVA = """
import java.util.concurrent.*;
public class Primes {
  public static void main(String[] a) throws Exception {
    System.out.println("begun");
    ExecutorService pool = Executors.newFixedThreadPool(4);
    Future<?>[] parts = new Future<?>[500];
    for (int p = 0; p < 500; p++) {
      final int from = p * 20000;
      parts[p] = pool.submit(() -> {
        int count = 0;
        for (int n = Math.max(2, from); n < from + 20000; n++) {
          boolean prime = true;
          for (int d = 2; d * d <= n; d++) if (n % d == 0) { prime = false; break; }
          if (prime) count++;
        }
        return count;
      });
    }
    int sum = 0;
    for (Future<?> part : parts) sum += (Integer) part.get();
    pool.shutdown();
    System.out.println(sum);
  }
}
"""


OPENMP = """
#include <stdio.h>
int main(void) {
  double sum = 0;
  long count = 0;
  puts("begun");
  fflush(stdout);
  for (int round = 0; round < 700; round++) {
    #pragma omp parallel for reduction(+:count) schedule(dynamic, 1000)
    for (int i = 1; i < 1000000; i++)
      count += (long)i * i % (round + 7);
    #pragma omp parallel for schedule(static) reduction(max:sum)
    for (int i = 1; i < 100000; i++)
      sum = sum > 1.0 / i * round ? sum : 1.0 / i * round;
  }
  printf("%ld %.9f\\n", count, sum);
}
"""

MAKEFILE = """
program: $(patsubst %.c,%.o,$(wildcard unit*.c)) main.o
\t@cc -o $@ $^ && ./$@
%.o: %.c
\t@cc -O2 -c $<
"""


def python(code):
  return lambda directory: ["/usr/bin/python3", "-c", code]


def text_file(directory, lines):
  path = directory / "text"
  if path.exists():
    return path
  with open(path, "w") as file:
    x = 1
    for _ in range(lines):
      x = x * 6364136223846793005 + 1442695040888963407 & (1 << 64) - 1
      file.write(f"{x >> 20:011x} line\n")
  return path


def sort_command(directory):
  return ["/bin/sh", "-c", f"echo begun; sort -S 2M -T . {text_file(directory, 1200000)} | md5sum"]


def gzip_command(directory):
  return ["/bin/sh", "-c", f"echo begun; cat {text_file(directory, 300000)} {directory}/text | gzip -9 |"
          " gzip -d | md5sum"]


def sqlite_command(directory):
  (directory / "script").write_text(SQLITE)
  (directory / "database").unlink(missing_ok=True)
  return ["/bin/sh", "-c", "sqlite3 database < script"]


def java_command(directory):
  (directory / "Primes.java").write_text(JAVA)
  if not (directory / "Primes.class").exists():
    # javac, as far as the run-time environment has it.
    subprocess.run(["java", "-m", "jdk.compiler/com.sun.tools.javac.Main", "Primes.java"], cwd=directory,
                   check=True, timeout=120)
  return ["java", "-XX:TieredStopAtLevel=1", "-Xmx64m", "-cp", str(directory), "Primes"]


def java_with_all_its_threads(directory):
  """Compilers of both kinds, a concurrent collector, and a reservation of 32 GiB."""
  _, *options, name = java_command(directory)
  return ["java", "-XX:+UseG1GC", "-Xmx24g", "-Xms16m", "-XX:ParallelGCThreads=4", *options[2:], name]


def restic_command(directory):
  """A backup, its check and its way back: a Go program with a dozen threads, each time."""
  source = directory / "source"
  if not source.exists():
    source.mkdir()
    for number in range(24):
      (source / f"part.{number}").write_bytes(
        b"".join(hashlib.sha512(b"%d %d" % (number, i)).digest() for i in range(16384)))
  for folder in "repository", "restored", "cache":
    shutil.rmtree(directory / folder, ignore_errors=True)
  return ["/usr/bin/env", "RESTIC_PASSWORD=x", f"RESTIC_CACHE_DIR={directory}/cache", "/bin/sh", "-ec", """
    restic -q -r repository init; echo begun
    restic -q -r repository backup source
    restic -q -r repository check --read-data
    restic -q -r repository restore latest --target restored
    find restored -type f | LC_ALL=C sort | xargs md5sum"""]


def hugo_command(directory):
  """Two thousand pages by as many goroutines."""
  content = directory / "content"
  if not content.exists():
    content.mkdir()
    layouts = directory / "layouts" / "_default"
    layouts.mkdir(parents=True)
    (layouts / "single.html").write_text("<h1>{{ .Title }}</h1>{{ .Content }}{{ range first 20 .Site.RegularPages }}"
                                         "<a href='{{ .RelPermalink }}'>{{ .Title }} {{ .WordCount }}</a>{{ end }}")
    (layouts / "list.html").write_text("{{ range .Pages }}<li>{{ .Title }} {{ .Summary }}</li>{{ end }}")
    (directory / "config.toml").write_text('baseURL = "http://localhost/"\ntitle = "t"\n')
    for number in range(2000):
      words = " ".join(f"word{number * i % 997}" for i in range(60))
      (content / f"{number}.md").write_text(
        f"---\ntitle: Page {number}\ndate: 2020-01-01\n---\n# Head\n*{words}*\n\n- a\n- b\n")
  shutil.rmtree(directory / "public", ignore_errors=True)
  return ["/bin/sh", "-ec", f"""
    echo begun
    HUGO_CACHEDIR={directory}/cache hugo --quiet -s {directory} -d {directory}/public
    cd public; find . -type f | LC_ALL=C sort | xargs cat | md5sum"""]


def archive_command(directory):
  """Six programs in a row, of which two have threads of their own."""
  return ["/bin/sh", "-c", f"""
    echo begun
    cat {text_file(directory, 400000)} | xz -1 -T3 --block-size=400KiB | zstd -q -T2 -3 | dd bs=3k status=none |
      zstd -dq | xz -d | tee copy | md5sum; cmp copy text && wc copy"""]


def openmp_command(directory):
  (directory / "openmp.c").write_text(OPENMP)
  subprocess.run(["cc", "-O1", "-fopenmp", "-o", "openmp", "openmp.c"], cwd=directory, check=True)
  return ["/usr/bin/env", "OMP_NUM_THREADS=6", directory / "openmp"]


def make_command(directory):
  """Compilers, assemblers and pipes that come and go below a make with a job server."""
  units = range(6)
  for unit in units:
    (directory / f"unit{unit}.c").write_text("".join(
      f"int f{unit}_{i}(int x) {{ int s = {i}; while (x--) s = s * 31 + x % {unit + 3}; return s; }}\n"
      for i in range(100)))
  calls = "\n".join(f"sum ^= f{unit}_{unit * 7}(1000);" for unit in units)
  declarations = "".join(f"int f{unit}_{unit * 7}(int);\n" for unit in units)
  (directory / "main.c").write_text(
    "#include <stdio.h>\n" + declarations
    + "int main(void) { int sum = 0;\n" + calls + '\nprintf("%d\\n", sum); }\n')
  (directory / "Makefile").write_text(MAKEFILE)
  return ["/bin/sh", "-c", "rm -f *.o program; echo begun; exec make -j4 -s"]


# What makes the command.
PROGRAMS = {
  "python threads": python(PYTHON_THREADS),
  "python generators": python(PYTHON_GENERATORS),
  "python hashes": python(PYTHON_HASHES),
  "python asyncio": python(PYTHON_ASYNCIO),
  "node": lambda directory: ["node", "-e", NODE],
  "a bash pipeline": lambda directory: ["/bin/bash", "-c", BASH_PIPELINE],
  "a bash pipeline with a coprocess": lambda directory: ["/bin/bash", "-c", BASH_COPROCESS],
  "bash jobs": lambda directory: ["/bin/bash", "-c", BASH_JOBS],
  "perl": lambda directory: ["/usr/bin/perl", "-e", PERL],
  "sqlite3 in a transaction": sqlite_command,
  "sort of a big file": sort_command,
  "gzip in a pipe": gzip_command,
  "java": java_command,
  "java with all its threads": java_with_all_its_threads,
  "restic": restic_command,
  "hugo": hugo_command,
  "a pipeline of six": archive_command,
  "an OpenMP computation": openmp_command,
  "make with four jobs": make_command,
}
NEEDED = {"java": "java", "java with all its threads": "java", "node": "node", "restic": "restic",
          "hugo": "hugo", "sqlite3 in a transaction": "sqlite3"}


@pytest.mark.parametrize("name", PROGRAMS)
def test_the_answer_is_that_of_an_undisturbed_run(name, directory):
  make = PROGRAMS[name]
  if name in NEEDED and not shutil.which(NEEDED[name]):
    pytest.skip(f"{NEEDED[name]} is not installed")
  expected, job = killed_in_the_middle(lambda: Job(make(directory), directory))
  for _ in range(2):
    job.restart()
    # Long enough to be at work again, and then once more from that same file... unless done.
    if name.startswith(("sqlite3", "sort")):
      break
    time.sleep(0.05)
  assert job.answer() == expected


def test_a_program_checkpointed_again_and_again(directory):
  """Ten generations, each restarted from the one before."""
  expected = undisturbed_answer(python(PYTHON_GENERATORS)(directory), directory)
  job = Job(python(PYTHON_GENERATORS)(directory), directory)
  job.await_begun()
  for generation in range(10):
    time.sleep(0.03)
    job.checkpoint("--kill")
    job.restart()
    wait_until(lambda: processes.is_alive(job.pid) or job.judge.poll() is not None, "back")
    wait_until(lambda: processes.runs_again(job.pid) or job.judge.poll() is not None, "let go")
    if job.judge.poll() is not None:
      break
  assert generation > 3
  assert job.answer() == expected


def test_the_debugger_opens_a_context_of_python(directory):
  job = Job(python(PYTHON_THREADS)(directory), directory)
  job.await_begun()
  job.checkpoint("--kill")
  text = subprocess.run(
    ["gdb", "-q", "-nx", "-batch", "-ex", "info threads", "/usr/bin/python3",
     directory / "context"], capture_output=True, text=True, timeout=60).stdout
  assert text.count("LWP") >= 5
